//! `--device-cgroup-rule`: devices that a container may use, by their numbers.

use super::access::DeviceAccess;
use super::error::DeviceError;
use super::number::{DeviceKind, HIGHEST_MAJOR, HIGHEST_MINOR, NumberWanted};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Devices, and what may be done with them: `c 1:* rmw`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DeviceRule {
    /// Their kind; none means both.
    pub kind: Option<DeviceKind>,
    /// Their major number.
    pub major: NumberWanted,
    /// Their minor number.
    pub minor: NumberWanted,
    /// What may be done.
    pub access: DeviceAccess,
}

impl DeviceRule {
    /// The kinds that are meant.
    pub fn kinds(&self) -> impl Iterator<Item = DeviceKind> {
        let wanted = self.kind;
        DeviceKind::BOTH
            .into_iter()
            .filter(move |kind| wanted.is_none_or(|wanted| wanted == *kind))
    }
}

impl FromStr for DeviceRule {
    type Err = DeviceError;

    fn from_str(text: &str) -> Result<DeviceRule, DeviceError> {
        let malformed = || DeviceError::Rule(text.to_owned());
        let words: Vec<&str> = text.split(' ').collect();
        let [kind, numbers, access] = words[..] else {
            return Err(malformed());
        };
        let kind = match kind {
            "a" => None,
            "b" => Some(DeviceKind::Block),
            "c" => Some(DeviceKind::Character),
            _ => return Err(malformed()),
        };
        let (major, minor) = numbers.split_once(':').ok_or_else(malformed)?;
        Ok(DeviceRule {
            kind,
            major: NumberWanted::parse(major, HIGHEST_MAJOR)?,
            minor: NumberWanted::parse(minor, HIGHEST_MINOR)?,
            access: access.parse()?,
        })
    }
}

impl fmt::Display for DeviceRule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind.map_or('a', DeviceKind::letter);
        write!(
            formatter,
            "{kind} {}:{} {}",
            self.major, self.minor, self.access
        )
    }
}

impl TryFrom<String> for DeviceRule {
    type Error = DeviceError;

    fn try_from(text: String) -> Result<DeviceRule, DeviceError> {
        text.parse()
    }
}

impl From<DeviceRule> for String {
    fn from(rule: DeviceRule) -> String {
        rule.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rules_are_written_as_the_kernel_writes_them() {
        for (text, shown) in [
            ("c 1:* rmw", "c 1:* rwm"),
            ("b 8:0 r", "b 8:0 r"),
            ("a *:* m", "a *:* m"),
            ("c 4095:1048575 w", "c 4095:1048575 w"),
        ] {
            assert_eq!(text.parse::<DeviceRule>().unwrap().to_string(), shown);
        }
    }

    #[test]
    fn what_is_wrong_with_a_rule_is_said() {
        for (text, message) in [
            (
                "c 1:3",
                "invalid device rule `c 1:3`: write kind, numbers and access, such as `c 1:* rwm`",
            ),
            (
                "d 1:3 r",
                "invalid device rule `d 1:3 r`: write kind, numbers and access, such as `c 1:* rwm`",
            ),
            (
                "c  1:3 r",
                "invalid device rule `c  1:3 r`: write kind, numbers and access, such as `c 1:* rwm`",
            ),
            (
                "c 4096:3 r",
                "invalid device number `4096`: write one from 0 to 4095, or `*`",
            ),
            (
                "c 1:+3 r",
                "invalid device number `+3`: write one from 0 to 1048575, or `*`",
            ),
            (
                "c 1:3 rx",
                "invalid device access `rx`: write some of `r`, `w` and `m`, each once",
            ),
        ] {
            let error = text.parse::<DeviceRule>().unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }

    proptest! {
        #[test]
        fn a_rule_that_is_shown_is_read_as_the_same(text in "[abc] (\\*|[0-9]{1,4}):(\\*|[0-9]{1,7}) [rwm]{1,3}") {
            if let Ok(rule) = text.parse::<DeviceRule>() {
                prop_assert_eq!(rule.to_string().parse::<DeviceRule>(), Ok(rule));
            }
        }

        #[test]
        fn no_text_is_too_much(text in ".{0,40}") {
            let _ = text.parse::<DeviceRule>();
        }
    }
}
