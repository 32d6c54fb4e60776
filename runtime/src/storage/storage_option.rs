//! `--storage-opt size=SIZE`.

use std::str::FromStr;

use thiserror::Error;

use crate::byte_size::{ByteSize, ByteSizeError};

/// An option of the layer that a container writes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StorageOption {
    /// How much it can hold.
    Size(ByteSize),
}

/// Why an option of the layer was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StorageOptionError {
    /// There is no such option.
    #[error("unknown storage option `{0}`: the only one is `size=SIZE`")]
    Unknown(String),
    /// The size is none.
    #[error(transparent)]
    Size(#[from] ByteSizeError),
    /// Nothing fits into no room.
    #[error("`{0}` leaves the container no room: write a size such as `size=10G`")]
    Nothing(String),
}

impl FromStr for StorageOption {
    type Err = StorageOptionError;

    fn from_str(text: &str) -> Result<Self, StorageOptionError> {
        match text.split_once('=') {
            Some((key, size)) if key.eq_ignore_ascii_case("size") => {
                let size: ByteSize = size.parse()?;
                match size.bytes() {
                    0 => Err(StorageOptionError::Nothing(text.to_owned())),
                    _ => Ok(Self::Size(size)),
                }
            }
            _ => Err(StorageOptionError::Unknown(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_only_option_is_a_size() {
        let ten = StorageOption::Size(ByteSize::from_bytes(10 << 30));
        assert_eq!("size=10G".parse(), Ok(ten));
        for text in ["size", "size=", "size=0", "size=much", "inodes=5"] {
            assert!(text.parse::<StorageOption>().is_err(), "{text}");
        }
    }
}
