//! A process that is killed at any moment forgets nothing that it sent, and delivers nothing twice.
//!
//! The test starts itself as a child, which sends and receives on a database file and says what it did, line by line, and
//! kills it somewhere. Then it opens the file and compares. `SDS_CRASH_ROUNDS` says how often.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use sds::Manager;
use sds::config::Config;
use sds::output::{ChannelOptions, Disposition, Event, MessageState, Output, TransmitReason};
use sds::store::{Sqlite, Synchronous};
use sds::types::{Profile, TimeMs};

const NOW_MS: TimeMs = 1_790_000_000_000;
const CHANNEL: &str = "garden";
/// What a round adds to the time.
const ROUND_MS: u64 = 60_000;

fn config(who: &str, seed: u64) -> Config {
    Config {
        participant_id: who.to_owned(),
        seed: Some(seed),
        profile: Profile::Libsds,
        log_messages: 50,
        seen_limit: 50,
        ..Config::default()
    }
}

fn open(path: &Path, now_ms: TimeMs) -> Manager {
    // What survives the process survives without waiting for the disk.
    let store = Sqlite::open(path, Synchronous::Off).expect("the file is never damaged");
    let alice = Manager::open_store(config("alice", 1), store, now_ms).expect("opens");
    alice.open_channel(CHANNEL, ChannelOptions::default(), now_ms).expect("opens");
    alice
}

fn rounds() -> u64 {
    std::env::var("SDS_CRASH_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(25)
}

#[test]
fn killed_at_any_moment() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sds.db");
    let mut rng = fastrand::Rng::with_seed(20);
    let (mut sent, mut delivered) = (BTreeSet::new(), BTreeMap::new());
    for round in 0..rounds() {
        let kill_after = rng.usize(1..120);
        for line in run_child(&path, round, kill_after) {
            let mut words = line.split(' ');
            match (words.next(), words.next(), words.next()) {
                (Some("sent"), Some(id), _) => {
                    sent.insert(id.to_owned());
                }
                (Some("delivered"), Some(id), Some(bytes)) => {
                    let bytes = hex::decode(bytes).expect("as written");
                    assert!(delivered.insert(id.to_owned(), bytes).is_none(), "round {round}: {id} is delivered twice");
                }
                _ => panic!("{line:?}"),
            }
        }
        check(&path, round, &sent, &delivered);
    }
    println!("{} rounds: {} sent, {} delivered", rounds(), sent.len(), delivered.len());
    assert!(sent.len() as u64 > rounds() && delivered.len() as u64 > rounds());
}

/// Runs the child and kills it once it has said so much. Returns what it said in whole lines.
fn run_child(path: &Path, round: u64, kill_after: usize) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "child", "--ignored", "--nocapture", "--quiet"])
        .env("SDS_CRASH_FILE", path)
        .env("SDS_CRASH_ROUND", round.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .expect("starts");
    let mut reader = BufReader::new(child.stdout.take().expect("piped"));
    let mut lines = Vec::new();
    let mut line = String::new();
    while reader.read_line(&mut line).expect("reads") > 0 {
        // The last line may be cut.
        if let Some(said) = line.strip_suffix('\n').and_then(|line| line.strip_prefix("> ")) {
            lines.push(said.to_owned());
            if lines.len() == kill_after {
                child.kill().expect("SIGKILL");
            }
        }
        line.clear();
    }
    let status = child.wait().expect("ends");
    assert!(lines.len() >= kill_after && !status.success(), "round {round}: the child ended by itself: {status}");
    lines
}

