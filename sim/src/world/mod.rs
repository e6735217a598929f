//! A run: engines, network and store node under one clock, with checkers beside them.
//!
//! Nothing here depends on anything but the scenario: events come in one order, chance comes from its seed, and no map is
//! walked through in an order of its own. Two runs of a scenario give the same packets, which [`World::digest`] tells.

mod hear;
mod life;
mod plant;
mod rest;
mod speak;

use sds::Error;
use sha2::{Digest, Sha256};

use crate::check::{Broken, Rule, Verdict, Violation, bounds};
use crate::figures::{Figures, S_MS};
use crate::ledger::{Ledger, Packets};
use crate::member::Member;
use crate::network::Network;
use crate::scenario::{START_MS, Scenario};
use crate::speech::{Saying, sayings};
use crate::store_node::Store;
use crate::wheel::Wheel;
#[cfg(test)]
pub use plant::NOTICED;
pub use plant::Plant;

/// Something that happens.
#[derive(Clone, Copy, Debug)]
enum Event {
    Arrive {
        to: u32,
        packet: u32,
    },
    Tick {
        who: u32,
    },
    Say(u32),
    Incident(u32),
    /// A host asks the store node for a message.
    Fetch {
        who: u32,
        message: u32,
    },
    /// 6 S have passed since a message.
    Probe(u32),
}

/// Something worth telling of a run.
#[derive(Clone, Debug)]
pub struct Moment {
    /// Milliseconds from the start.
    pub at_ms: u64,
    pub who: u32,
    /// The message that it is about; `None`: another.
    pub message: Option<u32>,
    pub what: String,
}

/// How a run is made, beside what is run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manner {
    /// Check the bounds of whoever was called after every so many calls; 0: never.
    pub audit_every: u32,
    pub trace: bool,
    /// A mistake that is made on purpose, to see the checkers notice.
    pub plant: Option<Plant>,
    /// Messages at the beginning and at the end that no figure counts.
    pub unmeasured: (u32, u32),
}

pub struct World<'a> {
    scenario: &'a Scenario,
    manner: Manner,
    now_ms: u64,
    members: Vec<Member>,
    sent: Vec<bounds::Sent>,
    wheel: Wheel<Event>,
    network: Network,
    packets: Packets,
    ledger: Ledger,
    store: Option<Store>,
    sayings: Vec<Saying>,
    figures: Figures,
    calls: u32,
    packet_digest: Sha256,
    arrival_digest: u64,
    trace: Vec<Moment>,
    /// Room to list messages in.
    list: Vec<u32>,
    events: u64,
}

impl<'a> World<'a> {
    pub fn new(scenario: &'a Scenario, manner: Manner) -> Result<Self, Violation> {
        let sayings = sayings(&scenario.speech, scenario.seed, scenario.participants);
        let mut wheel = Wheel::new(START_MS);
        for (number, saying) in sayings.iter().enumerate() {
            wheel.push(START_MS + saying.at_ms, Event::Say(number as u32));
        }
        for (number, incident) in scenario.incidents.iter().enumerate() {
            wheel.push(START_MS + incident.at_ms, Event::Incident(number as u32));
        }
        let (first, last) = manner.unmeasured;
        let measured = (first, (sayings.len() as u32).saturating_sub(last).max(first));
        let at_ms = |number: u32| sayings.get(number as usize).map_or(0, |saying| saying.at_ms);
        let mut world = Self {
            scenario,
            manner,
            now_ms: START_MS,
            members: (0..scenario.participants).map(|who| Member::new(scenario, who)).collect(),
            sent: (0..scenario.participants).map(|_| bounds::Sent::default()).collect(),
            wheel,
            network: Network::new(scenario.weather, scenario.seed, scenario.participants),
            packets: Packets::default(),
            ledger: Ledger::default(),
            store: scenario.store.map(|node| Store::new(node, scenario.seed)),
            figures: Figures {
                measured,
                participants: scenario.participants,
                from_ms: at_ms(measured.0),
                until_ms: at_ms(measured.1.saturating_sub(1)) + S_MS,
                ..Figures::default()
            },
            sayings,
            calls: 0,
            packet_digest: Sha256::new(),
            arrival_digest: 0xcbf2_9ce4_8422_2325,
            trace: Vec::new(),
            list: Vec::new(),
            events: 0,
        };
        world.begin()?;
        Ok(world)
    }

    pub fn figures(&self) -> &Figures {
        &self.figures
    }

    pub fn trace(&self) -> &[Moment] {
        &self.trace
    }

    /// When the last message is said, in milliseconds from the start.
    pub fn last_saying_ms(&self) -> u64 {
        self.sayings.last().map_or(0, |saying| saying.at_ms)
    }

