//! The house rules, which no compiler checks: who may use whom, that time and chance come from outside, which file owns
//! which part of RFC 109, and a few more. Each rule is a function from a tree of files to complaints; the tests at the
//! end run it on made-up trees, to show that it can fail.

mod source;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// Files by their path from the top of the repository.
type Tree = BTreeMap<String, String>;

/// Whether a module may use another. Both as `unit` names them.
fn may_use(user: &str, used: &str) -> bool {
    const LEAVES: &[&str] = &["bloom", "config", "error", "idhash", "locks", "output", "record", "types"];
    const STATE: &[&str] = &[
        "channel::clock",
        "channel::ids",
        "channel::incoming",
        "channel::log",
        "channel::outgoing",
        "channel::pace",
        "channel::repair",
        "channel::retention",
        "channel::sync",
        "channel::tally",
        "channel::whole",
    ];
    // What every state file may use: the clock's units, hashed ids, the pace of resends, sums of sizes, messages kept whole.
    const SHARED: &[&str] = &["channel::clock", "channel::ids", "channel::pace", "channel::tally", "channel::whole"];
    let leaf = LEAVES.contains(&used);
    match user {
        "lib" => true,
        "types" | "error" | "idhash" | "locks" => false,
        "config" => matches!(used, "types" | "error"),
        "output" => used == "types",
        "record" => matches!(used, "types" | "idhash"),
        "wire" => matches!(used, "types" | "config" | "error"),
        "bloom" => matches!(used, "types" | "config" | "error" | "record"),
        "store" => matches!(used, "types" | "error" | "idhash" | "locks" | "record"),
        "inspect" => matches!(used, "wire" | "bloom" | "types" | "config" | "error"),
        // It has to find the content in bytes of our own.
        "channel::whole" => leaf || ["wire", "channel::clock"].contains(&used),
        state if STATE.contains(&state) => leaf || SHARED.contains(&used),
        "channel" => leaf || STATE.contains(&used),
        "channel::send" | "channel::receive" | "channel::requests" | "channel::seed" | "channel::dump"
        | "channel::durable" | "channel::ahead" => leaf || used == "channel" || STATE.contains(&used),
        "channel::tick" => {
            leaf || STATE.contains(&used) || matches!(used, "channel" | "channel::send" | "channel::receive")
        }
        "manager" => leaf && used != "bloom" || matches!(used, "wire" | "channel" | "store"),
        "ffi" => leaf && used != "bloom" || matches!(used, "manager" | "inspect" | "store"),
        // Bodies for fuzzers, in no library: they use everything, and nobody uses them.
        "fuzz" => leaf || matches!(used, "wire" | "manager" | "inspect" | "ffi" | "store"),
        _ => false,
    }
}

/// Sections of the RFC that a file must own, and no two files may.
const RFC_HEADINGS: &[&str] = &[
    "Message",
    "SDS-R message fields",
    "Participant state",
    "Participant state: bloom filter",
    "Send Message",
    "Ephemeral Messages",
    "Receive Message",
    "Deliver Message",
    "Resolve Conflicts",
    "Review ACK Status",
    "Periodic Incoming Buffer Sweep",
    "Periodic Outgoing Buffer Sweep",
    "Periodic Sync Message",
    "SDS-R global state",
    "SDS-R participant state: augmented local history log",
    "SDS-R participant state: incoming repair request buffer",
    "SDS-R participant state: outgoing repair request buffer",
    "SDS-R send message",
    "SDS-R receive message",
    "Determine T_req",
    "Determine T_resp",
    "Determine response group",
    "SDS-R incoming repair request buffer sweep",
    "SDS-R Periodic Sync Message",
];

/// Files of the protocol that own no section: what they hold serves the owners.
const RFC_SERVANTS: &[&str] = &[
    "src/channel/ahead.rs",
    "src/channel/clock.rs",
    "src/channel/dump.rs",
    "src/channel/durable.rs",
    "src/channel/ids.rs",
    "src/channel/incoming.rs",
    "src/channel/pace.rs",
    "src/channel/retention.rs",
    "src/channel/seed.rs",
    "src/channel/sync.rs",
    "src/channel/tally.rs",
];

const MOST_LINES: usize = 500;

