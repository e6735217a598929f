//! The group: who does what when, and what goes over the network. Every call on every engine passes through
//! [`Group::call`], which holds it to the laws.

use std::collections::BTreeMap;
use std::rc::Rc;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use sds::Error;
use sds::output::{Event, Output, TransmitReason};

use crate::call::{Answer, Call, Made};
use crate::common::{self, NOW, SECOND};
use crate::history::{History, Step};
use crate::laws::{self, Before};
use crate::member::{Away, Member};
use crate::network::Network;
use crate::packet::Packet;

pub type Verdict = Result<(), TestCaseError>;

pub struct Group {
    pub now_ms: u64,
    pub members: Vec<Member>,
    pub network: Network,
    pub store: bool,
    pub repair: bool,
    pub wide: bool,
    /// Every message with content that was made, broadcast or not.
    pub made: BTreeMap<String, Rc<Packet>>,
    /// The greatest time that any participant was told.
    pub greatest_told_ms: u64,
    /// By how much all stamps together can have run ahead of it.
    pub stamps_ms: u64,
    /// What went out by itself since this was last emptied: when, by whom, and why.
    pub sent: Vec<(u64, usize, TransmitReason)>,
    /// Acknowledgements that rest on the mistakes of filters alone.
    pub accidents: u32,
    says: u32,
}

impl Group {
    pub fn new(history: &History) -> Self {
        let members: Vec<_> = history
            .members
            .iter()
            .enumerate()
            .map(|(number, plan)| Member::new(number, plan.clone(), history, NOW))
            .collect();
        Self {
            now_ms: NOW,
            greatest_told_ms: members.iter().map(|member| member.opened_ms).max().unwrap_or(NOW),
            members,
            network: Network::new(history.weather, history.seed),
            store: history.store,
            repair: history.repair,
            wide: history.wide,
            made: BTreeMap::new(),
            stamps_ms: 0,
            sent: Vec::new(),
            accidents: 0,
            says: 0,
        }
    }

    /// Runs all that a history says, held to the laws at every call.
    pub fn run(&mut self, steps: &[Step]) -> Verdict {
        for (number, step) in steps.iter().enumerate() {
            let context = |error| TestCaseError::fail(format!("step {number}, {step:?}: {error}"));
            self.step(step).map_err(context)?;
        }
        Ok(())
    }

    fn step(&mut self, step: &Step) -> Verdict {
        let size = self.members.len();
        let who = |who: u8| usize::from(who) % size;
        match *step {
            Step::Say { who: it, derived, bytes } => self.say(who(it), derived, bytes),
            Step::Whisper { who: it } => self.whisper(who(it)),
            Step::Pass { ms } => self.pass(ms),
            Step::Tick { who: it } => self.call(who(it), Call::Tick).map(drop),
            Step::Leave { who: it, frozen } => self.leave(who(it), frozen),
            Step::Return { who: it } => self.come_back(who(it)),
            Step::Split { sides } => {
                self.network.sides = sides;
                Ok(())
            }
            Step::Join => {
                self.network.sides = 0;
                Ok(())
            }
            Step::Turn { who: it, by_ms } => {
                self.members[who(it)].offset_ms += by_ms;
                Ok(())
            }
            Step::Replay { which, to } => {
                let past = &self.network.past;
                if let Some(packet) = past.get(usize::from(which) % past.len().max(1)).cloned() {
                    self.network.send(&packet, who(to), self.now_ms);
                }
                Ok(())
            }
            Step::Repeat { who: it, which } => self.repeat(who(it), which),
            Step::Retry { who: it, which } => self.with_own(who(it), which, Call::Retry),
            Step::Cancel { who: it, which } => self.with_own(who(it), which, Call::Cancel),
            Step::Mark { who: it, which } => self.mark(who(it), which),
        }
    }

    /// Wraps a message and broadcasts it.
    pub fn say(&mut self, who: usize, derived: bool, bytes: u16) -> Verdict {
        self.says += 1;
        let id = format!("{}{}", self.members[who].name, self.says);
        let mut content = format!("says {id} ").into_bytes();
        content.resize(content.len().max(usize::from(bytes)), b'.');
        let before = self.members[who].status();
        let answer = self.call(who, Call::Wrap { id: (!derived).then_some(id), content })?;
        match answer {
            Some(Ok(_)) | None => Ok(()),
            Some(Err(Error::TooManyUnacknowledged(max))) => {
                prop_assert!(before.unacknowledged as usize >= max && before.given_up == 0, "refused: {before:?}");
                Ok(())
            }
            Some(Err(error)) => Err(TestCaseError::fail(format!("a wrap was refused: {error}"))),
        }
    }

