//! Every seed and every input that ever failed goes through its target's body; and the lists of targets agree.

mod script;
mod seeds;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::{NOW, TARGETS, run, store};
use crate::config::Config;
use crate::manager::Manager;
use crate::output::ChannelOptions;
use crate::record::Kind;
use crate::store::Memory;
use crate::types::Profile;

/// What is committed stays small.
const MOST_FILES: usize = 320;
const MOST_BYTES: usize = 1 << 20;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(name)
}

/// The names in a folder, none if there is no such folder.
fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.expect("an entry").file_name());
    entries.map(|name| name.into_string().expect("names are UTF-8")).collect()
}

/// Runs all inputs in a folder of folders, and tells how many, and of how many bytes.
fn replay(inputs: &Path) -> (usize, usize) {
    let (mut count, mut size) = (0, 0);
    for target in names(inputs) {
        for name in names(&inputs.join(&target)) {
            let bytes = fs::read(inputs.join(&target).join(&name)).expect("a file");
            // Shown only if it fails: the last one is it.
            println!("{target}/{name}");
            run(&target, &bytes);
            (count, size) = (count + 1, size + bytes.len());
        }
    }
    (count, size)
}

/// The seeds as they are made now. With `SDS_FUZZ_SEEDS=write`, as `make fuzz-seeds` sets it, they are also written to
/// where the fuzzers find them.
#[test]
fn seeds() {
    let seeds = seeds::all();
    for seed in &seeds {
        println!("{}/{}", seed.target, seed.name);
        run(seed.target, &seed.bytes);
    }
    for (target, _) in TARGETS {
        assert!(seeds.iter().filter(|seed| seed.target == *target).count() >= 10, "few seeds for {target}");
    }
    if std::env::var("SDS_FUZZ_SEEDS").is_ok_and(|value| value == "write") {
        write(&seeds);
    }
}

fn write(seeds: &[seeds::Seed]) {
    // There are none at first.
    let _ = fs::remove_dir_all(folder("seeds"));
    for seed in seeds {
        let folder = folder("seeds").join(seed.target);
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join(&seed.name), &seed.bytes).expect("a file");
    }
}

#[test]
fn committed_seeds() {
    let (count, size) = replay(&folder("seeds"));
    assert!((40..=MOST_FILES).contains(&count) && size <= MOST_BYTES, "{count} files, {size} bytes");
    assert_eq!(names(&folder("seeds")), TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect());
}

/// Each failed once, before its cause was mended.
#[test]
fn regressions() {
    replay(&folder("regressions"));
}

/// Each body has a program that runs it, and each program is built.
#[test]
fn every_target_has_a_program() {
    let targets: BTreeSet<_> = TARGETS.iter().map(|(name, _)| format!("{name}.rs")).collect();
    assert_eq!(names(&folder("targets")), targets);
    let manifest = fs::read_to_string(folder("Cargo.toml")).expect("the manifest");
    for (target, _) in TARGETS {
        let path = format!("targets/{target}.rs");
        let program = fs::read_to_string(folder(&path)).expect("a program");
        assert!(program.contains(&format!("|bytes: &[u8]| sds::fuzz::run(\"{target}\", bytes)")), "{program}");
        assert!(manifest.contains(&format!("name = \"{target}\"\npath = \"{path}\"")), "{target} is not built");
    }
}

/// The target `ffi` calls every function of the header.
#[test]
fn every_c_function_is_called() {
    let header = include_str!("../../include/sds.h");
    let sources = [include_str!("../ffi/fuzz/calls.rs"), include_str!("../ffi/fuzz/messages.rs")].concat();
    let sources = sources + include_str!("../ffi/fuzz/world.rs") + include_str!("../ffi/fuzz/durable.rs");
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let functions: BTreeSet<&str> = header
        .lines()
        .filter(|line| !line.starts_with("//") && !line.starts_with(" *"))
        .flat_map(|line| line.match_indices('(').map(|(at, _)| &line[..at]))
        .map(|before| before.rsplit(|c| !is_word(c)).next().unwrap_or_default())
        .filter(|name| name.starts_with("sds_"))
        .collect();
    assert!(functions.len() >= 30, "{functions:?}");
    let called: BTreeSet<&str> = sources.split(|c| !is_word(c)).collect();
    assert_eq!(functions.difference(&called).collect::<Vec<_>>(), Vec::<&&str>::new());
}

/// Otherwise some damage would never be done.
#[test]
fn the_damaged_store_has_records_of_every_kind() {
    let left = [Profile::Rfc, Profile::Libsds].map(store::left);
    let kinds: BTreeSet<_> = left.iter().flat_map(|left| &left.records).map(|record| record.1.kind).collect();
    let missing: Vec<_> = (0..15).filter_map(Kind::from_number).filter(|kind| !kinds.contains(kind)).collect();
    assert_eq!(missing, []);
}

/// A damaged number: else as many messages as it says would be deleted, one by one, in the first call.
#[test]
fn a_log_that_says_it_is_endless_takes_no_endless_time() {
    let config = Config { participant_id: "alice".to_owned(), seed: Some(5), ..Config::default() };
    let memory = Memory::default();
    let alice = Manager::open_store(config.clone(), memory.clone(), NOW).expect("opens");
    alice.open_channel("garden", ChannelOptions::default(), NOW).expect("opens");
    alice.flush().expect("memory");
    drop(alice);
    let mut records = memory.all();
    let head = records.iter_mut().find(|record| record.1.kind == Kind::Head && !record.0.is_empty()).expect("a head");
    // Its log, once more: the first number in memory is 2^62.
    head.2.extend([0x0a, 12, 0x62, 10, 0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40]);
    let alice = Manager::open_external(config, records, NOW).expect("opens");
    alice.open_channel("garden", ChannelOptions::default(), NOW).expect("opens");
    alice.wrap_outgoing("garden", Some("new"), b"hello", NOW).expect("wraps");
    let writes = alice.offer().expect("the host's").expect("something").writes;
    assert!((8_192..8_300).contains(&writes.len()), "{} writes", writes.len());
}
