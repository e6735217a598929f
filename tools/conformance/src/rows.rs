//! The rows: what RFC 109 asks for, by the sentence, and where the deployed implementations fall short.

use std::collections::BTreeSet;

/// The table, one row a line.
pub const PATH: &str = "tests/rfc/rows.tsv";
const HEAD: &str = "row\tsection\tstrength\twhat\tnim-sds\t@waku/sds";

/// One requirement.
pub struct Row {
    /// Its number, with which the names of its tests begin.
    pub id: String,
    /// The section of the RFC.
    pub section: String,
    /// MUST, SHOULD, ...; empty where the RFC uses no such word.
    pub strength: String,
    /// What it asks.
    pub what: String,
    /// Where nim-sds falls short, if it is known to.
    pub nim_sds: String,
    /// The same for @waku/sds.
    pub waku_sds: String,
}

/// Reads the table.
pub fn parse(text: &str) -> Result<Vec<Row>, String> {
    let mut lines = text.lines();
    if lines.next() != Some(HEAD) {
        return Err(format!("{PATH}: it must begin with the line {HEAD:?}"));
    }
    let rows = lines.map(row).collect::<Result<Vec<_>, _>>()?;
    let mut seen = BTreeSet::new();
    match rows.iter().find(|row| !seen.insert(row.id.as_str())) {
        Some(twice) => Err(format!("{PATH}: {} is there twice", twice.id)),
        None => Ok(rows),
    }
}

fn row(line: &str) -> Result<Row, String> {
    let cells: Vec<String> = line.split('\t').map(str::to_owned).collect();
    let cells: [String; 6] = cells.try_into().map_err(|_| format!("{PATH}: not six cells: {line:?}"))?;
    let [id, section, strength, what, nim_sds, waku_sds] = cells;
    if id.is_empty() || section.is_empty() || what.is_empty() {
        return Err(format!("{PATH}: row, section and what must not be empty: {line:?}"));
    }
    Ok(Row { id, section, strength, what, nim_sds, waku_sds })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_are_no_rows_are_refused() {
        let parse = |lines: &str| parse(&format!("{HEAD}\n{lines}"));
        assert_eq!(parse("a1\tS\tMUST\twhat\t\t\nx1\tS\t\twhat\tn\tw").unwrap().len(), 2);
        for bad in ["a1\tS\tMUST\twhat\t", "a1\tS\tMUST\t\t\t", "a1\tS\tM\tw\t\t\na1\tS\tM\tw\t\t", ""] {
            assert_eq!(parse(bad).is_err(), !bad.is_empty(), "{bad:?}");
        }
        assert!(super::parse("row\n").is_err());
    }
}
