//! What a limit can be besides a value: none.

use crate::byte_size::{ByteSize, ByteSizeError};
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// A limit, as an option says it: a value, or none, which is written `0` or `-1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit<T> {
    /// As much as there is.
    Unlimited,
    /// So much.
    To(T),
}

impl<T> Limit<T> {
    /// The value, if there is one.
    pub fn value(self) -> Option<T> {
        match self {
            Limit::Unlimited => None,
            Limit::To(value) => Some(value),
        }
    }
}

impl<T: FromStr> FromStr for Limit<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Limit<T>, T::Err> {
        match text {
            "0" | "-1" => Ok(Limit::Unlimited),
            text => text.parse().map(Limit::To),
        }
    }
}

/// How much memory and swap a container may use together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemorySwap {
    /// Twice its memory, if that is limited: as much swap as memory.
    #[default]
    TwiceMemory,
    /// As much swap as there is.
    Unlimited,
    /// So much.
    Total(ByteSize),
}

impl FromStr for MemorySwap {
    type Err = ByteSizeError;

    fn from_str(text: &str) -> Result<MemorySwap, ByteSizeError> {
        Ok(match text {
            "-1" => MemorySwap::Unlimited,
            text => match text.parse()? {
                ByteSize(0) => MemorySwap::TwiceMemory,
                size => MemorySwap::Total(size),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_limit_is_written_as_docker_writes_it() {
        assert_eq!("-1".parse::<Limit<ByteSize>>(), Ok(Limit::Unlimited));
        assert_eq!("0".parse::<Limit<ByteSize>>(), Ok(Limit::Unlimited));
        let limit: Limit<ByteSize> = "1k".parse().unwrap();
        assert_eq!(limit, Limit::To(ByteSize(1024)));
        assert_eq!(limit.value(), Some(ByteSize(1024)));
        assert!("-2".parse::<Limit<ByteSize>>().is_err());
    }

    #[test]
    fn swap_follows_memory_unless_it_is_named() {
        assert_eq!("0".parse(), Ok(MemorySwap::TwiceMemory));
        assert_eq!("-1".parse(), Ok(MemorySwap::Unlimited));
        assert_eq!("1k".parse(), Ok(MemorySwap::Total(ByteSize(1024))));
    }
}
