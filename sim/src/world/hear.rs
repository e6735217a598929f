//! What reaches a participant, and what its engine makes of it.

use sds::output::{Disposition, Event as Told, Output};
use sds::types::Dependency;

use super::{Event, Plant, World, plant};
use crate::check::{Rule, Violation, acks, delivery, must};
use crate::figures::S_MS;
use crate::scenario::CHANNEL;

/// How sure a sender has to be that somebody has its message.
const SURE: f64 = 0.999;

impl World<'_> {
    /// A packet arrives.
    pub(super) fn arrive(&mut self, to: u32, number: u32) -> Result<(), Violation> {
        let Some(packet) = self.packets.get(number) else { return Ok(()) };
        if !self.member(to).is_online() {
            return Ok(());
        }
        let (bytes, maker, message) = (packet.bytes.clone(), packet.maker, packet.message);
        self.figures.deliveries += 1;
        let arrival = self.now_ms ^ u64::from(to) << 20 ^ u64::from(number) << 40;
        self.arrival_digest = (self.arrival_digest ^ arrival).wrapping_mul(0x0000_0100_0000_01b3);
        if self.member(to).dying && self.member(to).may_die() {
            let member = self.member(to);
            let _lost = member.engine().map(|engine| engine.unwrap_incoming(&bytes, member.clock_ms(self.now_ms)));
            self.dies(to);
            return Ok(());
        }
        let mut list = std::mem::take(&mut self.list);
        let first_chances = if maker == to { 0 } else { self.see_through(to, number, &mut list) };
        let member = self.member(to);
        let Some(engine) = member.engine() else { return Ok(()) };
        let received = engine.unwrap_incoming(&bytes, member.clock_ms(self.now_ms));
        let (disposition, content) = match received {
            Ok(received) => (received.disposition, received.content),
            Err(error) => return self.accept(to, "an honest message", Err(error)),
        };
        if let Some(message) = message {
            self.received(to, message, disposition, content)?;
        }
        self.called(to)?;
        self.count_what_is_known(to, &list, first_chances);
        self.list = list;
        if maker != to { self.ask_how_sure(to) } else { Ok(()) }
    }

    /// What somebody who sees through everything would know by this packet. Lists what it tells of that is not here,
    /// beside itself; the first of these it tells of for the first time, and so many are returned.
    fn see_through(&mut self, to: u32, number: u32, list: &mut Vec<u32>) -> usize {
        list.clear();
        let Self { packets, members, ledger, store, figures, now_ms, .. } = self;
        let Some(packet) = packets.get(number) else { return 0 };
        let seat = &mut members[to as usize].seat;
        let said_ms = |message: u32| ledger.of(message).said_ms;
        acks::heard(seat, *now_ms, |own| packet.had.get(own), |own| figures.earned(own, *now_ms - said_ms(own)));
        packet.had.minus(&seat.had, seat.complete, list);
        list.extend(packet.asks.iter().filter(|asked| !seat.had.get(**asked) && !packet.had.get(**asked)));
        let itself = packet.message.filter(|message| !seat.had.get(*message));
        list.retain(|message| Some(*message) != itself);
        for message in list.iter().copied().chain(itself) {
            let after_ms = *now_ms - said_ms(message);
            if !seat.could.get(message) && seat.missed.get(message) {
                figures.detectable(message, after_ms);
            }
            if packet.logged.get(message) && seat.missed.get(message) && seat.could_by_log.set(message) {
                figures.detectable_by_log(message, after_ms);
            }
            let fetch_ms = store.as_ref().filter(|store| store.up && store.has(message));
            let fetch_ms = fetch_ms.map(|store| store.answer_ms(to, message));
            if let Some(fetch_ms) = fetch_ms.filter(|_| !seat.could.get(message))
                && after_ms + fetch_ms <= 6 * S_MS
                && seat.reach.set(message)
            {
                figures.gettable(message, after_ms + fetch_ms);
            }
        }
        // Those of which this is the first chance to know come first.
        list.sort_by_key(|message| seat.could.get(*message));
        let first_chances = list.iter().take_while(|message| !seat.could.get(**message)).count();
        for message in list.iter().copied().chain(itself) {
            seat.could.set(message);
        }
        first_chances
    }

    /// How much of what a packet could tell its receiver knows now.
    fn count_what_is_known(&mut self, to: u32, list: &[u32], first_chances: usize) {
        let Self { members, figures, .. } = self;
        let seat = &members[to as usize].seat;
        for (place, message) in list.iter().enumerate() {
            // What is only late on its way is not missed.
            if !figures.counts(*message) || !seat.missed.get(*message) {
                continue;
            }
            let knows = seat.knows(*message);
            figures.r2.add(knows);
            if place < first_chances {
                figures.r1.add(knows);
            }
        }
    }

    /// A message with content came.
    fn received(&mut self, to: u32, number: u32, disposition: Disposition, content: &[u8]) -> Result<(), Violation> {
        self.tell(to, Some(number), || format!("receives it: {disposition:?}"));
        let had = self.member(to).seat.had.get(number);
        match disposition {
            Disposition::Delivered | Disposition::Late | Disposition::BeforeUs => {
                self.got(to, number);
                let id = self.ledger.of(number).id.clone();
                self.shown(to, &id, content)
            }
            Disposition::Waiting => {
                self.got(to, number);
                if self.manner.plant == Some(Plant::ShowEarly) {
                    let id = self.ledger.of(number).id.clone();
                    return self.shown(to, &id, content);
                }
                Ok(())
            }
            Disposition::Duplicate | Disposition::Own => self.judge(
                to,
                must(had, Rule::Liveness, || {
                    format!("message {number} is taken for {disposition:?}, and was never here")
                }),
            ),
            Disposition::Sync | Disposition::Ephemeral => self.judge(
                to,
                must(false, Rule::NothingMadeUp, || {
                    format!("message {number} has content, and is taken for {disposition:?}")
                }),
            ),
        }
    }

    /// A message is here.
    fn got(&mut self, to: u32, number: u32) {
        let after_ms = self.now_ms - self.ledger.of(number).said_ms;
        let Self { members, figures, .. } = self;
        let seat = &mut members[to as usize].seat;
        if seat.missed.get(number) && !seat.knows(number) {
            figures.detected(number, after_ms);
        }
        if seat.had.set(number) {
            figures.got(number, after_ms);
            if seat.reach.set(number) {
                figures.gettable(number, after_ms);
            }
        }
    }

    fn shown(&mut self, to: u32, id: &str, content: &[u8]) -> Result<(), Violation> {
        let Self { ledger, members, manner, .. } = self;
        let member = &mut members[to as usize];
        let mut seat = std::mem::take(&mut member.seat);
        let early = || {
            let status = member.engine().and_then(|engine| engine.channel_status(CHANNEL).ok());
            // What waits for something that there was no room to track, is shown when its own time is up.
            status.map_or(0, |status| if status.missing_untracked > 0 { u64::MAX } else { status.delivered_early })
        };
        let mut verdict = delivery::shown(ledger, &mut seat, id, content, early);
        if verdict.is_ok() && plant::shows_twice(manner.plant, &seat) {
            verdict = delivery::shown(ledger, &mut seat, id, content, early);
        }
        member.seat = seat;
        self.judge(to, verdict)
    }

    /// Whether a sender is sure by now that somebody has its messages.
    fn ask_how_sure(&mut self, who: u32) -> Result<(), Violation> {
        let Self { ledger, members, figures, now_ms, .. } = self;
        let member = &mut members[who as usize];
        if member.seat.open.is_empty() {
            return Ok(());
        }
        let mut open = std::mem::take(&mut member.seat.open);
        for own in open.iter_mut().filter(|own| own.known_ms.is_none()) {
            let said = ledger.of(own.message);
            let status = member.engine().and_then(|engine| engine.message_status(CHANNEL, &said.id).ok());
            if status.is_some_and(|status| status.probability >= SURE) {
                own.known_ms = Some(*now_ms);
                figures.sure(own.message, *now_ms - said.said_ms, own.earned_ms.is_some());
            }
        }
        member.seat.open = open;
        Ok(())
    }

    /// Takes what an engine tells its host, and does it.
    pub(super) fn take_outputs(&mut self, who: u32) -> Result<(), Violation> {
        let committed = self.member_mut(who).commit();
        self.accept(who, "what is to be committed", committed)?;
        for (_, output) in self.member(who).drain() {
            match output {
                Output::Transmit(transmit) => self.transmit(who, transmit)?,
                Output::Event(told) => self.told(who, told)?,
            }
        }
        Ok(())
    }

    fn told(&mut self, who: u32, told: Told) -> Result<(), Violation> {
        match told {
            Told::Delivered(it) => {
                let number = self.ledger.number(&it.message_id);
                self.tell(who, number, || "shows it".to_owned());
                self.shown(who, &it.message_id, &it.content)
            }
            Told::Missing(dependency) => {
                self.missing(who, &dependency);
                Ok(())
            }
            Told::Lost(dependency) | Told::BeforeUs(dependency) => {
                let number = self.ledger.number(&dependency.message_id);
                self.tell(who, number, || "gives it up".to_owned());
                if let Some(number) = number {
                    self.member_mut(who).seat.excused.set(number);
                }
                Ok(())
            }
            Told::Acknowledged { message_id } => self.acknowledged(who, &message_id),
            Told::Failed { message_id } | Told::Unconfirmed { message_id, .. } => {
                let Self { ledger, members, .. } = self;
                let verdict = acks::given_up(ledger, &mut members[who as usize].seat, &message_id);
                self.judge(who, verdict)
            }
            Told::RepairRequested { .. } => {
                self.figures.requested(self.elapsed_ms());
                Ok(())
            }
            Told::PossiblyAcknowledged { .. } | Told::RepairAnswered { .. } | Told::Repaired { .. } => Ok(()),
        }
    }

    fn acknowledged(&mut self, who: u32, id: &str) -> Result<(), Violation> {
        if self.manner.plant == Some(Plant::SwallowAcks) {
            return Ok(());
        }
        let Self { ledger, members, scenario, .. } = self;
        let sure = scenario.engine.acks_are_sure();
        let verdict = acks::acknowledged(ledger, &mut members[who as usize].seat, who, id, sure);
        let open = self.judge(who, verdict)?;
        self.tell(who, Some(open.message), || "knows that somebody has it".to_owned());
        if open.known_ms.is_none() {
            let after_ms = self.now_ms - self.ledger.of(open.message).said_ms;
            self.figures.sure(open.message, after_ms, open.earned_ms.is_some());
        }
        Ok(())
    }

    /// A host is told what it lacks, and asks the store for it.
    pub(super) fn missing(&mut self, who: u32, dependency: &Dependency) {
        let Some(number) = self.ledger.number(&dependency.message_id) else { return };
        let after_ms = self.now_ms - self.ledger.of(number).said_ms;
        self.tell(who, Some(number), || "misses it".to_owned());
        let Self { members, figures, .. } = self;
        let seat = &mut members[who as usize].seat;
        if seat.missed.get(number) && !seat.knows(number) {
            figures.detected(number, after_ms);
        }
        seat.told.set(number);
        self.fetch(who, number);
    }

    /// A host asks the store for a message, if there is one, and again until it has it.
    pub(super) fn fetch(&mut self, who: u32, message: u32) {
        let Self { store: Some(store), members, wheel, now_ms, ledger, figures, .. } = self else { return };
        let member = &members[who as usize];
        if member.engine().is_none() || member.seat.had.get(message) {
            return;
        }
        let Some(packet) = ledger.of(message).packet.filter(|_| store.up && store.has(message) && member.is_online())
        else {
            wheel.push(*now_ms + store.retry_ms(), Event::Fetch { who, message });
            return;
        };
        figures.fetches += 1;
        let answer_ms = store.answer_ms(who, message);
        wheel.push(*now_ms + answer_ms, Event::Arrive { to: who, packet });
        // It may go away meanwhile.
        wheel.push(*now_ms + answer_ms + store.retry_ms(), Event::Fetch { who, message });
    }
}
