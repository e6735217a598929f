//! Documents that name tests name ones that exist.
//!
//! A test is named as `folder/file.rs::name`, below `tests`.

use std::path::{Path, PathBuf};

/// Documents, and how many tests each names at least: so that a change of their form does not go unnoticed.
const DOCUMENTS: [(&str, usize); 2] = [("docs/limits.md", 30), ("docs/threat-model.md", 30)];

/// A path from the top of the repository.
pub fn at_top(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// All tests that a text names in backquotes: file and name.
pub fn tests_named(text: &str) -> Vec<(&str, &str)> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.filter_map(|name| name.split_once("::")).filter(|(file, _)| file.ends_with(".rs")).collect()
}

/// Whether a file has a test of that name.
fn has_test(source: &str, name: &str) -> bool {
    source.split("#[test]").skip(1).any(|test| {
        let signature = test.trim_start().lines().find(|line| line.trim_start().starts_with("fn "));
        signature.is_some_and(|line| line.trim_start().starts_with(&format!("fn {name}(")))
    })
}

#[test]
fn every_test_that_a_document_names_exists() {
    for (document, least) in DOCUMENTS {
        let text = std::fs::read_to_string(at_top(document)).expect(document);
        let named = tests_named(&text);
        assert!(named.len() >= least, "{document}: only {} tests", named.len());
        for (file, name) in named {
            let source = std::fs::read_to_string(at_top("tests").join(file)).unwrap_or_default();
            assert!(has_test(&source, name), "{document}: no test {name} in tests/{file}");
        }
    }
}

#[test]
fn tests_that_do_not_exist_are_missed() {
    let source = "#[test]\nfn one() {}\n\nfn two() {}\n\n#[test]\n    fn three_of_them() {}\n";
    assert!(has_test(source, "one") && has_test(source, "three_of_them"));
    assert!(!has_test(source, "two") && !has_test(source, "three") && !has_test(source, "four"));
    assert_eq!(tests_named("see `a/b.rs::c`, `Config::default` and `d.rs::e`"), [("a/b.rs", "c"), ("d.rs", "e")]);
}
