//! One word behind `--cap-add` and `--cap-drop`: a capability, or all of them.

use std::fmt;
use std::str::FromStr;

use caps::Capability;

/// A capability by its name, with or without `CAP_`, in upper or lower case; or `ALL`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CapabilityWord {
    /// Every capability.
    All,
    /// This one.
    One(Capability),
}

/// A word that names no capability.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CapabilityWordError {
    /// It is much like one.
    #[error("unknown capability `{word}`: did you mean `{near}`?")]
    Near {
        /// What was written.
        word: String,
        /// What was probably meant.
        near: String,
    },
    /// It is like none.
    #[error("unknown capability `{0}`: capabilities(7) lists them; `ALL` means all")]
    Unknown(String),
}

const ALL: &str = "ALL";
const PREFIX: &str = "CAP_";

/// How many letters may be wrong in a word that is still understood well enough to ask back, as long as more than half are right.
const MOST_WRONG: usize = 3;

impl FromStr for CapabilityWord {
    type Err = CapabilityWordError;

    fn from_str(text: &str) -> Result<CapabilityWord, CapabilityWordError> {
        let upper = text.to_ascii_uppercase();
        if upper == ALL {
            return Ok(CapabilityWord::All);
        }
        let bare = upper.strip_prefix(PREFIX).unwrap_or(&upper);
        match format!("{PREFIX}{bare}").parse() {
            Ok(capability) => Ok(CapabilityWord::One(capability)),
            Err(_) => Err(unknown(text, bare)),
        }
    }
}

impl fmt::Display for CapabilityWord {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CapabilityWord::All => formatter.write_str(ALL),
            CapabilityWord::One(capability) => capability.fmt(formatter),
        }
    }
}

minirun_bridge::serde_as_string!(CapabilityWord);

fn unknown(word: &str, bare: &str) -> CapabilityWordError {
    let names = caps::all().into_iter().map(|one| one.to_string());
    let measured = names.filter_map(|name| {
        let wrong = difference(bare, name.strip_prefix(PREFIX)?)?;
        (wrong <= MOST_WRONG && wrong * 2 < bare.len()).then_some((wrong, name))
    });
    match measured.min() {
        Some((_, near)) => CapabilityWordError::Near {
            word: word.to_owned(),
            near: near.trim_start_matches(PREFIX).to_owned(),
        },
        None => CapabilityWordError::Unknown(word.to_owned()),
    }
}

/// How many letters have to be put in, taken out or replaced to make one word of the other; none for words of so different lengths
/// that it does not matter.
fn difference(one: &str, other: &str) -> Option<usize> {
    if one.len().abs_diff(other.len()) > MOST_WRONG {
        return None;
    }
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, letter) in one.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (column, expected) in other.bytes().enumerate() {
            let replaced = diagonal + usize::from(letter != expected);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row.last().copied()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_may_lack_its_prefix_and_be_of_any_case() {
        let expected = CapabilityWord::One(Capability::CAP_NET_ADMIN);
        for text in ["NET_ADMIN", "net_admin", "CAP_NET_ADMIN", "Cap_Net_Admin"] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
        assert_eq!("all".parse(), Ok(CapabilityWord::All));
        assert_eq!(expected.to_string(), "CAP_NET_ADMIN");
    }

    #[test]
    fn an_unknown_word_is_answered_with_the_one_that_was_probably_meant() {
        for (word, answer) in [
            (
                "NET_ADMN",
                "unknown capability `NET_ADMN`: did you mean `NET_ADMIN`?",
            ),
            (
                "cap_sysadmin",
                "unknown capability `cap_sysadmin`: did you mean `SYS_ADMIN`?",
            ),
            (
                "everything",
                "unknown capability `everything`: capabilities(7) lists them; `ALL` means all",
            ),
            (
                "",
                "unknown capability ``: capabilities(7) lists them; `ALL` means all",
            ),
        ] {
            let error = word.parse::<CapabilityWord>().unwrap_err();
            assert_eq!(error.to_string(), answer);
        }
    }

    proptest! {
        #[test]
        fn no_word_is_too_strange_and_what_is_understood_is_shown_as_it_reads(text in any::<String>()) {
            if let Ok(word) = text.parse::<CapabilityWord>() {
                prop_assert_eq!(word.to_string().parse(), Ok(word));
            }
        }
    }
}
