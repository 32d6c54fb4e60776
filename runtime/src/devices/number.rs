//! The numbers by which the kernel knows a device.

use super::error::DeviceError;
use std::fmt;

/// The highest major number, of twelve bits.
pub const HIGHEST_MAJOR: u32 = (1 << 12) - 1;

/// The highest minor number, of twenty bits.
pub const HIGHEST_MINOR: u32 = (1 << 20) - 1;

/// The two kinds of devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeviceKind {
    /// Disks and their like.
    Block,
    /// All others.
    Character,
}

impl DeviceKind {
    /// Both.
    pub const BOTH: [DeviceKind; 2] = [DeviceKind::Block, DeviceKind::Character];

    /// The letter by which `mknod` and rules name it.
    pub fn letter(self) -> char {
        match self {
            DeviceKind::Block => 'b',
            DeviceKind::Character => 'c',
        }
    }
}

/// One number, or all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NumberWanted {
    /// Every one.
    Any,
    /// This one.
    One(u32),
}

impl NumberWanted {
    /// Whether the number is meant.
    pub fn matches(self, number: u32) -> bool {
        match self {
            NumberWanted::Any => true,
            NumberWanted::One(one) => one == number,
        }
    }

    /// Reads a number up to the highest, or `*`.
    pub(super) fn parse(text: &str, highest: u32) -> Result<NumberWanted, DeviceError> {
        if text == "*" {
            return Ok(NumberWanted::Any);
        }
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse() {
            Ok(number) if is_number && number <= highest => Ok(NumberWanted::One(number)),
            _ => Err(DeviceError::Number {
                text: text.to_owned(),
                highest,
            }),
        }
    }
}

impl fmt::Display for NumberWanted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NumberWanted::Any => formatter.write_str("*"),
            NumberWanted::One(number) => number.fmt(formatter),
        }
    }
}
