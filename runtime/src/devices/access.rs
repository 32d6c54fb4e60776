//! What may be done with a device: `rwm`.

use super::error::DeviceError;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The letters, each with the kernel's bit (`BPF_DEVCG_ACC_…`), in the order in which they are shown.
const LETTERS: [(char, u8); 3] = [('r', 2), ('w', 4), ('m', 1)];

/// Some of reading, writing, and making nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DeviceAccess(u8);

impl DeviceAccess {
    /// All three.
    pub const ALL: DeviceAccess = DeviceAccess(7);
    /// Making nodes.
    pub const MAKE: DeviceAccess = DeviceAccess(1);
    /// Reading.
    pub const READ: DeviceAccess = DeviceAccess(2);
    /// Writing.
    pub const WRITE: DeviceAccess = DeviceAccess(4);

    /// The bits as the kernel numbers them.
    pub fn bits(self) -> u8 {
        self.0
    }

    /// What one or the other permits.
    pub fn with(self, other: DeviceAccess) -> DeviceAccess {
        DeviceAccess(self.0 | other.0)
    }

    /// Whether everything that the other permits is permitted.
    pub fn includes(self, other: DeviceAccess) -> bool {
        other.0 & !self.0 == 0
    }
}

impl FromStr for DeviceAccess {
    type Err = DeviceError;

    fn from_str(text: &str) -> Result<DeviceAccess, DeviceError> {
        let wrong = || DeviceError::Access(text.to_owned());
        let mut bits = 0;
        for character in text.chars() {
            let found = LETTERS.iter().find(|(letter, _)| *letter == character);
            let (_, bit) = found.ok_or_else(wrong)?;
            if bits & bit != 0 {
                return Err(wrong());
            }
            bits |= bit;
        }
        match bits {
            0 => Err(wrong()),
            bits => Ok(DeviceAccess(bits)),
        }
    }
}

impl fmt::Display for DeviceAccess {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (letter, bit) in LETTERS {
            if self.0 & bit != 0 {
                write!(formatter, "{letter}")?;
            }
        }
        Ok(())
    }
}

impl TryFrom<String> for DeviceAccess {
    type Error = DeviceError;

    fn try_from(text: String) -> Result<DeviceAccess, DeviceError> {
        text.parse()
    }
}

impl From<DeviceAccess> for String {
    fn from(access: DeviceAccess) -> String {
        access.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_letter_is_written_once_in_any_order() {
        for (text, shown) in [("r", "r"), ("mr", "rm"), ("wmr", "rwm")] {
            let access: DeviceAccess = text.parse().unwrap();
            assert_eq!(access.to_string(), shown);
        }
        for wrong in ["", "rr", "rx", "R", "rwmr"] {
            assert_eq!(
                wrong.parse::<DeviceAccess>(),
                Err(DeviceError::Access(wrong.to_owned()))
            );
        }
    }

    #[test]
    fn access_includes_itself_and_what_is_less() {
        let read_write = DeviceAccess::READ.with(DeviceAccess::WRITE);
        assert!(read_write.includes(DeviceAccess::READ));
        assert!(read_write.includes(read_write));
        assert!(!read_write.includes(DeviceAccess::ALL));
    }
}
