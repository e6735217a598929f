//! A manager that is stopped and restored after every step, beside one that never stops: both say the same, always.

use std::collections::VecDeque;

use proptest::prelude::*;
use sds::config::Config;
use sds::output::{ChannelOptions, Output};
use sds::types::{ChannelId, Profile, TimeMs};
use sds::{Error, Manager};

use crate::kinds::Kind;

const START_MS: TimeMs = 1_790_000_000_000;
const CHANNELS: [&str; 2] = ["garden", "kitchen"];

/// One step of a history.
#[derive(Clone, Debug)]
enum Step {
    /// The twins send, or another member does.
    Send {
        who: usize,
        channel: usize,
        derived: bool,
    },
    /// A packet in flight reaches somebody: the twins, or another member; or is lost.
    Arrive {
        packet: usize,
        who: usize,
        again: bool,
    },
    Lose {
        packet: usize,
    },
    Tick {
        after_ms: u64,
    },
    Back {
        by_ms: u64,
    },
    /// Our clock alone is set ahead, or right again.
    Jump {
        by_ms: u64,
        home: bool,
    },
    Batch {
        packets: Vec<usize>,
    },
    /// Minutes in which nothing happens: channels leave memory.
    Idle,
    Online(bool),
    Ephemeral {
        channel: usize,
    },
    /// Of the ids seen so far.
    MarkMet {
        id: usize,
    },
    Hint {
        id: usize,
        len: usize,
    },
    Retry {
        id: usize,
    },
    Cancel {
        id: usize,
    },
    Reopen {
        channel: usize,
    },
    Forget {
        channel: usize,
    },
    Seed {
        channel: usize,
        number: u64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let id = 0..400_usize;
    prop_oneof![
        6 => (0..3_usize, 0..2_usize, any::<bool>()).prop_map(|(who, channel, derived)| Step::Send { who, channel, derived }),
        14 => (0..64_usize, 0..3_usize, any::<bool>()).prop_map(|(packet, who, again)| Step::Arrive { packet, who, again }),
        2 => (0..64_usize).prop_map(|packet| Step::Lose { packet }),
        6 => (0..200_000_u64).prop_map(|after_ms| Step::Tick { after_ms }),
        1 => (0..300_000_u64).prop_map(|by_ms| Step::Back { by_ms }),
        2 => (prop_oneof![0..3_000_000_u64, 0..200_000_000_u64], any::<bool>()).prop_map(|(by_ms, home)| Step::Jump { by_ms, home }),
        3 => proptest::collection::vec(0..64_usize, 1..40).prop_map(|packets| Step::Batch { packets }),
        1 => Just(Step::Idle),
        1 => any::<bool>().prop_map(Step::Online),
        1 => (0..2_usize).prop_map(|channel| Step::Ephemeral { channel }),
        1 => id.clone().prop_map(|id| Step::MarkMet { id }),
        2 => (id.clone(), 0..9_usize).prop_map(|(id, len)| Step::Hint { id, len }),
        1 => id.clone().prop_map(|id| Step::Retry { id }),
        1 => id.prop_map(|id| Step::Cancel { id }),
        1 => (0..2_usize).prop_map(|channel| Step::Reopen { channel }),
        1 => (0..2_usize).prop_map(|channel| Step::Forget { channel }),
        1 => (0..2_usize, 0..50_u64).prop_map(|(channel, number)| Step::Seed { channel, number }),
    ]
}

/// Limits so small that they are reached.
fn config(who: &str, profile: Profile) -> Config {
    Config {
        participant_id: who.to_owned(),
        seed: Some(7),
        profile,
        log_messages: 8,
        log_bytes: 60_000,
        seen_limit: 12,
        max_waiting_messages: 6,
        max_missing: 10,
        max_unacknowledged: 6,
        max_resends: 2,
        bloom_capacity: 70,
        stored_messages: 14,
        stored_ms: 900_000,
        sync_in_libsds: true,
        unload_after_ms: 60_000,
        dependency_timeout_ms: 400_000,
        max_clock_drift_rfc_ms: 100_000,
        max_clock_drift_libsds_ms: 100_000,
        clock_step_ms: 10_000,
        ..Config::default()
    }
}

/// One of the channels is joined from now on.
fn options(channel: &str) -> ChannelOptions {
    ChannelOptions { from_now: channel == "kitchen", ..ChannelOptions::default() }
}

struct Group {
    kind: Kind,
    config: Config,
    /// One of the twins never stops. It has a store too: what a store knows is not forgotten.
    steady: Manager,
    steady_kind: Kind,
    others: [Manager; 2],
    /// By our clock.
    now_ms: TimeMs,
    /// By everybody else's.
    true_ms: TimeMs,
    online: bool,
    packets: VecDeque<(usize, Vec<u8>)>,
    ids: Vec<(usize, String)>,
    sent: usize,
    /// There is one twin only, which stops by a crash after every step: nothing is written when it goes.
    crashes: bool,
}

impl Group {
    fn new(kind: Kind, profile: Profile, crashes: bool) -> Self {
        let config = config("twin", profile);
        let mut steady_kind = match kind {
            Kind::Host(_) => Kind::Host(crate::host::Host::default()),
            _ => Kind::Memory(sds::store::Memory::default()),
        };
        let steady = steady_kind.open(&Config { unload_after_ms: 0, ..config.clone() }, START_MS).expect("opens");
        let member = |who| Manager::open(self::config(who, profile)).expect("opens");
        let others = [member("bob"), member("carol")];
        let twin = kind.open(&config, START_MS).expect("opens");
        for manager in others.iter().chain([&steady, &twin]) {
            for channel in CHANNELS {
                manager.open_channel(channel, options(channel), START_MS).expect("opens");
            }
        }
        let mut kind = kind;
        kind.stop(twin);
        steady_kind.drain(&steady);
        Self {
            kind,
            config,
            steady,
            steady_kind,
            others,
            now_ms: START_MS,
            true_ms: START_MS,
            online: true,
            packets: VecDeque::new(),
            ids: Vec::new(),
            sent: 0,
            crashes,
        }
    }

