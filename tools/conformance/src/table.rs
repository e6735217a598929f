//! The table, for the terminal and for `docs/conformance.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::rows::Row;
use crate::suite::{Outcome, row_of};

/// The rows, and which of them pass.
pub struct Table {
    rows: Vec<Row>,
    /// The tests of each row: their files, and whether all passed. A row without tests is not in here.
    tested: BTreeMap<String, Tested>,
    strays: Vec<String>,
}

#[derive(Default)]
struct Tested {
    failed: bool,
    files: BTreeSet<String>,
}

impl Table {
    /// Holds the rows against the tests that ran. A row passes if it has tests, and all of them pass.
    pub fn new(rows: Vec<Row>, outcome: &Outcome) -> Self {
        let mut tested: BTreeMap<String, Tested> = BTreeMap::new();
        let mut strays = Vec::new();
        for (test, passed) in &outcome.passed {
            let row = row_of(test);
            if !rows.iter().any(|known| known.id == row) {
                strays.push(test.clone());
                continue;
            }
            let tests = tested.entry(row.to_owned()).or_default();
            tests.failed |= !passed;
            tests.files.extend(test.split("::").next().map(|module| format!("tests/rfc/{module}.rs")));
        }
        Self { rows, tested, strays }
    }

    fn passes(&self, row: &Row) -> bool {
        self.tested.get(&row.id).is_some_and(|tests| !tests.failed)
    }

    fn passed(&self) -> usize {
        self.rows.iter().filter(|row| self.passes(row)).count()
    }

    /// Whatever keeps the table from being whole: rows that do not pass, and tests of no row.
    pub fn problems(&self) -> Vec<String> {
        let rows = self.rows.iter().filter(|row| !self.passes(row)).map(|row| match self.tested.get(&row.id) {
            Some(_) => format!("{}: a test fails", row.id),
            None => format!("{0}: no test is called {0}_...", row.id),
        });
        rows.chain(self.strays.iter().map(|test| format!("{test}: its name begins with no row"))).collect()
    }

    /// For the terminal, with the closing line.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let width = self.rows.iter().map(|row| row.what.chars().count()).max().unwrap_or(0);
        let mut section = "";
        for row in &self.rows {
            if row.section != section {
                section = &row.section;
                let _ = writeln!(text, "{section}");
            }
            let result = if self.passes(row) { "pass" } else { "FAIL" };
            let _ = writeln!(text, "  {:4} {:11} {:width$}  {result}", row.id, row.strength, row.what);
        }
        let _ = writeln!(text, "{}", self.closing_line());
        text
    }

    /// How many rows pass, of how many.
    pub fn closing_line(&self) -> String {
        format!("conformance: {}/{}", self.passed(), self.rows.len())
    }

    /// For people.
    pub fn markdown(&self) -> String {
        let mut text = format!(include_str!("conformance.md.in"), passed = self.passed(), rows = self.rows.len());
        let mut section = "";
        for row in &self.rows {
            if row.section != section {
                section = &row.section;
                let _ = write!(text, "\n## {section}\n\n{}\n\n", self.tests_of(section));
                text.push_str("| row | strength | what | sds-rs | nim-sds | @waku/sds |\n|---|---|---|---|---|---|\n");
            }
            let passes = if self.passes(row) { "yes" } else { "**no**" };
            let cells = [&row.id, &row.strength, &row.what, passes, &row.nim_sds, &row.waku_sds];
            let _ = writeln!(text, "| {} |", cells.join(" | "));
        }
        text
    }

    /// Where the tests of a section are.
    fn tests_of(&self, section: &str) -> String {
        let rows = self.rows.iter().filter(|row| row.section == section);
        let files: BTreeSet<_> = rows.filter_map(|row| self.tested.get(&row.id)).flat_map(|it| &it.files).collect();
        let links: Vec<_> = files.into_iter().map(|file| format!("[`{file}`](../{file})")).collect();
        format!("Tests: {}", links.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows;

    fn table(tests: &[(&str, bool)]) -> Table {
        let lines = "a1\tAcks\tMUST\tfirst\t\tnever\na2\tAcks\tMAY\tsecond\t\t\n";
        let text = format!("row\tsection\tstrength\twhat\tnim-sds\t@waku/sds\n{lines}");
        let passed = tests.iter().map(|(name, passed)| ((*name).to_owned(), *passed)).collect();
        Table::new(rows::parse(&text).unwrap(), &Outcome { passed, panics: Vec::new() })
    }

    #[test]
    fn a_row_passes_if_all_its_tests_do() {
        let whole = table(&[("ack::a1_x", true), ("ack::a1_y", true), ("ack::a2_z", true)]);
        assert!(whole.problems().is_empty() && whole.text().ends_with("conformance: 2/2\n"));
        assert!(whole.markdown().contains("| a1 | MUST | first | yes |  | never |\n"));
        assert!(whole.markdown().contains("Tests: [`tests/rfc/ack.rs`](../tests/rfc/ack.rs)\n"));
        let broken = table(&[("ack::a1_x", true), ("ack::a1_y", false), ("ack::b1_z", true)]);
        assert!(broken.text().ends_with("conformance: 0/2\n"));
        let problems = ["a1: a test fails", "a2: no test is called a2_...", "ack::b1_z: its name begins with no row"];
        assert_eq!(broken.problems(), problems);
    }
}
