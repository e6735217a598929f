//! A group that chats, measured: P1 to R2, beside their bounds, and what it costs.
//!
//! Messages are of 200 bytes, by any member; the gaps between them are exponential with a mean of S / 2, and no longer than
//! S. Packets take 50 ms and more, 150 ms on average, and are lost independently of one another.

use std::time::Instant;

use clap::ValueEnum;
use serde::Serialize;

use crate::check::Violation;
use crate::figures::{Figures, KINDS, S_MS, Share, Times};
use crate::scenario::{Delay, Engine, Format, Keeping, Loss, SECOND, Scenario, Speech, StoreNode, Weather};
use crate::world::{Manner, World};

/// Messages at the beginning and at the end that no figure counts: about a minute each.
const UNMEASURED: (u32, u32) = (24, 24);
/// After the last message.
const AFTERMATH_MS: u64 = 7 * S_MS;

/// Who repairs what is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Repair {
    /// A store node that everybody can ask, and the members.
    Store,
    /// The members alone (SDS-R).
    Sdsr,
    /// Nobody, but for senders that send again.
    Neither,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    Rfc,
    Libsds,
}

/// What is measured.
#[derive(Clone, Debug)]
pub struct Case {
    pub participants: u32,
    pub loss_percent: f64,
    pub seed: u64,
    pub repair: Repair,
    pub profile: Profile,
    /// Messages that count.
    pub messages: u32,
    pub speech: Option<Speech>,
    /// Settings of the engine, as `name=value`.
    pub set: Vec<String>,
}

/// Messages enough for a group of that size: what is delivered in all grows slowly with it.
pub fn messages_for(participants: u32) -> u32 {
    match participants {
        0..=30 => 2_000,
        31..=300 => 1_000,
        301..=3_000 => 400,
        _ => 200,
    }
}

/// A name as the command line and the report have it.
pub fn name(of: &impl ValueEnum) -> String {
    of.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}

impl Case {
    pub fn new(participants: u32, repair: Repair, profile: Profile, seed: u64) -> Self {
        let messages = messages_for(participants);
        Self { participants, loss_percent: 10.0, seed, repair, profile, messages, speech: None, set: Vec::new() }
    }

    pub fn scenario(&self) -> Result<Scenario, String> {
        let ppm = (self.loss_percent * 10_000.0).round() as u32;
        let all = self.messages + UNMEASURED.0 + UNMEASURED.1;
        let poisson = Speech::Poisson {
            messages: all,
            mean_ms: S_MS / 2,
            cap_ms: S_MS,
            speakers: self.participants,
            least_bytes: 200,
            most_bytes: 200,
        };
        let mut scenario = Scenario {
            seed: self.seed,
            participants: self.participants,
            format: match self.profile {
                Profile::Rfc => Format::Rfc,
                Profile::Libsds => Format::Libsds,
            },
            weather: Weather {
                loss: Loss::Independent { ppm },
                delay: Delay::Exponential { least_ms: 50, mean_ms: 150, most_ms: 2 * SECOND },
                doubled_ppm: 0,
                echoed_ppm: 0,
                late_ppm: 0,
                late_ms: 0,
            },
            store: (self.repair == Repair::Store).then_some(StoreNode {
                least_ms: 100,
                most_ms: 500,
                retry_ms: 2 * SECOND,
                lost_ppm: 0,
            }),
            speech: self.speech.clone().unwrap_or(poisson),
            engine: self.engine(),
            incidents: Vec::new(),
            skew_ms: 0,
            keeping: Keeping::Memory,
        };
        self.set.iter().try_for_each(|setting| scenario.set(setting))?;
        Ok(scenario)
    }

    /// The defaults, but for what a log may hold: of a large group every member is in one memory. Messages leave a log
    /// by name only when it has seen as many after them as it holds.
    fn engine(&self) -> Engine {
        let default = Engine::default();
        let members = self.participants as usize;
        Engine {
            log_messages: default.log_messages.min((2_000_000 / members.max(1)).max(64)),
            log_bytes: default.log_bytes.min((1 << 30) / members.max(1)),
            repair: self.repair != Repair::Neither,
            ..default
        }
    }
}

