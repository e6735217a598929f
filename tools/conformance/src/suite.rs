//! The tests of `tests/rfc`: building them, running them, and what came of each.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Far beyond what all of them take: whatever runs so long hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// What came of a run.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Every test that ran, by its name, and whether it passed.
    pub passed: BTreeMap<String, bool>,
    /// Where something panicked, in the order told: file, line and column.
    pub panics: Vec<String>,
}

/// The row that a test belongs to: `n1` of `send::n1_clock_is_max_of_now_and_next`.
pub fn row_of(test: &str) -> &str {
    let name = test.rsplit("::").next().unwrap_or(test);
    name.split('_').next().unwrap_or(name)
}

/// Builds the tests of a source tree; returns their program. `target`: where to, if not where cargo does by itself.
pub fn build(tree: &Path, target: Option<&Path>, quiet: bool) -> Result<PathBuf, String> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // The whole workspace, as `make rust-test` has it: with other features, all dependencies would be built anew.
    cargo.current_dir(tree).args(["test", "--quiet", "--locked", "--workspace", "--test", "rfc", "--no-run"]);
    cargo.arg("--message-format=json-render-diagnostics");
    if let Some(target) = target {
        // Line tables would only slow the linker down, seventy times over.
        cargo.arg("--target-dir").arg(target).env("CARGO_PROFILE_DEV_DEBUG", "0");
    }
    let errors = if quiet { Stdio::null() } else { Stdio::inherit() };
    let output = cargo.stderr(errors).output().map_err(|problem| format!("cargo: {problem}"))?;
    if !output.status.success() {
        return Err("it does not compile".to_owned());
    }
    let artifacts = output.stdout.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok());
    artifacts.filter_map(|artifact: Value| program(&artifact)).next_back().ok_or_else(|| "no test program".to_owned())
}

/// Whether the engine of a source tree compiles, without what no mutation touches: SQLite takes long.
pub fn compiles(tree: &Path, target: &Path) -> Result<(), String> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(tree).args(["check", "--quiet", "--locked", "--lib", "--no-default-features"]);
    cargo.arg("--target-dir").arg(target).stderr(Stdio::null());
    match cargo.status().map_err(|problem| format!("cargo: {problem}"))?.success() {
        true => Ok(()),
        false => Err("it does not compile".to_owned()),
    }
}

fn program(artifact: &Value) -> Option<PathBuf> {
    let ours = artifact["target"]["name"] == "rfc" && artifact["target"]["kind"][0] == "test";
    artifact["executable"].as_str().filter(|_| ours).map(PathBuf::from)
}

/// Runs the tests of one row, or all of them.
pub fn run(program: &Path, tree: &Path, row: Option<&str>) -> Result<Outcome, String> {
    let mut command = Command::new(program);
    // Test names are paths, so that this finds the row and no other whose number ends alike.
    command.args(row.map(|row| format!("::{row}_"))).current_dir(tree);
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let text = wait(child.map_err(|problem| format!("{}: {problem}", program.display()))?)?;
    let outcome = parse(&text);
    if !text.contains("\ntest result: ") {
        return Err("the tests did not come to an end".to_owned());
    }
    Ok(outcome)
}

/// What a program prints, if it ends in time.
fn wait(mut child: Child) -> Result<String, String> {
    let mut stdout = child.stdout.take().ok_or("no output")?;
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        stdout.read_to_string(&mut text).map(|_| text)
    });
    let end = Instant::now() + PATIENCE;
    while child.try_wait().map_err(|problem| problem.to_string())?.is_none() {
        if Instant::now() > end {
            // It may have ended by itself just now.
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!("the tests hang: not done in {} s", PATIENCE.as_secs()));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let text = reader.join().map_err(|_| "the reader panicked".to_owned())?;
    text.map_err(|problem| problem.to_string())
}

fn parse(text: &str) -> Outcome {
    let mut outcome = Outcome::default();
    for line in text.lines() {
        if let Some((name, result)) = line.strip_prefix("test ").and_then(|rest| rest.split_once(" ... ")) {
            outcome.passed.insert(name.to_owned(), result == "ok");
        } else if let Some((_, place)) = line.split_once(" panicked at ") {
            outcome.panics.push(place.trim_end_matches(':').to_owned());
        }
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_output_of_the_tests_is_understood() {
        let text = "\ntest send::n1_a ... ok\ntest ack::a1_b ... FAILED\ntest ack::a2_c ... ignored\n\n\
            failures:\n\n---- ack::a1_b stdout ----\n\nthread 'ack::a1_b' (7) panicked at tests/rfc/ack.rs:12:5:\n\
            assertion failed\n\ntest result: FAILED. 1 passed; 1 failed\n";
        let outcome = parse(text);
        let expected = [("ack::a1_b", false), ("ack::a2_c", false), ("send::n1_a", true)];
        assert_eq!(outcome.passed, expected.map(|(name, passed)| (name.to_owned(), passed)).into());
        assert_eq!(outcome.panics, ["tests/rfc/ack.rs:12:5"]);
        assert_eq!(["send::n1_a", "a::y12_b_c", "odd"].map(row_of), ["n1", "y12", "odd"]);
    }
}
