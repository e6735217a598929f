//! A channel under flood: two honest members who talk, and an attacker whom both hear.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use sds::output::{ChannelOptions, ChannelStatus, Disposition, Event, Output};
use sds::{Config, Manager};

use super::attack::{Attacker, CHANNEL};

const START_MS: u64 = 1_780_000_000_000;
/// Hostile messages between two honest ones.
const PER_HONEST: usize = 200;
/// Of these, how many lie between an honest message and the answer to it.
const BEFORE_ANSWER: usize = 20;
/// Messages in a second.
const PER_SECOND: usize = 1_000;

/// Tells the bytes that are allocated now; 0 where nobody counts.
pub type Live = fn() -> usize;

/// An honest member.
struct Honest {
    name: &'static str,
    manager: Manager,
    /// Bytes that it allocated and has not freed.
    held: isize,
    most_held: isize,
    live: Live,
    spent: Duration,
    sent: usize,
    acknowledged: BTreeSet<String>,
    /// Honest messages of the other that it got, at once or later.
    delivered: BTreeSet<String>,
}

/// What came of it.
pub struct Outcome {
    /// The most bytes that a member held.
    pub most_held: usize,
    /// What a message costs in the last tenth of the flood, by what it costs in the first.
    #[allow(dead_code)] // No test asserts a time.
    pub flat: f64,
    /// Messages of the honest members, and how many of these were delivered and acknowledged.
    pub sent: usize,
    pub delivered: usize,
    pub acknowledged: usize,
    /// The counts of the member who holds more.
    pub status: ChannelStatus,
}

impl Honest {
    fn new(name: &'static str, live: Live) -> Self {
        let seed = name.bytes().fold(1, |seed: u64, byte| seed * 31 + u64::from(byte));
        let before = live();
        let config = Config { participant_id: name.to_owned(), seed: Some(seed), ..Config::default() };
        let manager = Manager::open(config).expect("a valid configuration");
        manager.open_channel(CHANNEL, ChannelOptions::default(), START_MS).expect("a new channel");
        let held = live() as isize - before as isize;
        let (sent, spent) = (0, Duration::ZERO);
        let (acknowledged, delivered) = (BTreeSet::new(), BTreeSet::new());
        Self { name, manager, held, most_held: held, live, spent, sent, acknowledged, delivered }
    }

    /// Runs a call, and sees what it leaves allocated.
    fn call<T>(&mut self, call: impl FnOnce(&Manager) -> T) -> T {
        let before = (self.live)();
        let started = Instant::now();
        let result = call(&self.manager);
        self.spent += started.elapsed();
        self.held += (self.live)() as isize - before as isize;
        self.most_held = self.most_held.max(self.held);
        result
    }

    fn send(&mut self, now_ms: u64) -> (String, Vec<u8>) {
        let id = format!("{}-{:0>40}", self.name, self.sent);
        self.sent += 1;
        let wrapped = self.call(|it| {
            let wrapped = it.wrap_outgoing(CHANNEL, Some(&id), format!("content of {id}").as_bytes(), now_ms);
            wrapped.expect("room").bytes.to_vec()
        });
        // What was copied out is not held by the member.
        self.held -= wrapped.capacity() as isize;
        (id, wrapped)
    }

    fn receive(&mut self, bytes: &[u8], now_ms: u64) {
        let id = self.call(|it| {
            let unwrapped = it.unwrap_incoming(bytes, now_ms).ok()?;
            let shown = matches!(unwrapped.disposition, Disposition::Delivered | Disposition::Late);
            let real = unwrapped.content == format!("content of {}", unwrapped.message_id).as_bytes();
            (shown && real).then_some(unwrapped.message_id)
        });
        self.delivered.extend(id.map(str::to_owned));
    }

    /// Drains, and returns what is to be broadcast.
    fn drain(&mut self) -> Vec<Vec<u8>> {
        let (mut transmits, mut facts) = (Vec::new(), Vec::new());
        // Looked at in place: what is drained belongs to the member until it is dropped.
        let before = (self.live)();
        self.manager.drain_while(|_, output| {
            match output {
                Output::Transmit(transmit) => transmits.push(transmit.bytes.to_vec()),
                Output::Event(Event::Acknowledged { message_id }) => facts.push((true, message_id.to_string())),
                Output::Event(Event::Delivered(it)) if it.content.starts_with(b"content of ") => {
                    facts.push((false, it.message_id.to_string()));
                }
                Output::Event(_) => {}
            }
            true
        });
        let copies = transmits.iter().map(Vec::capacity).sum::<usize>()
            + facts.iter().map(|fact| fact.1.capacity()).sum::<usize>()
            + transmits.capacity() * size_of::<Vec<u8>>()
            + facts.capacity() * size_of::<(bool, String)>();
        self.held += (self.live)() as isize - before as isize - copies as isize;
        for (acknowledged, id) in facts {
            if acknowledged {
                self.acknowledged.insert(id)
            } else {
                self.delivered.insert(id)
            };
        }
        transmits
    }
}

