//! SHA-256 digests, and a reader that digests what passes through it.

use std::fmt;
use std::io::{self, Read};
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

/// A SHA-256 digest, written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Digest([u8; 32]);

impl Digest {
    /// The digest of some bytes.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// What a hasher has come to.
    pub(crate) fn finish(hasher: Sha256) -> Self {
        Self(hasher.finalize().into())
    }

    /// The 32 bytes themselves.
    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// The text is not 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotADigest;

impl FromStr for Digest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        if text.len() != 64 || !text.bytes().all(is_lower_hexadecimal) {
            return Err(NotADigest);
        }
        let mut bytes = [0; 32];
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte =
                u8::from_str_radix(&text[2 * index..2 * index + 2], 16).map_err(|_| NotADigest)?;
        }
        Ok(Self(bytes))
    }
}

/// Whether a byte is one of `0`–`9` and `a`–`f`.
pub(crate) fn is_lower_hexadecimal(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

/// Hands bytes on and digests them.
pub(crate) struct HashingReader<R> {
    inner: R,
    hasher: Sha256,
    ended: bool,
}

impl<R: Read> HashingReader<R> {
    /// A reader over `inner` that has digested nothing yet.
    pub(crate) fn new(inner: R) -> Self {
        Self {
            inner,
            hasher: Sha256::new(),
            ended: false,
        }
    }

    /// Whether the inner reader has said that nothing follows.
    pub(crate) fn ended(&self) -> bool {
        self.ended
    }

    /// Reads to the end, so that trailing check sums are checked, and gives the digest of everything.
    pub(crate) fn drain(mut self) -> io::Result<Digest> {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match self.read(&mut buffer) {
                Ok(0) => return Ok(Digest::finish(self.hasher)),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl<R: Read> Read for HashingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        if length == 0 && !buffer.is_empty() {
            self.ended = true;
        }
        self.hasher.update(&buffer[..length]);
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OF_ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn a_digest_is_written_and_read_as_hexadecimal() {
        assert_eq!(Digest::of(b"abc").to_string(), OF_ABC);
        assert_eq!(OF_ABC.parse(), Ok(Digest::of(b"abc")));
        assert_eq!(OF_ABC.to_uppercase().parse::<Digest>(), Err(NotADigest));
        assert_eq!(OF_ABC[1..].parse::<Digest>(), Err(NotADigest));
    }

    #[test]
    fn a_reader_digests_what_was_read_and_what_is_drained() {
        let mut reader = HashingReader::new(&b"abc"[..]);
        let mut first = [0; 1];
        reader.read_exact(&mut first).unwrap();
        assert!(!reader.ended());
        assert_eq!(reader.drain().unwrap(), Digest::of(b"abc"));
    }
}
