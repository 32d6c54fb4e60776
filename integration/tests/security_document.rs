//! SECURITY.md promises nothing that no test holds: every promise names one, and each of these exists.

use std::fs;
use std::path::{Path, PathBuf};

fn of_project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

fn document() -> String {
    fs::read_to_string(of_project("SECURITY.md")).expect("there is SECURITY.md")
}

/// The promises, each as one line, wherever they were wrapped.
fn promises(document: &str) -> Vec<String> {
    let (_, section) = document
        .split_once("\n## Promises")
        .expect("there is a section of promises");
    let section = section.split("\n## ").next().unwrap_or_default();
    let mut promises: Vec<String> = Vec::new();
    for line in section.lines().skip(1) {
        match (line.strip_prefix("- "), promises.last_mut()) {
            (Some(promise), _) => promises.push(promise.to_owned()),
            (None, Some(promise)) if line.starts_with("  ") => {
                promise.push(' ');
                promise.push_str(line.trim());
            }
            _ => {}
        }
    }
    promises
}

/// The tests that a promise names: file and function, written as `` `FILE.rs`: `FUNCTION` ``.
fn tests(promise: &str) -> Vec<(&str, &str)> {
    let words: Vec<&str> = promise.split('`').collect();
    let named = words.windows(3).filter(|three| three[1] == ": ");
    named.map(|three| (three[0], three[2])).collect()
}

#[test]
fn every_promise_names_a_test_and_every_test_exists() {
    let document = document();
    let promises = promises(&document);
    assert!(promises.len() > 20, "{promises:#?}");
    for promise in &promises {
        let tests = tests(promise);
        assert!(!tests.is_empty(), "no test is named: {promise}");
        for (file, function) in tests {
            let text = fs::read_to_string(of_project(file))
                .unwrap_or_else(|error| panic!("`{file}`: {error}: {promise}"));
            let is_there = text
                .split("#[test]")
                .skip(1)
                .any(|test| test.trim_start().starts_with(&format!("fn {function}(")));
            assert!(is_there, "`{file}` has no test `{function}`: {promise}");
        }
    }
}

#[test]
fn a_promise_is_read_whole_wherever_it_is_wrapped() {
    let text = "# Security\n\n- no promise\n\n## Promises, and more\n\n### Files\n\n- One (`a.rs`: `x`).\n\
        - Two, which\n  is long (`b.rs`: `y`;\n  `c.rs`: `z`).\n- Three `of`: nothing.\n\n## End\n\n- nor this\n";
    let promises = promises(text);
    assert_eq!(promises.len(), 3);
    assert_eq!(tests(&promises[0]), [("a.rs", "x")]);
    assert_eq!(tests(&promises[1]), [("b.rs", "y"), ("c.rs", "z")]);
    assert_eq!(tests(&promises[2]), []);
}
