//! Short options as every Unix program takes them: `-q`, `-qO-`, `-O FILE`, and `--` before words that only look like options.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use super::program::Failure;

/// The options that a program knows.
pub struct Grammar {
    /// Letters that stand alone.
    pub flags: &'static str,
    /// Letters that take a value.
    pub valued: &'static str,
    /// Where operands may stand.
    pub operands: Operands,
}

/// Where the words that are no options may stand.
#[derive(PartialEq, Eq)]
pub enum Operands {
    /// Before, between and after options.
    Anywhere,
    /// After all options: the first operand and all behind it, dashes or not, are operands.
    Last,
}

/// One option as it was given.
#[derive(Debug, PartialEq, Eq)]
pub enum Choice {
    /// A letter that stands alone.
    Flag(char),
    /// A letter and its value.
    Value(char, OsString),
}

/// Arguments taken apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    /// The options in the order they were given.
    pub choices: Vec<Choice>,
    /// Everything else, in order.
    pub operands: Vec<OsString>,
}

impl Grammar {
    /// Takes `arguments` apart. A lone `-` is an operand.
    ///
    /// # Errors
    ///
    /// [`Failure::Misuse`] for a letter that is not known and for a value that is missing.
    pub fn parse(&self, arguments: &[OsString]) -> Result<Parsed, Failure> {
        let mut parsed = Parsed::default();
        let mut rest = arguments.iter();
        while let Some(word) = rest.next() {
            match word.as_bytes() {
                b"--" => {
                    parsed.operands.extend(rest.cloned());
                    return Ok(parsed);
                }
                [b'-', b'-', ..] => return Err(unknown(&word.to_string_lossy())),
                [b'-', letters @ ..] if !letters.is_empty() => {
                    self.parse_letters(letters, &mut rest, &mut parsed.choices)?;
                }
                _ => {
                    parsed.operands.push(word.clone());
                    if self.operands == Operands::Last {
                        parsed.operands.extend(rest.cloned());
                        return Ok(parsed);
                    }
                }
            }
        }
        Ok(parsed)
    }

    /// The letters of one word behind its dash: flags, and at most one letter that takes the rest, or the next word, as value.
    fn parse_letters<'a>(
        &self,
        letters: &[u8],
        words: &mut impl Iterator<Item = &'a OsString>,
        choices: &mut Vec<Choice>,
    ) -> Result<(), Failure> {
        for (position, byte) in letters.iter().enumerate() {
            let letter = char::from(*byte);
            if self.flags.contains(letter) {
                choices.push(Choice::Flag(letter));
            } else if self.valued.contains(letter) {
                let attached = &letters[position + 1..];
                let value = if attached.is_empty() {
                    words.next().cloned().ok_or_else(|| {
                        Failure::Misuse(format!("option `-{letter}` needs a value"))
                    })?
                } else {
                    OsString::from_vec(attached.to_vec())
                };
                choices.push(Choice::Value(letter, value));
                return Ok(());
            } else {
                return Err(unknown(&format!("-{}", letter.escape_default())));
            }
        }
        Ok(())
    }
}

fn unknown(option: &str) -> Failure {
    Failure::Misuse(format!("unknown option `{option}`"))
}

/// Command lines for tests.
#[cfg(test)]
pub fn words(line: &str) -> Vec<OsString> {
    line.split_whitespace().map(OsString::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WGET: Grammar = Grammar {
        flags: "qS",
        valued: "OT",
        operands: Operands::Anywhere,
    };

    #[test]
    fn letters_may_be_joined_and_the_last_takes_the_rest_as_value() {
        let parsed = WGET.parse(&words("-qO- http://web/")).unwrap();
        assert_eq!(
            parsed.choices,
            [Choice::Flag('q'), Choice::Value('O', "-".into())]
        );
        assert_eq!(parsed.operands, words("http://web/"));
    }

    #[test]
    fn a_value_may_be_the_next_word_and_options_may_follow_operands() {
        let parsed = WGET.parse(&words("web -T 2 -S")).unwrap();
        assert_eq!(
            parsed.choices,
            [Choice::Value('T', "2".into()), Choice::Flag('S')]
        );
        assert_eq!(parsed.operands, words("web"));
    }

    #[test]
    fn two_dashes_end_the_options_and_one_is_an_operand() {
        let parsed = WGET.parse(&words("- -- -q --help")).unwrap();
        assert_eq!(parsed.operands, words("- -q --help"));
        assert!(parsed.choices.is_empty());
    }

    #[test]
    fn where_operands_come_last_the_first_ends_the_options() {
        let grammar = Grammar {
            flags: "i",
            valued: "",
            operands: Operands::Last,
        };
        let parsed = grammar.parse(&words("-i cat -n --long")).unwrap();
        assert_eq!(parsed.choices, [Choice::Flag('i')]);
        assert_eq!(parsed.operands, words("cat -n --long"));
    }

    #[test]
    fn what_is_unknown_or_missing_is_named() {
        let refusal = |line| WGET.parse(&words(line)).unwrap_err();
        let misuse = |text: &str| Failure::Misuse(text.to_owned());
        assert_eq!(refusal("-x"), misuse("unknown option `-x`"));
        assert_eq!(refusal("-qx"), misuse("unknown option `-x`"));
        assert_eq!(refusal("--quiet"), misuse("unknown option `--quiet`"));
        assert_eq!(refusal("-q -O"), misuse("option `-O` needs a value"));
    }
}