// ---- Trees -----------------------------------------------------------------------------------------------------------

/// The module that a file of src is: `["channel", "log"]`; lib.rs is the empty path.
fn module_of(path: &str) -> Vec<String> {
    let path = path.trim_start_matches("src/").trim_end_matches(".rs");
    let mut parts: Vec<String> = path.split('/').map(str::to_owned).collect();
    if parts.last().is_some_and(|last| last == "mod" || (last == "lib" && parts.len() == 1)) {
        parts.pop();
    }
    parts
}

/// Rust files of src that are no tests.
fn engine(tree: &Tree) -> impl Iterator<Item = (&str, &str)> {
    let wanted = |path: &str| {
        path.starts_with("src/") && path.ends_with(".rs") && !path.ends_with("/tests.rs") && !path.contains("/tests/")
    };
    tree.iter().map(|(path, text)| (path.as_str(), text.as_str())).filter(move |(path, _)| wanted(path))
}

/// What the table of arrows calls a module: folders are one unit, but the parts of the channel are units of their own.
fn unit(module: &[String]) -> String {
    match module {
        [] => "lib".to_owned(),
        [first, part, ..] if first == "channel" => format!("channel::{part}"),
        [first, ..] => first.clone(),
    }
}

// ---- (a) Arrows ------------------------------------------------------------------------------------------------------

fn arrows(tree: &Tree) -> Vec<String> {
    let modules: Vec<Vec<String>> =
        tree.keys().filter(|path| path.starts_with("src/")).map(|path| module_of(path)).collect();
    let exports = exports(tree, &modules);
    let mut complaints = Vec::new();
    for (path, text) in engine(tree) {
        let here = module_of(path);
        for named in source::paths(&source::without_reexports(source::code(text))) {
            let Some(absolute) = absolute(&here, &named, &modules) else { continue };
            let Some(target) = target(&absolute, &modules, &exports) else {
                complaints.push(format!("{path}: what is {}?", named.join("::")));
                continue;
            };
            let (user, used) = (unit(&here), unit(&target));
            if user != used && !may_use(&user, &used) {
                complaints.push(format!("{path}: {user} must not use {used} ({})", named.join("::")));
            }
        }
    }
    complaints.sort();
    complaints.dedup();
    complaints
}

/// A path from the top of the crate; `None` if it leads outside it.
fn absolute(here: &[String], named: &[String], modules: &[Vec<String>]) -> Option<Vec<String>> {
    let mut base = here.to_vec();
    let mut rest = named;
    match named.first()?.as_str() {
        "crate" => {
            base.clear();
            rest = &named[1..];
        }
        "self" => rest = &named[1..],
        "super" => {
            while rest.first().is_some_and(|part| part == "super") {
                base.pop();
                rest = &rest[1..];
            }
        }
        // A child module, named without `self`.
        child => {
            let child = [here, &[child.to_owned()]].concat();
            modules.contains(&child).then_some(())?;
        }
    }
    base.extend(rest.iter().filter(|part| *part != "self" && *part != "*").cloned());
    Some(base)
}

/// The module that a path leads to: as much of it as is a module; from the top of the crate, what lib.rs exports.
fn target(
    absolute: &[String],
    modules: &[Vec<String>],
    exports: &BTreeMap<String, Vec<String>>,
) -> Option<Vec<String>> {
    let module = (0..=absolute.len()).rev().map(|n| &absolute[..n]).find(|part| modules.iter().any(|m| m == part))?;
    match absolute.first() {
        Some(name) if module.is_empty() => exports.get(name).cloned(),
        _ => Some(module.to_vec()),
    }
}

/// Names that lib.rs takes from its modules to the top of the crate.
fn exports(tree: &Tree, modules: &[Vec<String>]) -> BTreeMap<String, Vec<String>> {
    let lib = tree.get("src/lib.rs").map(|text| source::code(text)).unwrap_or_default();
    let named = source::paths(&lib).into_iter().filter_map(|path| {
        let path = absolute(&[], &path, modules)?;
        Some((path.last()?.clone(), path[..1].to_vec()))
    });
    named.collect()
}

// ---- (b) Time and chance ---------------------------------------------------------------------------------------------

