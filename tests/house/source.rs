//! Rust source as tokens, and the paths that it names: just enough to check house rules, without a parser.

/// Replaces comments, strings and characters by blanks; lines keep their numbers.
pub fn blank(source: &str) -> String {
    let chars: Vec<char> = source.chars().collect();
    let mut out = String::with_capacity(source.len());
    let mut at = 0;
    while at < chars.len() {
        let end = end_of_text(&chars, at);
        if end == at {
            out.push(chars[at]);
            at += 1;
        } else {
            out.extend(chars[at..end].iter().map(|&c| if c == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    out
}

/// Where the comment, string or character that begins at `at` ends; `at` itself if none begins there.
fn end_of_text(chars: &[char], at: usize) -> usize {
    let next = |n: usize| chars.get(at + n).copied();
    let find_from = |start: usize, wanted: &[char]| {
        (start..chars.len()).find(|&i| chars[i..].starts_with(wanted)).map_or(chars.len(), |i| i + wanted.len())
    };
    match (chars[at], next(1)) {
        ('/', Some('/')) => (at..chars.len()).find(|&i| chars[i] == '\n').unwrap_or(chars.len()),
        ('/', Some('*')) => {
            let (mut depth, mut i) = (1, at + 2);
            while depth > 0 && i < chars.len() {
                let step = if chars[i..].starts_with(&['/', '*']) {
                    depth += 1;
                    2
                } else if chars[i..].starts_with(&['*', '/']) {
                    depth -= 1;
                    2
                } else {
                    1
                };
                i += step;
            }
            i
        }
        ('"', _) => {
            let mut i = at + 1;
            while i < chars.len() && chars[i] != '"' {
                i += if chars[i] == '\\' { 2 } else { 1 };
            }
            (i + 1).min(chars.len())
        }
        // A raw string; `r#name` is an identifier. The `b` or `c` before it, if any, is left standing.
        ('r', Some('"' | '#')) if at == 0 || !is_word(chars[at - 1]) || matches!(chars[at - 1], 'b' | 'c') => {
            let hashes = chars[at + 1..].iter().take_while(|&&c| c == '#').count();
            if next(1 + hashes) != Some('"') {
                return at;
            }
            let mut close = vec!['"'];
            close.extend(std::iter::repeat_n('#', hashes));
            find_from(at + 2 + hashes, &close)
        }
        // A character, unless it is a lifetime.
        ('\'', Some('\\')) => find_from(at + 3, &['\'']),
        ('\'', Some(_)) if next(2) == Some('\'') => at + 3,
        _ => at,
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The words, `::` and signs of blanked source.
pub fn tokens(blanked: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut chars = blanked.chars().peekable();
    while let Some(c) = chars.next() {
        if is_word(c) {
            let mut word = String::from(c);
            while let Some(&c) = chars.peek().filter(|c| is_word(**c)) {
                word.push(c);
                chars.next();
            }
            tokens.push(word);
        } else if c == ':' && chars.peek() == Some(&':') {
            chars.next();
            tokens.push("::".to_owned());
        } else if !c.is_whitespace() {
            tokens.push(c.to_string());
        }
    }
    tokens
}

/// Drops every item that stands under `#[cfg(test)]`.
pub fn without_tests(tokens: Vec<String>) -> Vec<String> {
    const MARK: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut kept = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at..].iter().map(String::as_str).take(MARK.len()).eq(MARK) {
            at = end_of_item(&tokens, at + MARK.len());
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    kept
}

/// An item ends with the `;`, or with the block, that lies in no bracket.
fn end_of_item(tokens: &[String], start: usize) -> usize {
    let mut depth = 0i32;
    for (i, token) in tokens.iter().enumerate().skip(start) {
        match token.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" => depth -= 1,
            "}" => {
                depth -= 1;
                if depth <= 0 {
                    return i + 1;
                }
            }
            ";" if depth == 0 => return i + 1,
            _ => {}
        }
    }
    tokens.len()
}

/// What a file's own code says: tokens without comments, strings and tests.
pub fn code(source: &str) -> Vec<String> {
    without_tests(tokens(&blank(source)))
}

/// Drops `pub use part::b;`: a folder's face passes on what its parts have. From elsewhere, it is a use.
pub fn without_reexports(tokens: Vec<String>) -> Vec<String> {
    let mut kept = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        let reexport = tokens[at..].starts_with(&["pub".to_owned(), "use".to_owned()]);
        if reexport && !tokens.get(at + 2).is_some_and(|token| token == "crate" || token == "super") {
            at += tokens[at..].iter().position(|token| token == ";").map_or(tokens.len(), |length| length + 1);
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    kept
}

/// Every path of two or more parts, `use` trees written out: `use a::{b, c::*}` gives a::b and a::c::*. An `as` name is
/// no part.
pub fn paths(tokens: &[String]) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let starts = is_name(&tokens[at]) && (at == 0 || tokens[at - 1] != "::");
        if starts && tokens.get(at + 1).is_some_and(|token| token == "::") {
            at = branch(tokens, at, &mut Vec::new(), &mut found);
        } else {
            at += 1;
        }
    }
    found
}

fn is_name(token: &str) -> bool {
    token == "*" || token.chars().next().is_some_and(is_word)
}

/// Reads one branch of a tree that begins at `at` under `prefix`; returns where it ends.
fn branch(tokens: &[String], mut at: usize, prefix: &mut Vec<String>, found: &mut Vec<Vec<String>>) -> usize {
    let depth = prefix.len();
    loop {
        match tokens.get(at).map(String::as_str) {
            Some("{") => {
                at += 1;
                while tokens.get(at).is_some_and(|token| token != "}") {
                    let before = at;
                    at = branch(tokens, at, prefix, found);
                    at += usize::from(tokens.get(at).is_some_and(|token| token == ",") || at == before);
                }
                prefix.truncate(depth);
                return at + 1;
            }
            Some(name) if is_name(name) => prefix.push(name.to_owned()),
            _ => break,
        }
        at += 1;
        if tokens.get(at).is_some_and(|token| token == "::") {
            at += 1;
        } else {
            break;
        }
    }
    found.push(prefix.clone());
    prefix.truncate(depth);
    // `as name`
    if tokens.get(at).is_some_and(|token| token == "as") {
        at += 2;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(source: &str) -> String {
        code(source).join(" ")
    }

    fn named(source: &str) -> Vec<String> {
        paths(&code(source)).iter().map(|path| path.join("::")).collect()
    }

    #[test]
    fn comments_and_texts_are_no_code() {
        assert_eq!(joined("a // b\nc /* d /* e */ f */ g"), "a c g");
        assert_eq!(joined(r##"a("b \" c", r#"d " e"#, b"f", 'g', '\'', '\u{7f}') h"##), "a ( , , b , , , ) h");
        assert_eq!(joined("fn f<'a>(x: &'a str) {}"), "fn f < ' a > ( x : & ' a str ) { }");
        assert_eq!(joined("let r#type = 1;"), "let r # type = 1 ;");
    }

    #[test]
    fn tests_are_no_code() {
        assert_eq!(joined("a; #[cfg(test)] mod t { fn x() { y } } b;"), "a ; b ;");
        assert_eq!(joined("#[cfg(test)]\n#[path = \"x\"]\nmod t; b;"), "b ;");
        assert_eq!(joined("#[cfg(test)] fn f(a: [u8; 3]) -> u8 { 1 } b"), "b");
        assert_eq!(joined("#[cfg(not(test))] fn f() {}").matches("fn f").count(), 1);
    }

    #[test]
    fn reexports_are_dropped() {
        assert_eq!(without_reexports(code("mod a; pub use a::{B, C}; use a::D;")).join(" "), "mod a ; use a :: D ;");
        assert_eq!(without_reexports(code("pub use crate::a::B;")).join(" "), "pub use crate :: a :: B ;");
    }

    #[test]
    fn paths_are_written_out() {
        assert_eq!(
            named("use crate::{a::{self, B}, c as d, e::*};"),
            ["crate::a::self", "crate::a::B", "crate::c", "crate::e::*"]
        );
        assert_eq!(named("let x: crate::a::B = super::c::d();"), ["crate::a::B", "super::c::d"]);
        assert_eq!(named("pub(crate) fn f() { g() }"), Vec::<String>::new());
        assert_eq!(named("match x { a::B => c::D { e }, }"), ["a::B", "c::D"]);
        assert_eq!(named("use std::{collections::HashMap, time};"), ["std::collections::HashMap", "std::time"]);
    }
}