/// What came out.
#[derive(Debug, Serialize)]
pub struct Measured {
    pub participants: u32,
    pub loss_percent: f64,
    pub seed: u64,
    pub repair: Repair,
    pub profile: Profile,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub set: Vec<String>,
    pub messages: u64,
    pub missed: u64,
    pub p1: Option<f64>,
    pub p1_bound: Option<f64>,
    pub p2: Option<f64>,
    pub p2_bound: Option<f64>,
    pub p2_log: Option<f64>,
    pub p3: Option<f64>,
    pub p3_bound: Option<f64>,
    pub p3_everything: Option<f64>,
    pub r1: Option<f64>,
    pub r2: Option<f64>,
    pub wrongly_sure: u64,
    pub bytes_per_message: f64,
    pub packets_per_message: f64,
    pub syncs_per_minute: f64,
    pub resends_per_message: f64,
    pub requests_per_minute: f64,
    pub answers_per_request: Option<f64>,
    pub fetches_per_message: f64,
    /// The time within which half, and 99 in a hundred, of all senders were sure.
    pub sure_ms: [Option<u64>; 2],
    /// Of all that was missed, the same.
    pub detected_ms: [Option<u64>; 2],
    pub packets: Vec<(&'static str, u64)>,
    pub deliveries: u64,
    pub received: u64,
    pub digest: String,
    pub times: AllTimes,
    /// Packets by kind in every ten seconds.
    pub traffic: Vec<[u32; 6]>,
    #[serde(skip)]
    pub seconds: f64,
    #[serde(skip)]
    pub heap_per_participant: usize,
}

#[derive(Debug, Serialize)]
pub struct AllTimes {
    pub sure: Times,
    pub sure_bound: Times,
    pub detected: Times,
    pub detected_bound: Times,
    pub had: Times,
}

/// Runs a case. `heap` tells how many bytes are in use, `progress` is told how much of the time has passed.
pub fn measure(case: &Case, heap: fn() -> usize, mut progress: impl FnMut(u64, u64)) -> Result<Measured, String> {
    let scenario = case.scenario()?;
    let before = heap();
    let started = Instant::now();
    let failed = |violation: Violation| violation.to_string();
    let manner = Manner { audit_every: 1_009, unmeasured: UNMEASURED, ..Manner::default() };
    let mut world = World::new(&scenario, manner).map_err(failed)?;
    let total_ms = world.last_saying_ms() + AFTERMATH_MS;
    let mut most = heap();
    for step in 1..=100 {
        world.run_until(total_ms * step / 100, &mut |deliveries| progress(step, deliveries)).map_err(failed)?;
        most = most.max(heap());
        progress(step, world.figures().deliveries);
    }
    let seconds = started.elapsed().as_secs_f64();
    let heap_per_participant = most.saturating_sub(before) / case.participants as usize;
    Ok(Measured { seconds, heap_per_participant, ..measured(case, world.figures(), world.digest()) })
}

fn measured(case: &Case, figures: &Figures, digest: String) -> Measured {
    let share = |part: u64, all: u64| Share { part, all }.value();
    let messages = figures.messages.max(1) as f64;
    let minutes = (figures.until_ms.saturating_sub(figures.from_ms)) as f64 / 60_000.0;
    let packets = figures.packets;
    let quantiles = |times: &Times, all: u64| [times.within(0.5, all), times.within(0.99, all)];
    Measured {
        participants: case.participants,
        loss_percent: case.loss_percent,
        seed: case.seed,
        repair: case.repair,
        profile: case.profile,
        set: case.set.clone(),
        messages: figures.messages,
        missed: figures.missed,
        p1: share(figures.p1, figures.messages),
        p1_bound: share(figures.p1_bound, figures.messages),
        p2: share(figures.p2, figures.missed),
        p2_bound: share(figures.p2_bound, figures.missed),
        p2_log: share(figures.p2_log, figures.missed),
        p3: share(figures.p3, figures.pairs()),
        p3_bound: share(figures.p3_bound, figures.pairs()),
        p3_everything: figures.p3_everything.value(),
        r1: figures.r1.value(),
        r2: figures.r2.value(),
        wrongly_sure: figures.wrongly_sure,
        bytes_per_message: figures.bytes.iter().sum::<u64>() as f64 / messages,
        packets_per_message: packets.iter().sum::<u64>() as f64 / messages,
        syncs_per_minute: (packets[2] + packets[3]) as f64 / minutes,
        resends_per_message: packets[1] as f64 / messages,
        requests_per_minute: packets[3] as f64 / minutes,
        answers_per_request: share(packets[4], figures.requests),
        fetches_per_message: figures.fetches as f64 / messages,
        sure_ms: quantiles(&figures.sure, figures.messages),
        detected_ms: quantiles(&figures.detected, figures.missed),
        packets: KINDS.into_iter().zip(packets).collect(),
        deliveries: figures.deliveries,
        received: figures.received,
        digest,
        times: AllTimes {
            sure: figures.sure.clone(),
            sure_bound: figures.sure_bound.clone(),
            detected: figures.detected.clone(),
            detected_bound: figures.detected_bound.clone(),
            had: figures.had.clone(),
        },
        traffic: figures.traffic.clone(),
        seconds: 0.0,
        heap_per_participant: 0,
    }
}

/// A line for people.
pub fn heading() -> String {
    format!(
        "{:>6} {:>5} {:>7} {:>6} | {:>6} {:>6} | {:>6} {:>6} {:>6} | {:>7} {:>7} {:>6} | {:>5} {:>5} | {:>7} {:>6} {:>8} {:>6} {:>6} {:>7} | {:>8} {:>7}",
        "people",
        "loss",
        "repair",
        "format",
        "P1",
        "bound",
        "P2",
        "log",
        "bound",
        "P3",
        "bound",
        "all",
        "R1",
        "R2",
        "bytes",
        "sent",
        "sync/min",
        "resent",
        "asked",
        "answers",
        "sure/99",
        "det/99"
    )
}

pub fn line(it: &Measured) -> String {
    let percent = |share: Option<f64>, digits| {
        share.map_or_else(|| "-".to_owned(), |share| format!("{:.digits$}", share * 100.0))
    };
    let seconds = |ms: Option<u64>| ms.map_or_else(|| "-".to_owned(), |ms| format!("{:.2}", ms as f64 / 1_000.0));
    format!(
        "{:>6} {:>5} {:>7} {:>6} | {:>6} {:>6} | {:>6} {:>6} {:>6} | {:>7} {:>7} {:>6} | {:>5} {:>5} | {:>7.0} {:>6.2} {:>8.1} {:>6.2} {:>6.1} {:>7} | {:>8} {:>7}",
        it.participants,
        it.loss_percent,
        name(&it.repair),
        name(&it.profile),
        percent(it.p1, 2),
        percent(it.p1_bound, 2),
        percent(it.p2, 2),
        percent(it.p2_log, 2),
        percent(it.p2_bound, 2),
        percent(it.p3, 3),
        percent(it.p3_bound, 3),
        percent(it.p3_everything, 1),
        percent(it.r1, 1),
        percent(it.r2, 1),
        it.bytes_per_message,
        it.packets_per_message,
        it.syncs_per_minute,
        it.resends_per_message,
        it.requests_per_minute,
        it.answers_per_request.map_or_else(|| "-".to_owned(), |answers| format!("{answers:.2}")),
        seconds(it.sure_ms[1]),
        seconds(it.detected_ms[1]),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(loss_percent: f64, repair: Repair) -> Case {
        let (participants, seed, profile, messages) = (12, 5, Profile::Libsds, 60);
        Case { participants, loss_percent, seed, repair, profile, messages, speech: None, set: Vec::new() }
    }

    #[test]
    fn without_loss_all_is_known_and_here() {
        let measured = measure(&case(0.0, Repair::Neither), || 0, |_, _| ()).unwrap();
        assert_eq!((measured.messages, measured.missed, measured.p2), (60, 0, None));
        assert_eq!(
            (measured.p1, measured.p1_bound, measured.p3, measured.p3_everything),
            (Some(1.0), Some(1.0), Some(1.0), Some(1.0))
        );
        assert!(measured.bytes_per_message > 200.0 && measured.packets_per_message >= 1.0);
    }

    #[test]
    fn no_figure_exceeds_its_bound_and_a_run_is_measured_the_same_twice() {
        for repair in [Repair::Store, Repair::Sdsr, Repair::Neither] {
            let it = measure(&case(20.0, repair), || 0, |_, _| ()).unwrap();
            // A fifth of 60 messages, to eleven others each.
            assert!((80..190).contains(&it.missed), "{}", it.missed);
            for (figure, bound) in [(it.p1, it.p1_bound), (it.p2, it.p2_bound), (it.p3, it.p3_bound)] {
                assert!(figure.unwrap() <= bound.unwrap() && bound.unwrap() <= 1.0, "{figure:?} of {bound:?}");
            }
            assert!(it.p3_everything.unwrap() <= it.p3.unwrap());
            let again = measure(&case(20.0, repair), || 0, |_, _| ()).unwrap();
            assert_eq!(serde_json::to_string(&it).unwrap(), serde_json::to_string(&again).unwrap());
        }
    }
}
