//! The end of every run: the network is whole again, everybody comes back, and all becomes quiet.

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use sds::output::{MessageState, TransmitReason};
use sds::types::Profile;

use crate::call::Call;
use crate::common::{MINUTE, SECOND};
use crate::group::{Group, Verdict};
use crate::history::Weather;

const HOUR: u64 = 60 * MINUTE;
/// Longer than a message is resent.
const UNTIL_QUIET: u64 = HOUR;

impl Group {
    /// Heals the network, lets everybody catch up, and checks that they all have the same and then say nothing more.
    pub fn come_to_rest(&mut self) -> Verdict {
        let context = |what: &'static str| move |error| TestCaseError::fail(format!("{what}: {error}"));
        self.heal().map_err(context("healing"))?;
        self.close().map_err(context("closing words"))?;
        self.converge().map_err(context("converging"))?;
        self.catch_up().map_err(context("catching up"))?;
        self.be_quiet().map_err(context("at rest"))
    }

    /// Everybody is reachable, all clocks are right, and what lies ahead of them has come to pass. Hosts ask for all
    /// that they know they lack.
    fn heal(&mut self) -> Verdict {
        self.network.weather = Weather { delay_ms: 50, ..Weather::default() };
        self.network.sides = 0;
        for who in 0..self.members.len() {
            self.members[who].offset_ms = 0;
            self.come_back(who)?;
        }
        // A clock that was ahead stamps what it sends until time has caught up, sync messages included.
        let clocks = self.members.iter().map(|member| member.status().lamport_timestamp_ms);
        let ahead_ms = clocks.max().unwrap_or(0);
        self.pass(ahead_ms.saturating_sub(self.now_ms) + SECOND)?;
        for who in 0..self.members.len() {
            for (id, state) in self.own_states(who) {
                if state != MessageState::Acknowledged {
                    self.on_own(who, Call::Retry(id))?;
                }
            }
        }
        self.pass(SECOND)?;
        if self.store {
            for who in 0..self.members.len() {
                self.lacks(who).iter().for_each(|id| self.fetch(who, id));
            }
        }
        self.pass(5 * SECOND)
    }

    /// Everybody speaks, twice, so that what they have is named.
    fn close(&mut self) -> Verdict {
        for _ in 0..2 {
            for who in 0..self.members.len() {
                self.say(who, false, 1)?;
                self.pass(5 * SECOND)?;
            }
        }
        Ok(())
    }

    /// With a store, or by asking one another, everybody has by now what was named; and if histories name everything, they
    /// all have all.
    fn converge(&mut self) -> Verdict {
        if self.repair {
            // Asking takes T_max and answering too, a few messages at a time.
            self.pass(HOUR)?;
        }
        let syncs = self.members.iter().all(|it| it.plan.profile == Profile::Rfc || it.plan.sync_in_libsds);
        for who in 0..self.members.len() {
            // Without a store, what was given up is not asked for; and who sends no sync messages asks too rarely.
            let repaired = self.repair && syncs && self.members[who].facts.lost.is_empty();
            if !(self.store || repaired) {
                continue;
            }
            let mut lacks = self.lacks(who);
            if !self.store {
                // Small logs cannot answer for what they let go.
                lacks.retain(|id| self.members.iter().any(|other| other.is_roomy() && other.facts.here.contains(id)));
            }
            let (member, roomy) = (&self.members[who], self.members[who].is_roomy());
            prop_assert!(!roomy || lacks.is_empty(), "{} lacks {lacks:?}, and could have", member.name);
            if self.wide && roomy && member.facts.marked.is_empty() {
                self.has_all_that_roomy_ones_have(who)?;
            }
        }
        Ok(())
    }

    /// What a roomy member has, it named, and so everybody else has it.
    fn has_all_that_roomy_ones_have(&self, who: usize) -> Verdict {
        let facts = &self.members[who].facts;
        for other in self.members.iter().filter(|other| other.is_roomy()) {
            let unknown = other.facts.here.iter().find(|id| !facts.here.contains(*id) && self.stored(id).is_some());
            prop_assert!(unknown.is_none(), "{} has {unknown:?}, {} has not", other.name, self.members[who].name);
        }
        Ok(())
    }

