//! Command lines, written as a person types them or word by word.

use std::ffi::OsString;

/// The arguments of a program.
///
/// A `&str` is split at white space, with no quoting: `"run -d demo true"`. A list is taken word by word, for words that hold
/// blanks or nothing at all: `["run", "-p", "", "demo"]`.
pub trait Words {
    /// The words, in order.
    fn words(self) -> Vec<OsString>;
}

impl Words for &str {
    fn words(self) -> Vec<OsString> {
        self.split_whitespace().map(OsString::from).collect()
    }
}

impl Words for &String {
    fn words(self) -> Vec<OsString> {
        self.as_str().words()
    }
}

impl Words for String {
    fn words(self) -> Vec<OsString> {
        self.as_str().words()
    }
}

impl<const N: usize> Words for [&str; N] {
    fn words(self) -> Vec<OsString> {
        self.iter().map(OsString::from).collect()
    }
}

impl Words for &[&str] {
    fn words(self) -> Vec<OsString> {
        self.iter().map(OsString::from).collect()
    }
}

impl Words for Vec<OsString> {
    fn words(self) -> Vec<OsString> {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_split_at_white_space() {
        assert_eq!("run  -d demo".words(), ["run", "-d", "demo"]);
    }

    #[test]
    fn a_list_keeps_empty_words_and_blanks() {
        assert_eq!(["-p", "", "a b"].words(), ["-p", "", "a b"]);
    }
}