    /// A call, and a crash. All that anybody was told, or could have been, is as it was.
    fn crash(&mut self, call: impl Fn(&Manager) -> String) -> Result<(), TestCaseError> {
        let twin = self.kind.open(&self.config, self.now_ms).expect("opens again");
        if !self.online {
            twin.set_online(false, self.now_ms).expect("a good time");
        }
        call(&twin);
        let drained = self.kind.drain(&twin);
        let before = self.facts(&twin);
        drop(twin);
        let twin = self.kind.open(&self.config, self.now_ms).expect("opens again");
        same(&before, &self.facts(&twin))?;
        self.take(drained);
        Ok(())
    }

    fn facts(&self, manager: &Manager) -> String {
        let of_channel = |(number, channel): (usize, &&str)| {
            let status = manager.channel_status(channel).map(|it| {
                [
                    it.received,
                    it.sent,
                    it.logged + it.held,
                    it.missing,
                    it.lost,
                    it.waiting,
                    it.unacknowledged,
                    it.given_up,
                ]
                .map(|count| count.to_string())
                .join(" ")
            });
            let mut ids = self.ids.iter().filter(|(of, _)| *of == number).map(|(_, id)| id);
            let known: String = ids.by_ref().fold(String::new(), |known, id| {
                let state = manager
                    .message_status(channel, id)
                    .map(|status| (status.state, status.resends, status.acknowledgers));
                format!("{known}\n{id} {state:?}")
            });
            let log = manager.read_log(channel, None, 1_000).map(|page| page.entries).ok();
            let outgoing = manager.outgoing(channel).map(|mut all| {
                all.sort_by(|a, b| a.0.cmp(&b.0));
                all
            });
            format!("{channel} {status:?}\n{:#?}{known}\n{outgoing:?}\n{log:#?}", manager.missing(channel))
        };
        CHANNELS.iter().enumerate().map(of_channel).collect()
    }

    /// The same call on both twins, the second restored for it and stopped again. What they say is compared.
    fn both(&mut self, call: impl Fn(&Manager) -> String) -> Result<(), TestCaseError> {
        if self.crashes {
            return self.crash(call);
        }
        let before_ms = self.now_ms;
        let twin = self.kind.open(&self.config, before_ms).expect("opens again");
        if !self.online {
            twin.set_online(false, before_ms).expect("a good time");
            self.kind.drain(&twin);
        }
        let said = [&self.steady, &twin].map(&call);
        let drained = [self.steady_kind.drain(&self.steady), self.kind.drain(&twin)];
        let dumps = [&self.steady, &twin].map(|manager| CHANNELS.map(|channel| manager.dump_channel(channel)));
        self.kind.stop(twin);
        self.steady.flush().expect("the store works");
        self.steady_kind.drain(&self.steady);
        same(&said[0], &said[1])?;
        let [steady, restored] = drained;
        same(&format!("{steady:#?}"), &format!("{restored:#?}"))?;
        for (steady, restored) in dumps[0].iter().zip(&dumps[1]) {
            let text = |dump: &Result<String, _>| dump.clone().unwrap_or_else(|error: Error| error.to_string());
            same(&text(steady), &text(restored))?;
        }
        self.take(steady);
        Ok(())
    }