    /// A member's host looks through the store, in any order. Then all logs are equal, but those that hold less.
    fn catch_up(&mut self) -> Verdict {
        for who in 0..self.members.len() {
            let mut lacking = self.network.past.clone();
            let facts = &self.members[who].facts;
            lacking.retain(|packet| self.made.contains_key(&packet.id) && !facts.knows(&packet.id));
            // The order of the ids is none of arrival.
            lacking.sort_by(|a, b| b.id.cmp(&a.id));
            for packet in lacking {
                self.network.send(&packet, who, self.now_ms);
            }
            self.pass(SECOND)?;
        }
        let longest_ms = self.members.iter().map(|member| member.config.dependency_timeout_ms).max();
        self.pass(UNTIL_QUIET + longest_ms.unwrap_or(0))?;
        let mut all: Vec<(u64, &str)> = Vec::new();
        for packet in self.network.past.iter().filter(|packet| self.made.contains_key(&packet.id)) {
            all.push((packet.stamp_ms.unwrap_or_default(), &packet.id));
        }
        all.sort_unstable();
        for member in self.members.iter().filter(|member| member.is_roomy()) {
            let log = crate::common::log(&member.manager);
            let expected: Vec<&str> = all.iter().map(|entry| entry.1).collect();
            prop_assert_eq!(log, expected, "the log of {}", &member.name);
        }
        for member in &self.members {
            let status = member.status();
            prop_assert!(status.waiting == 0 && status.missing == 0, "{}: {status:?}", member.name);
        }
        self.acknowledged_at_last()
    }

    /// Where histories name everything, all is acknowledged but each one's last words: nobody needs to speak after them.
    fn acknowledged_at_last(&self) -> Verdict {
        let roomy = self.members.iter().filter(|member| member.is_roomy()).count();
        if !(self.wide && self.store) || roomy < 2 {
            return Ok(());
        }
        for (who, member) in self.members.iter().enumerate().filter(|(_, member)| member.is_roomy()) {
            let mut open = self.own_states(who);
            open.retain(|own| own.1 != MessageState::Acknowledged);
            prop_assert!(open.len() <= 1, "{}: {open:?}", member.name);
        }
        Ok(())
    }

    /// Nothing goes out but sync messages, and each member's come at intervals that double.
    fn be_quiet(&mut self) -> Verdict {
        self.sent.clear();
        self.pass(8 * HOUR)?;
        let other = self.sent.iter().find(|sent| sent.2 != TransmitReason::Sync);
        prop_assert!(other.is_none(), "at rest: {other:?}");
        for (who, member) in self.members.iter().enumerate() {
            let times: Vec<u64> = self.sent.iter().filter(|sent| sent.1 == who).map(|sent| sent.0).collect();
            let mut interval_ms = member.config.sync_interval_ms;
            for pair in times.windows(2) {
                interval_ms = (interval_ms * 2).min(member.config.sync_interval_max_ms);
                let gap_ms = pair[1] - pair[0];
                prop_assert!(gap_ms >= interval_ms, "{}: {gap_ms} ms after {interval_ms}", member.name);
            }
        }
        Ok(())
    }

    fn own_states(&self, who: usize) -> Vec<(String, MessageState)> {
        let own = &self.members[who].facts.own;
        own.iter().map(|(id, own)| (id.clone(), own.state())).collect()
    }

    /// What a member was told of, does not have, and could have from the store.
    fn lacks(&self, who: usize) -> Vec<String> {
        let facts = &self.members[who].facts;
        let lacks = |id: &&String| !facts.knows(id) && !facts.marked.contains(*id) && self.stored(id).is_some();
        facts.named.iter().filter(lacks).cloned().collect()
    }
}