fn clocks(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for (path, text) in engine(tree).filter(|(path, _)| !path.starts_with("src/ffi/")) {
        let code = source::code(text);
        let seeds = path.starts_with("src/manager");
        for named in source::paths(&code) {
            if let Some(why) = clock(&named, seeds) {
                complaints.push(format!("{path}: {}: {why}", named.join("::")));
            }
        }
        for word in ["Instant", "SystemTime", "thread_rng", "RandomState"] {
            if code.iter().any(|token| token == word) {
                complaints.push(format!("{path}: {word}: time and chance come from outside"));
            }
        }
    }
    complaints
}

/// Why a path must not be named in the engine. `seeds`: here the first seed is made.
fn clock(named: &[String], seeds: bool) -> Option<&'static str> {
    let parts: Vec<&str> = named.iter().map(String::as_str).collect();
    match parts.as_slice() {
        ["std" | "core", "time", ..] => Some("the host passes the time in"),
        ["std", "thread", ..] => Some("the engine has no thread"),
        ["rand", ..] => Some("randomness comes from the seed"),
        ["getrandom", ..] if !seeds => Some("only the manager asks for a seed"),
        ["std", "collections", "HashMap" | "HashSet" | "hash_map" | "hash_set", ..] => {
            Some("std's maps are ordered by chance: hashbrown with a seeded hasher")
        }
        ["fastrand", "Rng", "new" | "default", ..] | ["Rng", "new" | "default", ..] => Some("with_seed, or no replay"),
        ["fastrand", function, ..] if *function != "Rng" => Some("the global generator cannot be replayed"),
        _ => None,
    }
}

// ---- (c) Owners of the RFC's sections ------------------------------------------------------------------------------------

fn owners(tree: &Tree) -> Vec<String> {
    let must_own = |path: &str| {
        let file =
            matches!(path, "src/types.rs" | "src/config.rs" | "src/wire/mod.rs" | "src/bloom.rs" | "src/bloom/mod.rs");
        // What lies below a file serves it.
        let is_part = path.rsplit_once('/').is_some_and(|(folder, _)| tree.contains_key(&format!("{folder}.rs")));
        (file || path.starts_with("src/channel")) && !is_part && !RFC_SERVANTS.contains(&path)
    };
    let mut complaints = Vec::new();
    let mut owner = BTreeMap::new();
    for (path, text) in engine(tree) {
        let claims: Vec<&str> =
            text.lines().filter_map(|line| line.strip_prefix("//! RFC: ")).flat_map(|line| line.split("; ")).collect();
        if claims.is_empty() && must_own(path) {
            complaints.push(format!("{path}: which section of the RFC does it own? Say `//! RFC: <heading>`"));
        }
        for claim in claims {
            if !RFC_HEADINGS.contains(&claim) {
                complaints.push(format!("{path}: the RFC has no section {claim:?}"));
            }
            if let Some(other) = owner.insert(claim, path) {
                complaints.push(format!("{path}: {claim:?} is owned by {other}"));
            }
        }
    }
    let unclaimed = RFC_HEADINGS.iter().filter(|heading| !owner.contains_key(*heading));
    complaints.extend(unclaimed.map(|heading| format!("no file owns the RFC's section {heading:?}")));
    complaints
}

// ---- (d) to (g) --------------------------------------------------------------------------------------------------------

fn unsafe_code(tree: &Tree) -> Vec<String> {
    let outside = engine(tree).filter(|(path, _)| !path.starts_with("src/ffi/"));
    let guilty = outside.filter(|(_, text)| source::tokens(&source::blank(text)).iter().any(|token| token == "unsafe"));
    guilty.map(|(path, _)| format!("{path}: unsafe lives in src/ffi")).collect()
}

fn lengths(tree: &Tree) -> Vec<String> {
    let ours = |path: &str| {
        path.starts_with("src/") && path.ends_with(".rs")
            || path.starts_with("wasm/") && [".rs", ".ts", ".js", ".mjs"].iter().any(|end| path.ends_with(end))
    };
    let files = tree.iter().filter(|(path, _)| ours(path));
    let long = files.filter(|(_, text)| text.lines().count() > MOST_LINES);
    long.map(|(path, text)| format!("{path}: {} lines, over {MOST_LINES}: split it", text.lines().count())).collect()
}