    fn take(&mut self, outputs: Vec<(ChannelId, Output)>) {
        for (channel_id, output) in outputs {
            if let Output::Transmit(transmit) = output {
                let channel = CHANNELS.iter().position(|channel| **channel == *channel_id).unwrap_or(0);
                self.packets.push_back((channel, transmit.bytes.to_vec()));
            }
        }
        while self.packets.len() > 64 {
            self.packets.pop_front();
        }
    }

    fn step(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match *step {
            Step::Send { who: 0, channel, derived } => self.send(channel, derived),
            Step::Send { who, channel, .. } => {
                let id = self.next_id("other", channel);
                let other = &self.others[who - 1];
                if let Ok(wrapped) = other.wrap_outgoing(CHANNELS[channel], Some(&id), id.as_bytes(), self.true_ms) {
                    self.packets.push_back((channel, wrapped.bytes.to_vec()));
                }
                Ok(())
            }
            Step::Arrive { packet, who, again } => self.arrive(packet, who, again),
            Step::Lose { packet } => {
                if !self.packets.is_empty() {
                    self.packets.remove(packet % self.packets.len());
                }
                Ok(())
            }
            Step::Tick { after_ms } => self.tick(after_ms),
            Step::Jump { by_ms, home } => {
                let to_ms = if home { self.true_ms } else { self.now_ms + by_ms };
                if to_ms < self.now_ms {
                    self.now_ms = to_ms;
                    return self.tick(0);
                }
                // Restored before it: time in which nobody runs does not count.
                let ticked = self.both(|manager| format!("{:?} {:?}", manager.tick(to_ms), manager.next_deadline()));
                self.now_ms = to_ms;
                ticked
            }
            Step::Idle => {
                for _ in 0..6 {
                    self.tick(40_000)?;
                }
                Ok(())
            }
            Step::Batch { ref packets } => {
                if self.packets.is_empty() {
                    return Ok(());
                }
                let all: Vec<Vec<u8>> =
                    packets.iter().map(|p| self.packets[p % self.packets.len()].1.clone()).collect();
                let now_ms = self.now_ms;
                self.both(|manager| {
                    let slices: Vec<&[u8]> = all.iter().map(|b| &b[..]).collect();
                    format!("{:?}", manager.unwrap_batch(&slices, now_ms))
                })
            }
            Step::Back { by_ms } => {
                self.now_ms -= by_ms;
                self.tick(0)
            }
            Step::Online(online) => {
                self.online = online;
                let now_ms = self.now_ms;
                self.both(|manager| format!("{:?}", manager.set_online(online, now_ms)))
            }
            Step::Ephemeral { channel } => {
                let now_ms = self.now_ms;
                self.both(|manager| format!("{:?}", manager.wrap_ephemeral(CHANNELS[channel], None, b"typing", now_ms)))
            }
            Step::MarkMet { id } => self.on_id(id, |manager, channel, id, now_ms| {
                format!("{:?}", manager.mark_dependencies_met(channel, &[id], now_ms))
            }),
            Step::Hint { id, len } => self.on_id(id, |manager, channel, id, _| {
                format!("{:?}", manager.set_retrieval_hint(channel, id, &vec![1; len]))
            }),
            Step::Retry { id } => {
                self.on_id(id, |manager, channel, id, now_ms| format!("{:?}", manager.retry(channel, id, now_ms)))
            }
            Step::Cancel { id } => {
                self.on_id(id, |manager, channel, id, now_ms| format!("{:?}", manager.cancel(channel, id, now_ms)))
            }
            Step::Reopen { channel } => self.end_and_open(Manager::close_channel, CHANNELS[channel]),
            Step::Forget { channel } => self.end_and_open(Manager::forget_channel, CHANNELS[channel]),
            Step::Seed { channel, number } => {
                let (channel, now_ms) = (CHANNELS[channel], self.now_ms);
                let id = format!("seeded-{number}");
                let known = sds::manager::Known {
                    message_id: &id,
                    sender_id: "bob",
                    lamport_timestamp_ms: START_MS + number * 100_000,
                    retrieval_hint: None,
                };
                self.both(|manager| format!("{:?}", manager.seed_history(channel, &[known], now_ms)))
            }
        }
    }

    fn end_and_open(
        &mut self,
        end: impl Fn(&Manager, &str) -> Result<(), Error>,
        channel: &str,
    ) -> Result<(), TestCaseError> {
        let now_ms = self.now_ms;
        self.both(|manager| {
            format!("{:?} {:?}", end(manager, channel), manager.open_channel(channel, options(channel), now_ms))
        })
    }

    fn next_id(&mut self, who: &str, channel: usize) -> String {
        self.sent += 1;
        let id = format!("{who}-{}", self.sent);
        self.ids.push((channel, id.clone()));
        id
    }