    fn whisper(&mut self, who: usize) -> Verdict {
        self.says += 1;
        let content = format!("whispers {}", self.says).into_bytes();
        if let Some(Err(error)) = self.call(who, Call::Whisper { content })? {
            prop_assert_eq!(error, Error::EphemeralUnsupported);
        }
        Ok(())
    }

    /// Wraps a message again: the host is not sure whether it did.
    fn repeat(&mut self, who: usize, which: u16) -> Verdict {
        let Some(id) = self.own_id(who, which) else { return Ok(()) };
        let content = self.made[&id].content.clone();
        self.on_own(who, Call::Wrap { id: Some(id), content })
    }

    fn own_id(&self, who: usize, which: u16) -> Option<String> {
        let own = &self.members[who].facts.own;
        own.keys().nth(usize::from(which) % own.len().max(1)).cloned()
    }

    fn with_own(&mut self, who: usize, which: u16, call: impl Fn(String) -> Call) -> Verdict {
        let Some(id) = self.own_id(who, which) else { return Ok(()) };
        self.on_own(who, call(id))
    }

    /// A call on a message of one's own, which small limits may have let go, or leave no room for.
    pub fn on_own(&mut self, who: usize, call: Call) -> Verdict {
        if let Some(Err(error)) = self.call(who, call)? {
            // Once it left the log, an id is known to be used, and no longer by whom.
            let full = matches!(error, Error::TooManyUnacknowledged(_));
            let gone = matches!(error, Error::UnknownMessage(_) | Error::BytesGone(_));
            prop_assert!((full || gone) && !self.members[who].is_roomy(), "refused: {error}");
        }
        Ok(())
    }

    fn mark(&mut self, who: usize, which: u16) -> Verdict {
        let missing = self.members[who].facts.missing();
        let Some(id) = missing.iter().nth(usize::from(which) % missing.len().max(1)) else { return Ok(()) };
        let id = (*id).to_owned();
        self.call(who, Call::Mark(id)).map(drop)
    }

    fn leave(&mut self, who: usize, frozen: bool) -> Verdict {
        if self.members[who].away.is_none() {
            if frozen {
                self.members[who].away = Some(Away::Frozen);
            } else {
                self.call(who, Call::Online(false))?;
                self.members[who].away = Some(Away::Offline);
            }
        }
        Ok(())
    }

    pub fn come_back(&mut self, who: usize) -> Verdict {
        if self.members[who].away == Some(Away::Offline) {
            self.call(who, Call::Online(true))?;
        }
        self.members[who].away = None;
        Ok(())
    }

    /// Lets time pass: packets land and engines tick, each at its time.
    pub fn pass(&mut self, ms: u64) -> Verdict {
        let end_ms = self.now_ms + ms;
        loop {
            let ticks = self.members.iter().enumerate();
            let tick = ticks.filter_map(|(who, member)| Some((member.next_tick_ms(self.now_ms)?, who))).min();
            let arrival_ms = self.network.next_arrival_ms();
            match (tick, arrival_ms) {
                (Some((at_ms, who)), arrival) if at_ms <= end_ms && arrival.is_none_or(|other| at_ms <= other) => {
                    self.now_ms = at_ms;
                    self.call(who, Call::Tick)?;
                }
                (_, Some(at_ms)) if at_ms <= end_ms => {
                    self.now_ms = self.now_ms.max(at_ms);
                    let Some((to, packet)) = self.network.land() else { break };
                    if self.members[to].away.is_none() {
                        self.receive(to, packet)?;
                    }
                }
                _ => break,
            }
        }
        self.now_ms = end_ms;
        Ok(())
    }

    pub fn receive(&mut self, to: usize, packet: Rc<Packet>) -> Verdict {
        match self.call(to, Call::Unwrap(packet))? {
            Some(Err(error)) => Err(TestCaseError::fail(format!("an honest message was refused: {error}"))),
            _ => Ok(()),
        }
    }

