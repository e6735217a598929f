//! RFC 109 by the row.
//!
//! * `sds-conformance`: runs `tests/rfc`, prints the table, and writes `docs/conformance.md`
//! * `sds-conformance --check`: fails if that file is not what the tests say, or a row's mutation is missing or stale
//! * `sds-conformance --mutate [ROW ...]`: takes the behaviour of each row out, and fails if its tests do not notice

mod mutations;
mod rows;
mod scratch;
mod suite;
mod table;

use std::path::Path;
use std::process::ExitCode;

use rows::Row;
use table::Table;

const DOCUMENT: &str = "docs/conformance.md";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.split_first() {
        None => print(),
        Some((flag, [])) if flag == "--check" => check(),
        Some((flag, ids)) if flag == "--mutate" => mutate(ids),
        Some(_) => {
            eprintln!("usage: sds-conformance [--check | --mutate [ROW ...]]");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(problems) if problems.is_empty() => ExitCode::SUCCESS,
        Ok(problems) => fail(&problems),
        Err(problem) => fail(&[problem]),
    }
}

fn fail(problems: &[String]) -> ExitCode {
    problems.iter().for_each(|problem| eprintln!("sds-conformance: {problem}"));
    ExitCode::FAILURE
}

/// The top of the repository, two levels above this package.
fn root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().nth(2).unwrap_or(package)
}

fn read_rows() -> Result<Vec<Row>, String> {
    let text =
        std::fs::read_to_string(root().join(rows::PATH)).map_err(|problem| format!("{}: {problem}", rows::PATH))?;
    rows::parse(&text)
}

fn run_tests() -> Result<Table, String> {
    let outcome = suite::run(&suite::build(root(), None, false)?, root(), None)?;
    Ok(Table::new(read_rows()?, &outcome))
}

fn print() -> Result<Vec<String>, String> {
    let table = run_tests()?;
    print!("{}", table.text());
    std::fs::write(root().join(DOCUMENT), table.markdown()).map_err(|problem| format!("{DOCUMENT}: {problem}"))?;
    Ok(table.problems())
}

fn check() -> Result<Vec<String>, String> {
    let table = run_tests()?;
    let mut problems = table.problems();
    if std::fs::read_to_string(root().join(DOCUMENT)).ok() != Some(table.markdown()) {
        problems.push(format!("{DOCUMENT} is not what the tests say: run `make conformance` and commit it"));
    }
    problems.extend(mutations::check(root(), &read_rows()?)?);
    println!("{}", table.closing_line());
    Ok(problems)
}

fn mutate(ids: &[String]) -> Result<Vec<String>, String> {
    let rows = read_rows()?;
    let wanted: Vec<&Row> = rows.iter().filter(|row| ids.is_empty() || ids.contains(&row.id)).collect();
    if let Some(unknown) = ids.iter().find(|id| !rows.iter().any(|row| row.id == **id)) {
        return Err(format!("there is no row {unknown}"));
    }
    let caught = mutations::hunt(root(), &wanted)?;
    Ok(if caught { Vec::new() } else { vec!["not every mutation was caught".to_owned()] })
}