    fn send(&mut self, channel: usize, derived: bool) -> Result<(), TestCaseError> {
        let id = (!derived).then(|| self.next_id("twin", channel));
        let now_ms = self.now_ms;
        let sent = std::cell::RefCell::new(None);
        self.both(|manager| {
            let wrapped = manager.wrap_outgoing(CHANNELS[channel], id.as_deref(), b"what about the roses?", now_ms);
            if let Ok(wrapped) = &wrapped {
                *sent.borrow_mut() = Some((wrapped.message_id.to_string(), wrapped.bytes.to_vec()));
            }
            format!("{wrapped:?}")
        })?;
        if let Some((id, bytes)) = sent.into_inner() {
            self.ids.push((channel, id));
            if !bytes.is_empty() {
                self.packets.push_back((channel, bytes));
            }
        }
        Ok(())
    }

    fn arrive(&mut self, packet: usize, who: usize, again: bool) -> Result<(), TestCaseError> {
        if self.packets.is_empty() {
            return Ok(());
        }
        let packet = packet % self.packets.len();
        let bytes = self.packets[packet].1.clone();
        if !again {
            self.packets.remove(packet);
        }
        let now_ms = self.now_ms;
        if who == 0 {
            return self.both(|manager| format!("{:?}", manager.unwrap_incoming(&bytes, now_ms)));
        }
        let _ = self.others[who - 1].unwrap_incoming(&bytes, self.true_ms);
        let outputs = self.others[who - 1].drain();
        self.take(outputs);
        Ok(())
    }

    fn tick(&mut self, after_ms: u64) -> Result<(), TestCaseError> {
        let now_ms = self.now_ms + after_ms;
        self.true_ms += after_ms;
        for other in 0..2 {
            self.others[other].tick(self.true_ms).expect("a good time");
            let outputs = self.others[other].drain();
            self.take(outputs);
        }
        // The call comes first: what is restored has the time at which it was stopped.
        let result = self.both(|manager| format!("{:?} {:?}", manager.tick(now_ms), manager.next_deadline()));
        self.now_ms = now_ms;
        result
    }

    fn on_id(&mut self, id: usize, call: impl Fn(&Manager, &str, &str, TimeMs) -> String) -> Result<(), TestCaseError> {
        if self.ids.is_empty() {
            return Ok(());
        }
        let (channel, id) = self.ids[id % self.ids.len()].clone();
        let now_ms = self.now_ms;
        self.both(|manager| call(manager, CHANNELS[channel], &id, now_ms))
    }
}

/// Two texts that have to be equal; tells the lines that are not.
fn same(steady: &str, restored: &str) -> Result<(), TestCaseError> {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (steady, restored) = (lines(steady), lines(restored));
    let differ = steady.iter().zip(&restored).filter(|(a, b)| a != b).take(4).collect::<Vec<_>>();
    prop_assert!(
        steady == restored,
        "never stopped, and restored: {differ:#?}, lines {} {}",
        steady.len(),
        restored.len()
    );
    Ok(())
}

fn run(kind: Kind, profile: Profile, crashes: bool, steps: &[Step]) -> Result<(), TestCaseError> {
    let mut group = Group::new(kind, profile, crashes);
    steps.iter().try_for_each(|step| group.step(step))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases()) })]

    #[test]
    fn restored_from_memory(libsds: bool, steps in proptest::collection::vec(step(), 1..120)) {
        run(Kind::Memory(sds::store::Memory::default()), profile(libsds), false, &steps)?;
    }

    #[test]
    fn restored_from_a_host(libsds: bool, steps in proptest::collection::vec(step(), 1..120)) {
        run(Kind::Host(crate::host::Host::default()), profile(libsds), false, &steps)?;
    }

    #[test]
    fn restored_from_sqlite(libsds: bool, steps in proptest::collection::vec(step(), 1..60)) {
        run(Kind::sqlite(), profile(libsds), false, &steps)?;
    }

    #[test]
    fn crashed_in_memory(libsds: bool, steps in proptest::collection::vec(step(), 1..120)) {
        run(Kind::Memory(sds::store::Memory::default()), profile(libsds), true, &steps)?;
    }

    #[test]
    fn crashed_at_a_host(libsds: bool, steps in proptest::collection::vec(step(), 1..120)) {
        run(Kind::Host(crate::host::Host::default()), profile(libsds), true, &steps)?;
    }

    #[test]
    fn crashed_in_sqlite(libsds: bool, steps in proptest::collection::vec(step(), 1..60)) {
        run(Kind::sqlite(), profile(libsds), true, &steps)?;
    }
}

/// As many as `PROPTEST_CASES` says.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(48)
}

fn profile(libsds: bool) -> Profile {
    if libsds { Profile::Libsds } else { Profile::Rfc }
}
