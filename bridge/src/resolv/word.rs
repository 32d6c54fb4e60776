//! The words a user may put into a container's resolv.conf. Each stands on a line with others, so none can hold a space, a line
//! break or the beginning of a comment.

use std::fmt;
use std::str::FromStr;

use crate::serde_as_string::serde_as_string;

/// The longest domain name in characters (RFC 1035), without the final dot; options have no use for more either.
const LONGEST: usize = 253;

/// The longest part of a domain name between dots, in characters (RFC 1035).
const LONGEST_LABEL: usize = 63;

/// A domain that is tried behind a short name (`--dns-search`): letters, digits, `-` and `_` in parts with dots between them. A
/// single `.` stands for no domain at all. Displayed and saved as it was typed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SearchDomain(String);

/// An option of the resolver library (`--dns-option`), such as `ndots:2` or `rotate`, as resolv.conf(5) lists them. The library
/// ignores those it does not know, so any word of ASCII letters, digits and marks is taken. Displayed and saved as it was typed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResolverOption(String);

/// A text that is no [`SearchDomain`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "invalid search domain `{}`: use letters, digits, `-`, `_` and `.`, at most {LONGEST} of them, such as `example.org`, or `.` alone for no domain",
    .0.escape_default()
)]
pub struct SearchDomainError(String);

/// A text that is no [`ResolverOption`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "invalid resolver option `{}`: write one word of at most {LONGEST} characters, such as `ndots:2`",
    .0.escape_default()
)]
pub struct ResolverOptionError(String);

impl SearchDomain {
    /// The domain as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the single `.`, which stands for no domain.
    pub fn is_none(&self) -> bool {
        self.0 == "."
    }
}

impl ResolverOption {
    /// The option with its value, as in `ndots:2`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the `:`, or all of an option without a value.
    pub fn name(&self) -> &str {
        option_name(&self.0)
    }
}

/// The part of a resolver option before its `:`.
pub(super) fn option_name(option: &str) -> &str {
    option.split_once(':').map_or(option, |(name, _)| name)
}

impl FromStr for SearchDomain {
    type Err = SearchDomainError;

    fn from_str(text: &str) -> Result<Self, SearchDomainError> {
        let domain = text.strip_suffix('.').unwrap_or(text);
        let is_domain = domain.len() <= LONGEST && domain.split('.').all(is_label);
        if text == "." || is_domain {
            Ok(Self(text.to_owned()))
        } else {
            Err(SearchDomainError(text.to_owned()))
        }
    }
}

impl FromStr for ResolverOption {
    type Err = ResolverOptionError;

    fn from_str(text: &str) -> Result<Self, ResolverOptionError> {
        let is_word = (1..=LONGEST).contains(&text.len())
            && !text.starts_with(['#', ';'])
            && text.bytes().all(|byte| byte.is_ascii_graphic());
        if is_word {
            Ok(Self(text.to_owned()))
        } else {
            Err(ResolverOptionError(text.to_owned()))
        }
    }
}

fn is_label(label: &str) -> bool {
    (1..=LONGEST_LABEL).contains(&label.len())
        && label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

impl fmt::Display for SearchDomain {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

impl fmt::Display for ResolverOption {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

serde_as_string!(SearchDomain, ResolverOption);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn domains_are_taken_as_typed_and_a_dot_stands_for_none() {
        let longest = format!("{0}.{0}.{0}.{1}", "a".repeat(63), "b".repeat(61));
        for text in ["example.org", "example.org.", "LAN", "_tcp.x-1", &longest] {
            let domain: SearchDomain = text.parse().unwrap();
            assert_eq!(domain.to_string(), text);
            assert!(!domain.is_none());
        }
        assert!(".".parse::<SearchDomain>().unwrap().is_none());
    }

    #[test]
    fn what_is_no_domain_is_refused_on_one_line() {
        let long_label = "a".repeat(64);
        let long = format!("{0}.{0}.{0}.{1}", "a".repeat(63), "b".repeat(62));
        let texts = ["", "..", ".a", "a..b", "a b", "#a", "a\nb", "é", "a;b"];
        for text in texts.into_iter().chain([&*long_label, &*long]) {
            assert!(text.parse::<SearchDomain>().is_err(), "{text}");
        }
        assert_eq!(
            "a\nnameserver 6.6.6.6"
                .parse::<SearchDomain>()
                .unwrap_err()
                .to_string(),
            "invalid search domain `a\\nnameserver 6.6.6.6`: use letters, digits, `-`, `_` and `.`, at most 253 of them, such as `example.org`, or `.` alone for no domain"
        );
    }

    #[test]
    fn options_are_single_words_with_a_name() {
        for (text, name) in [
            ("ndots:2", "ndots"),
            ("rotate", "rotate"),
            ("ndots:", "ndots"),
        ] {
            let option: ResolverOption = text.parse().unwrap();
            assert_eq!((option.as_str(), option.name()), (text, name));
        }
        let long = "a".repeat(254);
        for text in ["", " ", "a b", "ndots:2\n", "#ndots", ";", "é", &long] {
            assert!(text.parse::<ResolverOption>().is_err(), "{text}");
        }
        assert_eq!(
            "two words"
                .parse::<ResolverOption>()
                .unwrap_err()
                .to_string(),
            "invalid resolver option `two words`: write one word of at most 253 characters, such as `ndots:2`"
        );
    }

    #[test]
    fn both_are_saved_as_text() {
        let domain: SearchDomain = "example.org".parse().unwrap();
        let option: ResolverOption = "ndots:2".parse().unwrap();
        let json = serde_json::to_string(&(&domain, &option)).unwrap();
        assert_eq!(json, r#"["example.org","ndots:2"]"#);
        let read: (SearchDomain, ResolverOption) = serde_json::from_str(&json).unwrap();
        assert_eq!(read, (domain, option));
        assert!(serde_json::from_str::<SearchDomain>(r#""a b""#).is_err());
    }

    proptest! {
        #[test]
        fn no_word_can_break_its_line(text in "\\PC{0,8}|[a-z.:#; \n\t]{0,8}") {
            let words = [
                text.parse::<SearchDomain>().map(|word| word.to_string()).ok(),
                text.parse::<ResolverOption>().map(|word| word.to_string()).ok(),
            ];
            for word in words.into_iter().flatten() {
                prop_assert!(!word.is_empty() && !word.contains(char::is_whitespace));
                prop_assert!(!word.starts_with(['#', ';']));
            }
        }
    }
}
