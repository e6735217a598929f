//! The mutations: a patch for each row that takes its behaviour out of the engine.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::rows::Row;
use crate::scratch::Scratch;
use crate::suite;

const FOLDER: &str = "tests/rfc/mutations";

fn path_of(row: &Row) -> PathBuf {
    Path::new(FOLDER).join(format!("{}.patch", row.id))
}

/// Rows without a patch, patches without a row, and patches that change anything but the engine, or no longer apply or
/// compile.
pub fn check(root: &Path, rows: &[Row]) -> Result<Vec<String>, String> {
    let mut problems = Vec::new();
    let scratch = Scratch::of(root)?;
    scratch.restore()?;
    for row in rows {
        let compiles = || {
            apply(scratch.tree(), &root.join(path_of(row)), false)?;
            suite::compiles(scratch.tree(), scratch.target())
        };
        let result = check_one(root, row)
            .and_then(|()| compiles().map_err(|problem| format!("{}: {problem}", path_of(row).display())));
        problems.extend(result.err());
        scratch.restore()?;
    }
    let listed = std::fs::read_dir(root.join(FOLDER)).map_err(|problem| format!("{FOLDER}: {problem}"))?;
    for file in listed {
        let name = file.map_err(|problem| format!("{FOLDER}: {problem}"))?.file_name();
        let name = name.to_string_lossy();
        if !rows.iter().any(|row| name == format!("{}.patch", row.id)) {
            problems.push(format!("{FOLDER}/{name}: the patch of no row"));
        }
    }
    Ok(problems)
}

fn check_one(root: &Path, row: &Row) -> Result<(), String> {
    let path = path_of(row);
    let patch =
        std::fs::read_to_string(root.join(&path)).map_err(|problem| format!("{}: {problem}", path.display()))?;
    let changed = || patch.lines().filter_map(|line| line.strip_prefix("+++ b/"));
    match changed().find(|file| !file.starts_with("src/")) {
        Some(file) => Err(format!("{}: it changes {file}, which is not the engine", path.display())),
        None if changed().next().is_none() => Err(format!("{}: it changes nothing", path.display())),
        None => apply(root, &root.join(&path), true).map_err(|problem| format!("{}: {problem}", path.display())),
    }
}

/// Applies a patch to a source tree, or only tells whether it would apply.
fn apply(tree: &Path, patch: &Path, dry: bool) -> Result<(), String> {
    let mut git = Command::new("git");
    // Within a work tree, git would take the paths from its top, and pass over a scratch tree that lies in it.
    git.current_dir(tree).env("GIT_CEILING_DIRECTORIES", tree.parent().unwrap_or(tree));
    git.arg("apply").args(dry.then_some("--check")).arg(patch).stderr(Stdio::null());
    match git.status().map_err(|problem| format!("git: {problem}"))?.success() {
        true => Ok(()),
        false => Err("it does not apply: make the change anew, and save its `git diff -U1 src`".to_owned()),
    }
}

/// Mutates the engine for each row, and tells whether its tests notice. True if all were caught.
pub fn hunt(root: &Path, rows: &[&Row]) -> Result<bool, String> {
    let scratch = Scratch::of(root)?;
    scratch.restore()?;
    check_unharmed(&scratch, rows)?;
    let mut caught = 0;
    for row in rows {
        let result = apply(scratch.tree(), &root.join(path_of(row)), false).and_then(|()| catch(&scratch, row));
        scratch.restore()?;
        let tail = match result {
            Ok(place) => {
                caught += 1;
                format!("caught at {place}")
            }
            Err(problem) => format!("NOT CAUGHT: {problem}"),
        };
        println!("mutation: {:4} {tail}", row.id);
    }
    println!("mutation-check: {caught}/{}", rows.len());
    Ok(caught == rows.len())
}

/// That tests fail says something only if they pass without the mutation.
fn check_unharmed(scratch: &Scratch, rows: &[&Row]) -> Result<(), String> {
    let program = suite::build(scratch.tree(), Some(scratch.target()), false)?;
    for row in rows {
        let outcome = suite::run(&program, scratch.tree(), Some(&row.id))?;
        if outcome.passed.is_empty() || outcome.passed.values().any(|passed| !passed) {
            return Err(format!("{}: its tests do not pass even without a mutation", row.id));
        }
    }
    Ok(())
}

/// Where the tests of a row noticed. A test has to complain itself: an engine that panics proves nothing.
fn catch(scratch: &Scratch, row: &Row) -> Result<String, String> {
    let program = suite::build(scratch.tree(), Some(scratch.target()), true)?;
    let outcome = suite::run(&program, scratch.tree(), Some(&row.id))?;
    if outcome.passed.values().all(|passed| *passed) {
        return Err("its tests pass all the same".to_owned());
    }
    match outcome.panics.iter().find(|place| !place.starts_with("tests/")) {
        Some(place) => Err(format!("the engine panics, at {place}")),
        None => outcome.panics.into_iter().next().ok_or_else(|| "a test fails without saying where".to_owned()),
    }
}
