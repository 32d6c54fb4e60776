//! How much a container may read from and write to disks, and how it shares them with others.

use crate::byte_size::ByteSize;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The limits of reading and writing; what is absent is not limited.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BlockLimits {
    /// Its weight when disks are busy.
    pub weight: Option<BlockWeight>,
    /// The same for single disks.
    pub device_weights: Vec<OnDevice<BlockWeight>>,
    /// Bytes read in a second.
    pub read_bytes: Vec<OnDevice<ByteSize>>,
    /// Bytes written in a second.
    pub written_bytes: Vec<OnDevice<ByteSize>>,
    /// Operations of reading in a second.
    pub reads: Vec<OnDevice<Operations>>,
    /// Operations of writing in a second.
    pub writes: Vec<OnDevice<Operations>>,
}

impl BlockLimits {
    /// Every disk that is named.
    pub fn devices(&self) -> impl Iterator<Item = &BlockDevice> {
        let weights = self.device_weights.iter().map(|limit| &limit.device);
        let bytes = self.read_bytes.iter().chain(&self.written_bytes);
        let operations = self.reads.iter().chain(&self.writes);
        weights
            .chain(bytes.map(|limit| &limit.device))
            .chain(operations.map(|limit| &limit.device))
    }
}

/// The weight of who has no other; the kernel's own.
pub const USUAL_WEIGHT: u16 = 100;

/// A container's weight when disks are busy, from 10 to 1000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BlockWeight(u16);

impl BlockWeight {
    /// The number.
    pub fn get(self) -> u16 {
        self.0
    }

    /// The same on the scale of `io.weight`, from 1 to 10000, as runc converts it.
    pub fn on_large_scale(self) -> u32 {
        1 + (u32::from(self.0) - 10) * 9999 / 990
    }
}

/// Operations in a second, at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Operations(u32);

impl Operations {
    /// The number.
    pub fn get(self) -> u32 {
        self.0
    }
}

/// The path of a disk, below `/dev`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BlockDevice(String);

impl BlockDevice {
    /// The path.
    pub fn path(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BlockDevice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A limit for one disk, which is written `PATH:VALUE`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnDevice<T> {
    /// The disk.
    pub device: BlockDevice,
    /// The limit.
    pub limit: T,
}

/// A limit of reading and writing cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlockLimitError {
    /// It is no weight.
    #[error("`{0}` is not a weight: write a number from 10 to 1000")]
    Weight(String),
    /// It is no number of operations.
    #[error("`{0}` is not a number of operations in a second: write one from 1 to 4294967295")]
    Operations(String),
    /// It does not say which disk.
    #[error("`{0}` names no disk: write its path and the limit, such as `/dev/sda:{1}`")]
    NoDevice(String, &'static str),
    /// What is behind the disk is no limit.
    #[error("`{word}`: {reason}")]
    Value {
        /// The whole word.
        word: String,
        /// What is wrong with its end.
        reason: String,
    },
    /// No bytes at all.
    #[error("`{0}` would let nothing through: write at least 1 byte in a second")]
    Nothing(String),
}

/// What a limit of a disk can be.
pub trait DeviceValue: Sized {
    /// How one is written.
    const EXAMPLE: &'static str;

    /// Reads one.
    ///
    /// # Errors
    /// What is wrong with it.
    fn read(text: &str) -> Result<Self, String>;
}

impl DeviceValue for BlockWeight {
    const EXAMPLE: &'static str = "200";

    fn read(text: &str) -> Result<BlockWeight, String> {
        text.parse()
            .map_err(|error: BlockLimitError| error.to_string())
    }
}

impl DeviceValue for Operations {
    const EXAMPLE: &'static str = "100";

    fn read(text: &str) -> Result<Operations, String> {
        text.parse()
            .map_err(|error: BlockLimitError| error.to_string())
    }
}

impl DeviceValue for ByteSize {
    const EXAMPLE: &'static str = "1m";

    fn read(text: &str) -> Result<ByteSize, String> {
        match text.parse::<ByteSize>() {
            // The kernel takes that for no limit.
            Ok(ByteSize(0)) => Err(BlockLimitError::Nothing(text.to_owned()).to_string()),
            Ok(size) => Ok(size),
            Err(error) => Err(error.to_string()),
        }
    }
}

impl<T: DeviceValue> FromStr for OnDevice<T> {
    type Err = BlockLimitError;

    fn from_str(text: &str) -> Result<OnDevice<T>, BlockLimitError> {
        let no_device = || BlockLimitError::NoDevice(text.to_owned(), T::EXAMPLE);
        let (path, value) = text.split_once(':').ok_or_else(no_device)?;
        let leads_up = path.split('/').any(|name| name == "..");
        let is_device = path
            .strip_prefix("/dev/")
            .is_some_and(|name| !name.is_empty());
        if !is_device || leads_up || path.contains('\0') {
            return Err(no_device());
        }
        let limit = T::read(value).map_err(|reason| BlockLimitError::Value {
            word: text.to_owned(),
            reason,
        })?;
        Ok(OnDevice {
            device: BlockDevice(path.to_owned()),
            limit,
        })
    }
}

impl FromStr for BlockWeight {
    type Err = BlockLimitError;

    fn from_str(text: &str) -> Result<BlockWeight, BlockLimitError> {
        match text.parse() {
            Ok(weight @ 10..=1000) => Ok(BlockWeight(weight)),
            _ => Err(BlockLimitError::Weight(text.to_owned())),
        }
    }
}

impl FromStr for Operations {
    type Err = BlockLimitError;

    fn from_str(text: &str) -> Result<Operations, BlockLimitError> {
        match text.parse() {
            Ok(number @ 1..) => Ok(Operations(number)),
            _ => Err(BlockLimitError::Operations(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_limit_of_a_disk_is_a_path_and_a_value() {
        let limit: OnDevice<ByteSize> = "/dev/mapper/data:1m".parse().unwrap();
        assert_eq!(limit.device.path(), "/dev/mapper/data");
        assert_eq!(limit.limit, ByteSize(1 << 20));
        let limit: OnDevice<Operations> = "/dev/sda:70".parse().unwrap();
        assert_eq!(limit.limit.get(), 70);
        for text in ["1m", "sda:1m", "/dev/:1m", "/etc/passwd:1m", "/dev/../x:1m"] {
            let error = text.parse::<OnDevice<ByteSize>>().unwrap_err();
            assert_eq!(
                error.to_string(),
                format!(
                    "`{text}` names no disk: write its path and the limit, such as `/dev/sda:1m`"
                )
            );
        }
        for text in ["/dev/sda:", "/dev/sda:lots", "/dev/sda:0"] {
            assert!(text.parse::<OnDevice<ByteSize>>().is_err(), "{text}");
            assert!(text.parse::<OnDevice<Operations>>().is_err(), "{text}");
        }
    }

    #[test]
    fn weights_become_those_of_version_two_as_runc_converts_them() {
        let large = |text: &str| text.parse::<BlockWeight>().unwrap().on_large_scale();
        assert_eq!([large("10"), large("100"), large("1000")], [1, 910, 10_000]);
        for text in ["9", "1001", "-1", "x"] {
            assert!(text.parse::<BlockWeight>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parsers_panic(text in "(/dev/[a-z/.]{0,9}:[0-9a-z.]{0,9}|\\PC*)") {
            let _ = text.parse::<OnDevice<ByteSize>>();
            let _ = text.parse::<OnDevice<Operations>>();
            let _ = text.parse::<OnDevice<BlockWeight>>();
        }
    }
}