/// Names of places that exist only where this was written. Put together here, so that this file is not found.
fn strangers(tree: &Tree) -> Vec<String> {
    let needles = [
        ["../sha", "red"],
        ["../.lib", "rary"],
        ["/work/", "shared"],
        ["crates", ".io"],
        ["registry.np", "mjs"],
        ["proxy.go", "lang"],
        ["sum.go", "lang"],
        ["pypi", ".org"],
        ["deb.deb", "ian.org"],
        ["arti", "factory"],
    ]
    .map(|halves| halves.concat());
    let mut complaints = Vec::new();
    // Cargo writes its index's name into the lock file, and nothing can be done about it.
    for (path, text) in tree.iter().filter(|(path, _)| !path.ends_with("Cargo.lock")) {
        for needle in needles.iter().filter(|needle| text.contains(*needle)) {
            complaints.push(format!("{path}: mentions {needle}"));
        }
    }
    complaints
}

/// Code in the README is code that is compiled: it stands word for word in an example.
fn quotes(tree: &Tree) -> Vec<String> {
    const EXAMPLES: &[(&str, &[&str])] = &[
        ("c", &["tests/c/example.c"]),
        ("go", &["go-bindings/sds/example_test.go", "go-bindings/reliable/example_test.go"]),
        // Whose example is run: wasm/test/package.test.js.
        ("js", &["wasm/README.md"]),
    ];
    let Some(readme) = tree.get("README.md") else { return Vec::new() };
    let plain = |text: &str| text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n");
    let mut complaints = Vec::new();
    for (language, paths) in EXAMPLES {
        let examples: Vec<String> = paths.iter().filter_map(|path| tree.get(*path)).map(|text| plain(text)).collect();
        let fence = format!("```{language}\n");
        let blocks: Vec<&str> =
            readme.split(&fence).skip(1).filter_map(|rest| rest.split("```").next()).map(str::trim).collect();
        if blocks.is_empty() {
            complaints.push(format!("README.md: quotes nothing in {language}; it should quote {paths:?}"));
        }
        let known = |block: &str| !block.is_empty() && examples.iter().any(|example| example.contains(&plain(block)));
        let strange = blocks.iter().filter(|block| !known(block));
        complaints.extend(strange.map(|block| format!("README.md: not in {paths:?}:\n{block}")));
    }
    complaints
}

// ---- The rules, on this repository ---------------------------------------------------------------------------------------

/// All files that are ours and are text: those that git tracks, or, in a source archive without git, all but what was
/// built.
fn this_tree() -> Tree {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let paths = tracked(top).unwrap_or_else(|| walk(top));
    let texts = paths.into_iter().filter_map(|path| {
        let text = std::fs::read_to_string(top.join(&path)).ok()?;
        Some((path, text))
    });
    texts.collect()
}

/// What git tracks; `None` without git, and in an archive unpacked inside somebody else's repository.
fn tracked(top: &Path) -> Option<Vec<String>> {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(top).output().ok()?;
    let paths = String::from_utf8(listed.stdout).expect("paths are UTF-8");
    let paths: Vec<String> = paths.split_terminator('\0').map(str::to_owned).collect();
    (listed.status.success() && paths.iter().any(|path| path == "Cargo.toml")).then_some(paths)
}

/// All files below a folder, but for git's own and those in folders that something is built into.
fn walk(top: &Path) -> Vec<String> {
    let mut paths = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        for entry in
            std::fs::read_dir(top.join(&folder)).expect("a folder of ours").map(|entry| entry.expect("an entry"))
        {
            let name = entry.file_name().into_string().expect("names are UTF-8");
            let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
            let kind = entry.file_type().expect("what it is");
            match name.as_str() {
                ".git" | "target" | "node_modules" => {}
                _ if kind.is_dir() => folders.push(path),
                _ if kind.is_file() => paths.push(path),
                _ => {}
            }
        }
    }
    paths
}