/// Opens what the killed child left.
fn check(path: &Path, round: u64, sent: &BTreeSet<String>, delivered: &BTreeMap<String, Vec<u8>>) {
    let now_ms = NOW_MS + round * ROUND_MS + ROUND_MS / 2;
    let alice = open(path, now_ms);
    let mut log = BTreeSet::new();
    let mut after: Option<(u64, String)> = None;
    loop {
        let page = alice.read_log(CHANNEL, after.as_ref().map(|(ms, id)| (*ms, id.as_str())), 500).expect("reads");
        for entry in &page.entries {
            assert!(
                log.insert(entry.message_id.to_string()),
                "round {round}: {} is twice in the log",
                entry.message_id
            );
        }
        after = page.entries.last().map(|last| (last.lamport_timestamp_ms, last.message_id.to_string()));
        if !page.more {
            break;
        }
    }
    for id in sent.iter().chain(delivered.keys()) {
        assert!(log.contains(id), "round {round}: {id} is forgotten");
    }
    let dump = alice.dump_channel(CHANNEL).expect("open");
    let dump: serde_json::Value = serde_json::from_str(&dump).expect("JSON");
    for missing in dump["missing"].as_array().expect("a list") {
        let id = missing["message_id"].as_str().expect("an id");
        assert!(!delivered.contains_key(id), "round {round}: {id} was delivered, and is missing");
    }
    // What nobody acknowledged is sent again. What was given up or acknowledged long ago is not.
    let state = |id: &String| alice.message_status(CHANNEL, id).map(|status| status.state).ok();
    let waiting =
        |id: &&String| matches!(state(id), Some(MessageState::Unacknowledged | MessageState::PossiblyAcknowledged));
    let hoped: BTreeSet<_> = sent.iter().filter(waiting).cloned().collect();
    let latest = format!("a-{round}-");
    let known = sent.iter().filter(|id| id.starts_with(&latest)).all(|id| state(id).is_some());
    assert!(known, "round {round}: a message of this round has no state");
    let mut resent = BTreeSet::new();
    for minutes in 1..30 {
        alice.tick(now_ms + minutes * 60_000).expect("ticks");
        for (_, output) in alice.drain() {
            match output {
                Output::Transmit(it) if it.reason == TransmitReason::Resend => {
                    resent.insert(it.message_id.to_string());
                }
                Output::Event(Event::Failed { message_id } | Event::Unconfirmed { message_id, .. }) => {
                    resent.insert(message_id.to_string());
                }
                _ => {}
            }
        }
    }
    assert!(hoped.is_subset(&resent), "round {round}: {:?} are not sent again", hoped.difference(&resent));
    for (id, bytes) in delivered {
        let again = alice.unwrap_incoming(bytes, now_ms).expect("good");
        assert_eq!(again.disposition, Disposition::Duplicate, "round {round}: {id}");
    }
    // Dropped without a word, as by the next crash; what it did is committed where it has to be.
}

/// The child: talks to members who are gone with it, and says what it handed out.
#[test]
#[ignore = "run by killed_at_any_moment"]
fn child() {
    let (Ok(path), Ok(round)) = (std::env::var("SDS_CRASH_FILE"), std::env::var("SDS_CRASH_ROUND")) else { return };
    let round: u64 = round.parse().expect("a number");
    let mut now_ms = NOW_MS + round * ROUND_MS;
    let alice = open(Path::new(&path), now_ms);
    let mut rng = fastrand::Rng::with_seed(round);
    let bob = Manager::open(config(&format!("bob-{round}"), round)).expect("opens");
    bob.open_channel(CHANNEL, ChannelOptions::default(), now_ms).expect("opens");
    let mut held: Vec<Vec<u8>> = Vec::new();
    let mut received: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for number in 0_u64.. {
        now_ms += 1;
        match rng.u8(0..10) {
            0..4 => {
                let id = format!("a-{round}-{number}");
                let wrapped = alice.wrap_outgoing(CHANNEL, Some(&id), id.as_bytes(), now_ms).expect("wraps");
                say(&format!("sent {id}"));
                if rng.bool() {
                    let _ = bob.unwrap_incoming(&wrapped.bytes, now_ms);
                }
            }
            4..7 => {
                let id = format!("b-{round}-{number}");
                let wrapped = bob.wrap_outgoing(CHANNEL, Some(&id), id.as_bytes(), now_ms).expect("wraps");
                held.push(wrapped.bytes.to_vec());
            }
            7..9 if !held.is_empty() => {
                let bytes = held.swap_remove(rng.usize(..held.len()));
                let unwrapped = alice.unwrap_incoming(&bytes, now_ms).expect("good");
                let id = unwrapped.message_id.to_owned();
                if matches!(unwrapped.disposition, Disposition::Delivered | Disposition::Late) {
                    say(&format!("delivered {id} {}", hex::encode(&bytes)));
                }
                received.insert(id, bytes.clone());
            }
            _ => alice.tick(now_ms).expect("ticks"),
        }
        for (_, output) in alice.drain() {
            if let Output::Event(Event::Delivered(it)) = output
                // One of an earlier round was said then to wait, and its bytes went with that process.
                && let Some(bytes) = received.get(&*it.message_id)
            {
                say(&format!("delivered {} {}", it.message_id, hex::encode(bytes)));
            }
        }
    }
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "> {line}").and_then(|()| out.flush()).expect("the parent listens");
}
