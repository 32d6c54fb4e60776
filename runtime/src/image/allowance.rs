//! Bounds how much of an archive is read in one go.
//!
//! The archive library reads the headers of an entry, long names and extensions included, whole into memory. How long they are is the
//! archive's own word, so whoever asks for the next entry says first how much may be read for it.

use std::cell::Cell;
use std::io::{self, Read};

/// As good as no bound: nobody reads that much.
const UNBOUNDED: u64 = u64::MAX;

/// How many bytes may still be read. The reader that keeps to it is inside the archive, the one who sets it is outside.
pub(super) struct Allowance {
    left: Cell<u64>,
}

/// Why something that was to be read within a bound was not.
#[derive(Debug)]
pub(super) enum Unread {
    /// It is longer than the bound.
    TooLong,
    /// Reading failed.
    Failed(io::Error),
}

impl Allowance {
    /// No bound yet.
    pub(super) fn unbounded() -> Self {
        Self {
            left: Cell::new(UNBOUNDED),
        }
    }

    /// Lets `read` have at most `bytes`. There is no bound before and after.
    pub(super) fn within<T>(
        &self,
        bytes: u64,
        read: impl FnOnce() -> io::Result<T>,
    ) -> Result<T, Unread> {
        self.left.set(bytes);
        let outcome = read();
        let left = self.left.replace(UNBOUNDED);
        outcome.map_err(|error| match left {
            0 => Unread::TooLong,
            _ => Unread::Failed(error),
        })
    }
}

/// Hands on what another reader gives, as far as an [`Allowance`] goes.
pub(super) struct Bounded<'a, R> {
    inner: R,
    allowance: &'a Allowance,
}

impl<'a, R: Read> Bounded<'a, R> {
    /// A reader over `inner` that keeps to `allowance`.
    pub(super) fn new(inner: R, allowance: &'a Allowance) -> Self {
        Self { inner, allowance }
    }
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.allowance.left.get();
        if left == 0 && !buffer.is_empty() {
            return Err(io::Error::other("more was read than was allowed"));
        }
        let room = usize::try_from(left).unwrap_or(usize::MAX);
        let end = room.min(buffer.len());
        let length = self.inner.read(&mut buffer[..end])?;
        self.allowance.left.set(left - length as u64);
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_read_and_what_does_not_fails() {
        let allowance = Allowance::unbounded();
        let mut reader = Bounded::new(&b"abcdefgh"[..], &allowance);
        let mut four = [0; 4];
        let fits = allowance.within(4, || reader.read_exact(&mut four));
        assert!(fits.is_ok());
        assert_eq!(&four, b"abcd");
        let exceeds = allowance.within(3, || reader.read_exact(&mut four));
        assert!(matches!(exceeds, Err(Unread::TooLong)));
        let mut rest = Vec::new();
        reader.read_to_end(&mut rest).unwrap();
        assert_eq!(rest, b"h");
    }

    #[test]
    fn an_end_that_comes_early_is_not_a_length_that_is_too_great() {
        let allowance = Allowance::unbounded();
        let mut reader = Bounded::new(&b"ab"[..], &allowance);
        let mut four = [0; 4];
        let outcome = allowance.within(4, || reader.read_exact(&mut four));
        assert!(matches!(outcome, Err(Unread::Failed(_))));
    }
}