/// Floods two honest members with `count` hostile messages, then lets them finish.
pub fn run(count: usize, live: Live) -> Outcome {
    let (mut alice, mut bob) = (Honest::new("alice", live), Honest::new("bob", live));
    let mut attacker = Attacker::new(7);
    // What it takes to take messages in, by what it takes to make them up, which stays the same: side by side, so that
    // what else the machine does slows both.
    let mut costs = Vec::with_capacity(count / PER_HONEST + 1);
    let mut making = Duration::ZERO;
    let mut now_ms = START_MS;
    for number in 0..count {
        now_ms = START_MS + (number * 1_000 / PER_SECOND) as u64;
        match number % PER_HONEST {
            0 => {
                let taking_in = std::mem::take(&mut alice.spent);
                costs.push(taking_in.as_secs_f64() / std::mem::take(&mut making).as_secs_f64());
                say(&mut alice, &mut bob, &mut attacker, now_ms);
            }
            BEFORE_ANSWER => say(&mut bob, &mut alice, &mut attacker, now_ms),
            _ => {}
        }
        let started = Instant::now();
        let bytes = attacker.next(now_ms);
        making += started.elapsed();
        alice.receive(&bytes, now_ms);
        bob.receive(&bytes, now_ms);
        exchange(&mut alice, &mut bob, now_ms, number % 100 == 0);
    }
    // The flood is over: resends and confirmations settle what is open.
    for _ in 0..300 {
        now_ms += 1_000;
        exchange(&mut alice, &mut bob, now_ms, true);
    }
    outcome(&alice, &bob, &costs)
}

fn say(who: &mut Honest, other: &mut Honest, attacker: &mut Attacker, now_ms: u64) {
    let (id, bytes) = who.send(now_ms);
    attacker.overhear(&id, &bytes);
    other.receive(&bytes, now_ms);
}

/// What either has to broadcast, the other gets.
fn exchange(alice: &mut Honest, bob: &mut Honest, now_ms: u64, ticks: bool) {
    for _ in 0..2 {
        if ticks {
            alice.call(|it| it.tick(now_ms)).expect("room");
            bob.call(|it| it.tick(now_ms)).expect("room");
        }
        let (from_alice, from_bob) = (alice.drain(), bob.drain());
        from_alice.iter().for_each(|bytes| bob.receive(bytes, now_ms));
        from_bob.iter().for_each(|bytes| alice.receive(bytes, now_ms));
        if from_alice.is_empty() && from_bob.is_empty() {
            return;
        }
    }
}

fn outcome(alice: &Honest, bob: &Honest, costs: &[f64]) -> Outcome {
    let count_of = |who: &Honest, ids: &BTreeSet<String>| ids.iter().filter(|id| id.starts_with(who.name)).count();
    let tenth = (costs.len() / 10).max(1);
    // The first of all is of no message yet.
    let (first, last) = (median(&costs[1..=tenth.min(costs.len() - 1)]), median(&costs[costs.len() - tenth..]));
    let more = if alice.most_held > bob.most_held { alice } else { bob };
    Outcome {
        most_held: more.most_held.max(0) as usize,
        flat: last / first,
        sent: alice.sent + bob.sent,
        delivered: count_of(alice, &bob.delivered) + count_of(bob, &alice.delivered),
        acknowledged: count_of(alice, &alice.acknowledged) + count_of(bob, &bob.acknowledged),
        status: more.manager.channel_status(CHANNEL).expect("open"),
    }
}

/// The middle one, so that what disturbed a few of them does not count.
fn median(costs: &[f64]) -> f64 {
    let mut costs = costs.to_vec();
    costs.sort_by(f64::total_cmp);
    costs.get(costs.len() / 2).copied().unwrap_or(f64::NAN)
}