    /// Of every packet that was broadcast, when and by whom, and of every arrival.
    pub fn digest(&self) -> String {
        let mut digest = self.packet_digest.clone();
        digest.update(self.arrival_digest.to_le_bytes());
        digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Lets everything happen up to a time, in milliseconds from the start. `progress` is told now and then how much has
    /// been delivered.
    pub fn run_until(&mut self, until_ms: u64, progress: &mut dyn FnMut(u64)) -> Result<(), Violation> {
        let until_ms = START_MS + until_ms;
        while let Some((at_ms, event)) = self.wheel.next(until_ms) {
            self.now_ms = at_ms;
            self.events += 1;
            if self.events.is_multiple_of(16_384) {
                progress(self.figures.deliveries);
            }
            self.happen(event)?;
        }
        self.now_ms = until_ms;
        Ok(())
    }

    fn happen(&mut self, event: Event) -> Result<(), Violation> {
        match event {
            Event::Arrive { to, packet } => {
                self.arrive(to, packet)?;
                self.packets.landed(packet);
                Ok(())
            }
            Event::Tick { who } => self.tick(who),
            Event::Say(number) => {
                let saying = self.sayings[number as usize];
                self.say(saying.who, saying.bytes)
            }
            Event::Incident(number) => self.incident(self.scenario.incidents[number as usize].what),
            Event::Fetch { who, message } => {
                self.fetch(who, message);
                Ok(())
            }
            Event::Probe(message) => {
                self.probe(message);
                Ok(())
            }
        }
    }

    /// Milliseconds from the start.
    fn elapsed_ms(&self) -> u64 {
        self.now_ms - START_MS
    }

    fn member(&self, who: u32) -> &Member {
        &self.members[who as usize]
    }

    fn member_mut(&mut self, who: u32) -> &mut Member {
        &mut self.members[who as usize]
    }

    /// Puts a verdict in its place and time.
    fn judge<T>(&self, who: u32, result: Result<T, Broken>) -> Result<T, Violation> {
        result.map_err(|broken| Violation { broken, at_ms: self.elapsed_ms(), who: Some(who) })
    }

    /// An engine must not refuse what is honest.
    fn accept<T>(&self, who: u32, what: &str, result: Result<T, Error>) -> Result<T, Violation> {
        let broken = |error| Broken { rule: Rule::Accepted, how: format!("{what} was refused: {error}") };
        self.judge(who, result.map_err(broken))
    }

    fn tell(&mut self, who: u32, message: Option<u32>, what: impl FnOnce() -> String) {
        if self.manner.trace {
            self.trace.push(Moment { at_ms: self.now_ms - START_MS, who, message, what: what() });
        }
    }

    /// After each call: what came out is taken, bounds are checked, and the next tick is set.
    fn called(&mut self, who: u32) -> Result<(), Violation> {
        self.take_outputs(who)?;
        self.calls = self.calls.wrapping_add(1);
        if self.manner.audit_every > 0 && self.calls.is_multiple_of(self.manner.audit_every) {
            let verdict = self.audit(who);
            self.judge(who, verdict)?;
        }
        self.set_tick(who);
        Ok(())
    }

    fn audit(&self, who: u32) -> Verdict {
        let Some(engine) = self.member(who).engine() else { return Ok(()) };
        let Ok(mut status) = engine.channel_status(crate::scenario::CHANNEL) else { return Ok(()) };
        plant::status(self.manner.plant, &mut status);
        bounds::held(&status, engine.config())
    }

    fn set_tick(&mut self, who: u32) {
        let member = &mut self.members[who as usize];
        let Some(due_ms) = member.engine().and_then(sds::Manager::next_deadline) else { return };
        // A deadline that a step of the clock left behind is due now.
        let due_ms = due_ms.saturating_add_signed(-member.skew_ms).max(self.now_ms);
        if member.tick_ms.is_none_or(|set_ms| due_ms < set_ms) {
            member.tick_ms = Some(due_ms);
            self.wheel.push(due_ms, Event::Tick { who });
        }
    }

    fn tick(&mut self, who: u32) -> Result<(), Violation> {
        let now_ms = self.now_ms;
        let member = self.member_mut(who);
        // Another was set, earlier, or it is not running.
        if member.tick_ms != Some(now_ms) {
            return Ok(());
        }
        member.tick_ms = None;
        let clock_ms = member.clock_ms(now_ms);
        let Some(engine) = member.engine() else { return Ok(()) };
        if engine.next_deadline().is_none_or(|due_ms| due_ms > clock_ms) {
            self.set_tick(who);
            return Ok(());
        }
        let done = engine.tick(clock_ms);
        member.ticks = (now_ms, if member.ticks.0 == now_ms { member.ticks.1 + 1 } else { 1 });
        let times = member.ticks.1;
        self.accept(who, "a tick", done)?;
        self.judge(who, crate::check::liveness::ticked(times))?;
        if self.dies(who) { Ok(()) } else { self.called(who) }
    }

    /// Whether a participant that is about to die does so now, before its host commits what was changed.
    fn dies(&mut self, who: u32) -> bool {
        let member = self.member_mut(who);
        let dies = std::mem::take(&mut member.dying) && member.may_die();
        if dies {
            member.crash();
            self.tell(who, None, || "dies within a call".to_owned());
        }
        dies
    }

    /// Counts who has everything up to a message.
    fn probe(&mut self, message: u32) {
        if !self.figures.counts(message) {
            return;
        }
        let first = self.figures.measured.0;
        for member in self.members.iter_mut().filter(|member| member.engine().is_some()) {
            let seat = &mut member.seat;
            seat.complete = seat.had.first_absent(seat.complete);
            let complete = seat.had.first_absent(seat.complete.max(first));
            self.figures.p3_everything.add(complete > message);
        }
    }
}