#[track_caller]
fn none(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn modules_use_only_whom_they_may() {
    none(arrows(&this_tree()));
}

#[test]
fn time_and_chance_come_from_outside() {
    none(clocks(&this_tree()));
}

#[test]
fn every_rfc_section_has_one_owner() {
    none(owners(&this_tree()));
}

#[test]
fn unsafe_lives_in_ffi() {
    none(unsafe_code(&this_tree()));
}

#[test]
fn files_are_short() {
    none(lengths(&this_tree()));
}

#[test]
fn no_file_names_places_elsewhere() {
    none(strangers(&this_tree()));
}

#[test]
fn the_readme_quotes_code_that_is_compiled() {
    none(quotes(&this_tree()));
}

// ---- The rules, on made-up trees -----------------------------------------------------------------------------------------

#[cfg(test)]
mod can_fail {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> Tree {
        files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
    }

    /// Complaints about one file among empty ones of the usual names.
    fn arrows_of(path: &str, text: &str) -> Vec<String> {
        let mut files = tree(&[
            ("src/lib.rs", "pub mod config; pub use config::Config; pub use manager::Manager;"),
            ("src/types.rs", ""),
            ("src/config.rs", ""),
            ("src/manager/mod.rs", ""),
            ("src/wire/mod.rs", ""),
            ("src/wire/rfc.rs", ""),
            ("src/channel/mod.rs", ""),
            ("src/channel/log.rs", ""),
            ("src/channel/incoming.rs", ""),
            ("src/channel/send.rs", ""),
            ("src/channel/tick.rs", ""),
            ("src/ffi/fuzz/mod.rs", ""),
            ("src/fuzz/mod.rs", ""),
        ]);
        files.insert(path.to_owned(), text.to_owned());
        arrows(&files)
    }

    #[test]
    fn arrows_that_are_allowed() {
        for (path, text) in [
            (
                "src/channel/log.rs",
                "use crate::types::X; use crate::Config; // crate::wire::x\n#[cfg(test)] use crate::wire::x;",
            ),
            ("src/channel/mod.rs", "mod log; use log::Log; use self::incoming::X;"),
            // A folder's face shows what its parts have; that is no use.
            ("src/channel/mod.rs", "mod send; pub use send::{X, Y};"),
            ("src/channel/tick.rs", "use super::{send, log::Log}; fn f() { send::g() }"),
            ("src/wire/rfc.rs", "use super::X; use crate::wire::Y; use prost::Message;"),
            ("src/manager/mod.rs", "use crate::{channel::Channel, wire};"),
            ("src/channel/tests.rs", "use crate::wire::x;"),
            ("src/fuzz/ops.rs", "use crate::Manager; fn f() { crate::ffi::fuzz::run() }"),
        ] {
            assert_eq!(arrows_of(path, text), Vec::<String>::new(), "{path}: {text}");
        }
    }

    #[test]
    fn arrows_that_are_not() {
        for (path, text) in [
            ("src/types.rs", "use crate::config::Config;"),
            ("src/types.rs", "use crate::Config;"),
            ("src/channel/log.rs", "use super::incoming::X;"),
            ("src/channel/log.rs", "use super::Channel;"),
            ("src/channel/log.rs", "fn f() -> crate::wire::X {}"),
            ("src/channel/send.rs", "use super::{log, tick::X};"),
            ("src/channel/send.rs", "use crate::Manager;"),
            ("src/channel/mod.rs", "mod send; use send::x;"),
            ("src/wire/rfc.rs", "use super::super::channel::X;"),
            ("src/manager/mod.rs", "use crate::{wire::{self, X}, ffi::Y};"),
            ("src/strange.rs", "use crate::types::X;"),
            ("src/fuzz/ops.rs", "use crate::channel::Channel;"),
            ("src/manager/mod.rs", "fn f() { crate::fuzz::run() }"),
            ("src/ffi/fuzz/mod.rs", "use crate::fuzz::X;"),
        ] {
            assert_eq!(arrows_of(path, text).len(), 1, "{path}: {text}: {:?}", arrows_of(path, text));
        }
    }

    #[test]
    fn clocks_are_found() {
        let complaints = |path, text| clocks(&tree(&[(path, text)])).len();
        for text in [
            "use std::time::Duration;",
            "use std::{fmt, time};",
            "fn f(now: Instant) {}",
            "fn f() { std::thread::sleep(x) }",
            "use std::collections::{BTreeMap, HashMap};",
            "fn f() { fastrand::u64(..) }",
            "use fastrand::Rng; fn f() { Rng::new() }",
            "fn f() { getrandom::fill(x) }",
            "use rand::Rng;",
        ] {
            assert!(complaints("src/channel/log.rs", text) > 0, "{text}");
            assert_eq!(complaints("src/ffi/process.rs", text), 0, "{text}");
        }
        let fine = "use std::collections::BTreeMap; // std::time\nfn f() { fastrand::Rng::with_seed(1); \"Instant\" }";
        assert_eq!(complaints("src/channel/log.rs", fine), 0);
        assert_eq!(complaints("src/manager/mod.rs", "fn f() { getrandom::u64() }"), 0);
    }

    #[test]
    fn owners_are_missed() {
        let all = format!("//! RFC: {}\n", RFC_HEADINGS.join("; "));
        let owned = |files: &[(&str, &str)]| {
            let mut files = tree(files);
            files.insert("src/types.rs".to_owned(), all.clone());
            owners(&files)
        };
        assert_eq!(owned(&[("src/channel/clock.rs", "")]), Vec::<String>::new());
        assert_eq!(owned(&[("src/channel/log.rs", "//! A file.")]).len(), 1);
        assert_eq!(owned(&[("src/channel/log.rs", "//! RFC: Deliver Message")]).len(), 1);
        // No such section, and that makes it no owner.
        assert_eq!(owned(&[("src/channel/log.rs", "//! RFC: Fly")]).len(), 1);
        assert_eq!(owners(&tree(&[])).len(), RFC_HEADINGS.len());
    }

    #[test]
    fn the_rest_can_fail() {
        let unsafe_in = |path| unsafe_code(&tree(&[(path, "fn f() { unsafe { g() } } // and a comment")])).len();
        assert_eq!((unsafe_in("src/wire/mod.rs"), unsafe_in("src/ffi/mod.rs")), (1, 0));
        assert_eq!(unsafe_code(&tree(&[("src/a.rs", "// unsafe\n#![deny(unsafe_code)]")])).len(), 0);

        let long = |path, lines| lengths(&tree(&[(path, "x\n".repeat(lines).as_str())])).len();
        assert_eq!((long("src/a.rs", MOST_LINES), long("src/a.rs", MOST_LINES + 1)), (0, 1));
        assert_eq!((long("wasm/ts/a.ts", MOST_LINES + 1), long("wasm/package-lock.json", MOST_LINES + 1)), (1, 0));

        let host = ["see crates", ".io"].concat();
        assert_eq!(strangers(&tree(&[("README.md", &host), ("Cargo.lock", &host), ("a", "crates")])).len(), 1);

        let readme = "# A\n```c\nint a;\n```\n```c\nint b;\n```\n```go\na := 1\n```\n```go\nb := 2\n```\n";
        let examples = [
            ("tests/c/example.c", "    int a;\n"),
            ("go-bindings/sds/example_test.go", "\tb := 2\n"),
            ("wasm/README.md", "```js\nconst c = 3;\n```\n"),
        ];
        let quoted = |readme| quotes(&tree(&[&[("README.md", readme)], examples.as_slice()].concat())).len();
        let good = "```c\nint a;\n```\n```go\nb := 2\n```\n```js\nconst c = 3;\n```\n";
        assert_eq!((quoted(readme), quoted("no code"), quoted(good)), (3, 3, 0));
    }

    /// An archive without git has the same files.
    #[test]
    fn the_walk_finds_what_git_tracks() {
        let top = Path::new(env!("CARGO_MANIFEST_DIR"));
        let walked = walk(top);
        for path in ["src/lib.rs", "README.md", "tests/house/main.rs", ".ci/run"] {
            assert!(walked.iter().any(|found| found == path), "{path}");
        }
        assert!(!walked.iter().any(|path| path.starts_with("target/") || path.starts_with(".git/")));
        for path in tracked(top).unwrap_or_default() {
            // A tracked file that was deleted and not committed yet is no fault of the walk.
            assert!(walked.contains(&path) || !top.join(&path).exists(), "{path}");
        }
    }
}
