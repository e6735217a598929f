//! The end of a run: the network is whole again, everybody comes back, and in bounded time all have the same and are quiet.

use sds::output::MessageState;

use super::{Event, World, plant};
use crate::check::{Violation, liveness, logs};
use crate::member::Presence;
use crate::scenario::{CHANNEL, MINUTE, SECOND, START_MS};

const HOUR: u64 = 60 * MINUTE;
/// Messages that everybody says once all is whole, so that what they have is named.
const CLOSING_WORDS: u32 = 2;
const BYTES: u64 = 24;

impl World<'_> {
    /// Heals everything, and holds the group to what it promises then.
    pub fn come_to_rest(&mut self) -> Result<(), Violation> {
        self.heal()?;
        self.close()?;
        self.repair()?;
        self.catch_up()?;
        self.check_rest()
    }

    fn pass(&mut self, ms: u64) -> Result<(), Violation> {
        self.run_until(self.elapsed_ms() + ms, &mut |_| ())
    }

    /// Those who are here, and who stay.
    fn present(&self) -> Vec<u32> {
        (0..self.scenario.participants).filter(|who| self.member(*who).presence != Presence::Gone).collect()
    }

    fn heal(&mut self) -> Result<(), Violation> {
        self.network.heal();
        self.store.iter_mut().for_each(|store| store.up = true);
        for who in self.present() {
            self.set_skew(who, 0);
            match self.member(who).presence {
                Presence::Expected => self.start(who)?,
                Presence::Crashed => self.restart(who)?,
                Presence::Offline => self.set_online(who, true)?,
                Presence::Online | Presence::Gone => {}
            }
            self.member_mut(who).dying = false;
        }
        // Clocks that were ahead stamp what is said until time has caught up.
        let status = |who: u32| self.member(who).engine().and_then(|engine| engine.channel_status(CHANNEL).ok());
        let lamport_ms = |who: &u32| status(*who).map_or(0, |status| status.lamport_timestamp_ms);
        let ahead_ms = self.present().iter().map(lamport_ms).max().unwrap_or(0);
        self.pass(ahead_ms.saturating_sub(self.now_ms) + SECOND)?;
        self.present().into_iter().try_for_each(|who| self.retry(who))?;
        self.pass(5 * SECOND)
    }

    /// A host sends again what was given up while nobody could be reached.
    fn retry(&mut self, who: u32) -> Result<(), Violation> {
        let open: Vec<u32> = self.member(who).seat.open.iter().map(|open| open.message).collect();
        for number in open {
            let id = self.ledger.of(number).id.clone();
            let member = self.member(who);
            let Some(engine) = member.engine() else { continue };
            // Small buffers let go of what was given up.
            let Ok(status) = engine.message_status(CHANNEL, &id) else { continue };
            if status.state != MessageState::Acknowledged {
                let done = engine.retry(CHANNEL, &id, member.clock_ms(self.now_ms));
                if matches!(done, Err(sds::Error::TooManyUnacknowledged(_))) {
                    continue;
                }
                self.accept(who, "a retry", done)?;
                let open = self.member_mut(who).seat.open.iter_mut().find(|open| open.message == number);
                open.into_iter().for_each(|open| open.given_up = false);
                self.called(who)?;
            }
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), Violation> {
        for _ in 0..CLOSING_WORDS {
            for who in self.present() {
                self.say(who, BYTES)?;
                self.pass(5 * SECOND)?;
            }
        }
        Ok(())
    }

    /// With a store, or by asking one another, everybody has by now what it was told to miss.
    fn repair(&mut self) -> Result<(), Violation> {
        let engine = &self.scenario.engine;
        let asking_ms = if engine.repair { HOUR.max(20 * engine.repair_t_max_ms) } else { 0 };
        self.pass(MINUTE + asking_ms)?;
        if self.store.is_none() && !engine.repair {
            return Ok(());
        }
        for who in self.present() {
            // With room for few missing messages, others gave way, and the engine says so.
            let status = self.member(who).engine().and_then(|engine| engine.channel_status(CHANNEL).ok());
            if status.is_none_or(|status| status.missing_untracked > 0) {
                continue;
            }
            let verdict =
                liveness::repaired(&self.member(who).seat, self.ledger.len(), |number| self.obtainable(number));
            self.judge(who, verdict)?;
        }
        Ok(())
    }

    /// Whether somebody who misses a message can get it: from the store, or from its sender.
    fn obtainable(&self, number: u32) -> bool {
        if self.store.as_ref().is_some_and(|store| store.has(number)) {
            return true;
        }
        // Its sender may be gone, or may have kept too few whole messages.
        let sender = self.ledger.of(number).who;
        let sender_has = self.member(sender).presence == Presence::Online && self.member(sender).seat.had.get(number);
        self.store.is_none() && sender_has && self.scenario.engine.log_bytes > 1 << 20 && self.is_recent(number)
    }

    /// Whether a message is so young that its sender still answers for it.
    fn is_recent(&self, number: u32) -> bool {
        self.ledger.of(number).said_ms + self.scenario.engine.repair_window_ms > self.now_ms
    }

    /// Hosts look through an archive that has everything, in an order of its own.
    fn catch_up(&mut self) -> Result<(), Violation> {
        for who in self.present() {
            let mut lacking: Vec<(&str, u32)> = Vec::new();
            for said in &self.ledger.said {
                let number = self.ledger.number(&said.id).unwrap_or_default();
                let absent = !self.member(who).seat.had.get(number);
                lacking.extend(said.packet.filter(|_| absent).map(|packet| (said.id.as_str(), packet)));
            }
            // By id, which is no order of arrival.
            lacking.sort_unstable();
            let packets: Vec<u32> = lacking.into_iter().map(|it| it.1).collect();
            for packet in packets {
                self.wheel.push(self.now_ms, Event::Arrive { to: who, packet });
            }
            self.pass(SECOND)?;
        }
        // Longer than a message is resent, and than anything is waited for.
        let engine = &self.scenario.engine;
        self.pass(HOUR + engine.dependency_timeout_ms + 2 * engine.repair_t_max_ms)
    }

    fn check_rest(&mut self) -> Result<(), Violation> {
        let roomy = self.ledger.len() as usize <= self.scenario.engine.log_messages;
        for who in self.present() {
            let member = self.member(who);
            let Some(engine) = member.engine() else { continue };
            let status = self.accept(who, "a look at its status", engine.channel_status(CHANNEL))?;
            self.judge(who, liveness::at_rest(&member.seat, &status))?;
            if roomy {
                let mut log = self.accept(who, "a look at its log", log_of(engine))?;
                plant::log(self.manner.plant, &mut log);
                self.judge(who, logs::equal(&log, &logs::expected(&self.ledger, who)))?;
            }
        }
        self.check_quiet()
    }

    /// At rest nothing goes out but sync messages, fewer and fewer.
    fn check_quiet(&mut self) -> Result<(), Violation> {
        let sent = |world: &Self| {
            world.figures.traffic.iter().fold([0u64; 6], |mut sum, slot| {
                sum.iter_mut().zip(slot).for_each(|(sum, count)| *sum += u64::from(*count));
                sum
            })
        };
        let before = sent(self);
        self.pass(4 * HOUR)?;
        let after = sent(self);
        let broken = |how: String| Violation {
            broken: crate::check::Broken { rule: crate::check::Rule::Liveness, how },
            at_ms: self.now_ms - START_MS,
            who: None,
        };
        for kind in [0, 1, 3, 4, 5] {
            if after[kind] > before[kind] {
                let name = crate::figures::KINDS[kind];
                return Err(broken(format!("{} packets of kind {name} at rest", after[kind] - before[kind])));
            }
        }
        // Each doubles its interval, and those who hear it need not send: at the greatest interval it is two an hour.
        let (syncs, members) = (after[2] - before[2], self.present().len() as u64);
        let most = members * (4 * HOUR / self.scenario.engine.sync_interval_ms.max(1)).ilog2().max(1) as u64
            + members * (4 * HOUR / self.scenario.engine.sync_interval_max_ms + 1);
        if syncs > most {
            Err(broken(format!("{syncs} sync messages in four hours at rest, over {most}")))
        } else {
            Ok(())
        }
    }
}

/// The ids of a log, in its order.
fn log_of(engine: &sds::Manager) -> Result<Vec<String>, sds::Error> {
    let dump = engine.dump_channel(CHANNEL)?;
    let dump: serde_json::Value = serde_json::from_str(&dump).unwrap_or_default();
    let entries = dump["log_latest_first"].as_array().cloned().unwrap_or_default();
    Ok(entries.iter().rev().filter_map(|entry| entry[1].as_str().map(str::to_owned)).collect())
}