    /// Makes a call, sends what comes of it, and holds it to all laws. `None`: nobody is there to make it.
    fn call(&mut self, who: usize, call: Call) -> Result<Option<Result<Answer, Error>>, TestCaseError> {
        if self.members[who].is_frozen() {
            return Ok(None);
        }
        let context = format!("{} at +{} ms, {call:?}", self.members[who].name, self.now_ms - NOW);
        self.called(who, call).map(Some).map_err(|error| TestCaseError::fail(format!("{context}: {error}")))
    }

    fn called(&mut self, who: usize, call: Call) -> Result<Result<Answer, Error>, TestCaseError> {
        let member = &mut self.members[who];
        let now_ms = member.now_ms(self.now_ms);
        let before = Before { status: member.status(), now_ms };
        // Nothing else can be refused in a run whose hosts drain.
        let snapshot = matches!(call, Call::Wrap { .. } | Call::Whisper { .. } | Call::Retry(_))
            .then(|| snapshot_at(member, now_ms));
        let answer = call.make(&member.manager, now_ms);
        let outputs: Vec<Output> = member.manager.drain().into_iter().map(|(_, output)| output).collect();
        self.greatest_told_ms = self.greatest_told_ms.max(now_ms);
        let reachable = member.away != Some(Away::Offline);
        member.facts.clock.told(now_ms, reachable);
        let made = Made { now_ms, call: call.clone(), answer: answer.clone(), outputs: outputs.clone() };
        member.calls.push(made);
        if let Err(error) = &answer {
            let after = common::snapshot(&self.members[who].manager);
            prop_assert!(
                snapshot.is_none_or(|before| before == after) && outputs.is_empty(),
                "changed by a refused call: {error}"
            );
            return Ok(answer);
        }
        laws::hold(self, who, &before, &call, answer.as_ref().ok(), &outputs)?;
        self.send_out(who, answer.as_ref().ok(), &outputs);
        Ok(answer)
    }

    /// What the host does with what came out: it broadcasts, and fetches what is missing.
    fn send_out(&mut self, who: usize, answer: Option<&Answer>, outputs: &[Output]) {
        if let Some(Answer::Wrapped(wrapped)) = answer {
            self.broadcast(who, wrapped.bytes.clone());
        }
        for output in outputs {
            match output {
                Output::Transmit(transmit) => {
                    self.broadcast(who, transmit.bytes.clone());
                    self.sent.push((self.now_ms, who, transmit.reason));
                }
                Output::Event(Event::Missing(missing)) if self.store => {
                    self.fetch(who, &missing.message_id);
                }
                Output::Event(_) => {}
            }
        }
    }

    fn broadcast(&mut self, who: usize, bytes: bytes::Bytes) {
        if self.members[who].away.is_none() {
            let packet = self.packet(who, bytes);
            self.network.broadcast(&packet, who, self.members.len(), self.now_ms);
        }
    }

    /// What somebody broadcasts. A message that goes out once more tells what it told when it was made.
    pub fn packet(&self, who: usize, bytes: bytes::Bytes) -> Rc<Packet> {
        let packet = Packet::read(bytes, who, self.members[who].facts.received.len());
        let Some(made) = self.made.get(&packet.id) else { return Rc::new(packet) };
        if made.bytes == packet.bytes {
            return made.clone();
        }
        // Somebody's answer, in another format than the message was made in.
        Rc::new(Packet { sender: made.sender, sender_had: made.sender_had, ..packet })
    }

    /// Asks the store for a message. Whoever is away gets no answer.
    pub fn fetch(&mut self, who: usize, id: &str) {
        if let Some(packet) = self.stored(id).filter(|_| self.members[who].away.is_none()) {
            self.network.send(&packet, who, self.now_ms + SECOND / 2);
        }
    }

    /// What the store has: all that was ever broadcast.
    pub fn stored(&self, id: &str) -> Option<Rc<Packet>> {
        self.network.past.iter().find(|packet| packet.id == id).cloned()
    }
}

/// Everything of a participant that shows. It is told the time first, since a step back of its clock moves all deadlines.
fn snapshot_at(member: &mut Member, now_ms: u64) -> (Vec<(String, String)>, Option<u64>) {
    let call = Call::Online(member.away != Some(Away::Offline));
    let answer = call.make(&member.manager, now_ms);
    member.calls.push(Made { now_ms, call, answer, outputs: Vec::new() });
    common::snapshot(&member.manager)
}
