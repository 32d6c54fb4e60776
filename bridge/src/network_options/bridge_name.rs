//! The name of a bridge device.

use std::fmt;
use std::str::FromStr;

use crate::serde_as_string::serde_as_string;

/// The longest name of a network device in bytes: `IFNAMSIZ` less the terminating zero.
const LONGEST: usize = 15;

/// The directories beside the devices' own below `/proc/sys/net/ipv4/conf`; the kernel makes no device of that name.
const DIRECTORIES: [&str; 2] = ["all", "default"];

/// A name that the kernel gives to a device (`dev_valid_name` in net/core/dev.c), and that means just this device in a firewall rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BridgeName(String);

/// Why a device cannot have a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BridgeNameError {
    /// There is nothing.
    #[error("the bridge name is empty; write one such as `br-web`")]
    Empty,
    /// It does not fit.
    #[error("bridge name `{0}` is too long; a device name has at most {LONGEST} bytes")]
    TooLong(String),
    /// It means something else where device names are used.
    #[error(
        "bridge name `{0}` is not possible, because it has a meaning of its own; write another such as `br-web`"
    )]
    Reserved(String),
    /// A character that the kernel refuses, or that firewall rules give a meaning.
    #[error("bridge name `{name}` has `{}` in it; use letters, digits, `_`, `.` and `-`, such as `br-web`", character.escape_default())]
    Character {
        /// The name as typed.
        name: String,
        /// What has no place in it.
        character: char,
    },
}

impl BridgeName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for BridgeName {
    type Err = BridgeNameError;

    fn from_str(name: &str) -> Result<Self, BridgeNameError> {
        if name.is_empty() {
            return Err(BridgeNameError::Empty);
        }
        if name.len() > LONGEST {
            return Err(BridgeNameError::TooLong(name.to_owned()));
        }
        if matches!(name, "." | "..") || name.starts_with('-') || DIRECTORIES.contains(&name) {
            return Err(BridgeNameError::Reserved(name.to_owned()));
        }
        match name.chars().find(|character| !is_plain(*character)) {
            Some(character) => Err(BridgeNameError::Character {
                name: name.to_owned(),
                character,
            }),
            None => Ok(Self(name.to_owned())),
        }
    }
}

/// Besides `/`, `:` and white space, which no device name has, these are left out: `%`, which the kernel replaces by a number; `+` and
/// `*`, which stand for the rest of a name in rules; `!`, quotes and `\`, which rules have other uses for; and all that is not ASCII.
fn is_plain(character: char) -> bool {
    character.is_ascii_graphic() && !"/:%+*!\"'`\\".contains(character)
}

impl fmt::Display for BridgeName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

serde_as_string!(BridgeName);
