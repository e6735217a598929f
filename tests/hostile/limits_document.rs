//! `docs/limits.md`: made from `src/config.rs` and `limits.tsv`, and held to be what these say.
//!
//! `make limits` writes it anew.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sds::Config;

use crate::documents::{at_top, tests_named};

const DOCUMENT: &str = "docs/limits.md";
const ROWS: &str = include_str!("limits.tsv");
const SOURCE: &str = include_str!("../../src/config.rs");
const HEAD: &str = "limit\tgrown by\tat the limit\ttold by\ttests";

/// Numbers of the configuration that limit nothing a stranger can make grow.
const NO_LIMITS: &[&str] = &[
    "ack_false_positive",
    "ack_window_ms",
    "bloom_error_rate",
    "causal_history_size",
    "clock_step_ms",
    "dependency_timeout_ms",
    "max_clock_drift_libsds_ms",
    "max_clock_drift_rfc_ms",
    "num_participants",
    "possibly_resend_interval_ms",
    "repair_t_max_ms",
    "repair_t_min_ms",
    "repair_window_ms",
    "resend_interval_ms",
    "resend_jitter_percent",
    "sync_confirm_ms",
    "sync_interval_max_ms",
    "sync_interval_ms",
    "unload_after_ms",
];

/// A limit, as the source has it.
struct Limit {
    doc: String,
    value: u64,
}

/// All numbers in the configuration by their name, with their defaults, and the fixed ones.
fn numbers() -> BTreeMap<String, Limit> {
    let defaults = format!("{:#?}", Config::default());
    let (mut doc, mut found) = (String::new(), BTreeMap::new());
    for line in SOURCE.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix("/// ") {
            let _ = write!(doc, "{text} ");
            continue;
        }
        let named =
            line.strip_prefix("pub const ").or(line.strip_prefix("pub ")).and_then(|rest| rest.split_once(": "));
        if let Some((name, rest)) = named.filter(|(name, _)| !name.contains('(')) {
            let fixed = rest.split_once(" = ").map(|(_, value)| value.trim_end_matches(';').to_owned());
            let value = fixed.or_else(|| default_of(name, &defaults));
            if let Some(value) = value.and_then(|value| value.parse::<f64>().ok()) {
                let doc = std::mem::take(&mut doc);
                found.insert(name.to_owned(), Limit { doc: first_sentence(&doc), value: value as u64 });
            }
        }
        doc.clear();
    }
    found
}

fn default_of(name: &str, defaults: &str) -> Option<String> {
    let line = defaults.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(": "))?;
    Some(line.trim_end_matches(',').to_owned())
}

fn first_sentence(doc: &str) -> String {
    let end = doc.find(". ").or(doc.find(": ")).unwrap_or(doc.len());
    doc[..end].trim_end_matches('.').to_owned()
}

fn unit(name: &str) -> &'static str {
    match name {
        _ if name.ends_with("_ms") => "ms",
        _ if name.contains("bytes") && name.ends_with("_per_minute") => "bytes per minute",
        _ if name.contains("bytes") => "bytes",
        _ if name.ends_with("_per_minute") => "per minute",
        _ => "count",
    }
}

fn thousands(value: u64) -> String {
    let digits = value.to_string();
    let with_comma = |(at, digit): (usize, char)| {
        let comma = at > 0 && (digits.len() - at).is_multiple_of(3);
        [comma.then_some(','), Some(digit)].into_iter().flatten()
    };
    digits.chars().enumerate().flat_map(with_comma).collect()
}

fn rows() -> Vec<[&'static str; 5]> {
    let mut lines = ROWS.lines();
    assert_eq!(lines.next(), Some(HEAD));
    lines.map(|line| line.split('\t').collect::<Vec<_>>().try_into().expect("five cells")).collect()
}

fn document() -> String {
    let numbers = numbers();
    let mut text = include_str!("limits.md.in").to_owned();
    for [name, grown_by, effect, told, tests] in rows() {
        let limit = numbers.get(name).unwrap_or_else(|| panic!("config.rs has no number {name}"));
        let tests: Vec<_> = tests.split(", ").map(|test| format!("`{test}`")).collect();
        let cells = [
            &format!("`{name}`"),
            &limit.doc,
            &thousands(limit.value),
            unit(name),
            grown_by,
            effect,
            told,
            &tests.join(", "),
        ];
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    text
}

#[test]
fn the_document_is_what_the_configuration_and_the_table_say() {
    let path = at_top(DOCUMENT);
    if std::env::var_os("SDS_WRITE_LIMITS").is_some() {
        std::fs::write(&path, document()).expect("docs can be written");
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(there == document(), "{DOCUMENT} is stale: run `make limits` and commit it");
}

#[test]
fn every_number_of_the_configuration_is_a_row_or_no_limit() {
    let rows: Vec<_> = rows().iter().map(|row| row[0]).collect();
    for name in numbers().keys() {
        let times = rows.iter().filter(|row| *row == name).count() + NO_LIMITS.iter().filter(|it| *it == name).count();
        assert_eq!(times, 1, "{name}: list it in limits.tsv or in NO_LIMITS, once");
    }
    assert_eq!(numbers().len(), rows.len() + NO_LIMITS.len());
}

#[test]
fn every_limit_has_a_test() {
    for row in rows() {
        let quoted: String = row[4].split(", ").map(|test| format!("`{test}`")).collect();
        assert_eq!(tests_named(&quoted).len(), row[4].split(", ").count(), "{}", row[0]);
    }
}

#[test]
fn the_source_is_understood() {
    let numbers = numbers();
    let of = |name: &str| (numbers[name].doc.as_str(), numbers[name].value);
    assert_eq!(of("max_hint_bytes"), ("A retrieval hint", 1_024));
    assert_eq!(of("max_outputs").1, Config::default().max_outputs as u64);
    assert_eq!(of("MAX_UNCONFIRMED").1, 64);
    assert_eq!(thousands(1), "1");
    assert_eq!((thousands(65_536).as_str(), thousands(1_048_576).as_str()), ("65,536", "1,048,576"));
}
