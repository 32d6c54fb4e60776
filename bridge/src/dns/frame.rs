//! Messages on a stream, each with its length in front (RFC 1035 section 4.2.2), read and written without waiting.

use std::io::{self, ErrorKind, Read, Write};

use super::message::{HEADER, LONGEST};

/// How much is read at once, in bytes.
const PIECE: usize = 2048;

/// What came of reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Filled {
    /// There are new bytes.
    More,
    /// Nothing has come.
    Waiting,
    /// Nothing will come any more.
    Ended,
}

/// What has arrived and was not taken yet. Never more than one message of the longest kind allowed.
#[derive(Debug)]
pub(super) struct Incoming {
    bytes: Vec<u8>,
    longest: usize,
}

impl Incoming {
    /// Takes messages up to a length in bytes.
    pub(super) fn new(longest: usize) -> Incoming {
        Incoming {
            bytes: Vec::new(),
            longest,
        }
    }

    /// Reads once, as much as there is room for. To be called only when [`Incoming::take`] had nothing.
    pub(super) fn fill(&mut self, source: &mut impl Read) -> io::Result<Filled> {
        let mut piece = [0; PIECE];
        let room = (2 + self.longest - self.bytes.len()).min(PIECE);
        match source.read(&mut piece[..room]) {
            Ok(0) => Ok(Filled::Ended),
            Ok(length) => {
                self.bytes.extend_from_slice(&piece[..length]);
                Ok(Filled::More)
            }
            Err(error) if is_not_now(&error) => Ok(Filled::Waiting),
            Err(error) => Err(error),
        }
    }

    /// The next message, if it has come in full.
    ///
    /// # Errors
    ///
    /// Fails when a length is announced that no message has or that is not allowed; nothing sensible can follow.
    pub(super) fn take(&mut self) -> io::Result<Option<Vec<u8>>> {
        let Some(length) = super::message::number(&self.bytes, 0).map(usize::from) else {
            return Ok(None);
        };
        if !(HEADER..=self.longest).contains(&length) {
            return Err(ErrorKind::InvalidData.into());
        }
        if self.bytes.len() < 2 + length {
            return Ok(None);
        }
        let message = self.bytes[2..2 + length].to_vec();
        self.bytes.drain(..2 + length);
        if self.bytes.is_empty() {
            self.bytes = Vec::new();
        }
        Ok(Some(message))
    }
}

/// What is to be sent and was not taken by the kernel yet.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    bytes: Vec<u8>,
    sent: usize,
}

impl Outgoing {
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Adds a message; one that is too long for its length to be said is left out.
    pub(super) fn push(&mut self, message: &[u8]) {
        debug_assert!(message.len() <= LONGEST);
        if let Ok(length) = u16::try_from(message.len()) {
            self.bytes.extend_from_slice(&length.to_be_bytes());
            self.bytes.extend_from_slice(message);
        }
    }

    /// Sends what can be sent now.
    pub(super) fn flush(&mut self, target: &mut impl Write) -> io::Result<()> {
        while self.sent < self.bytes.len() {
            match target.write(&self.bytes[self.sent..]) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(length) => self.sent += length,
                Err(error) if is_not_now(&error) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        *self = Outgoing::default();
        Ok(())
    }
}

/// Whether the same call may succeed later.
pub(super) fn is_not_now(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn take_all(bytes: &[u8], longest: usize) -> io::Result<Vec<Vec<u8>>> {
        let mut source = bytes;
        let mut incoming = Incoming::new(longest);
        let mut messages = Vec::new();
        loop {
            match incoming.take()? {
                Some(message) => messages.push(message),
                None if incoming.fill(&mut source)? == Filled::Ended => return Ok(messages),
                None => assert!(incoming.bytes.len() <= 2 + longest),
            }
        }
    }

    #[test]
    fn lengths_that_no_message_has_end_the_stream() {
        for bytes in [&[0, 0][..], &[0, 11], &[16, 1]] {
            assert!(take_all(bytes, 4096).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn half_a_message_is_none() {
        assert_eq!(take_all(&[0], 100).unwrap(), Vec::<Vec<u8>>::new());
        assert_eq!(
            take_all(&[0, 12, 1, 2], 100).unwrap(),
            Vec::<Vec<u8>>::new()
        );
    }

    proptest! {
        #[test]
        fn what_is_sent_arrives(messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 12..3000), 0..8)) {
            let mut outgoing = Outgoing::default();
            for message in &messages {
                outgoing.push(message);
            }
            let mut bytes = Vec::new();
            outgoing.flush(&mut bytes).unwrap();
            prop_assert!(outgoing.is_empty());
            prop_assert_eq!(take_all(&bytes, 3000).unwrap(), messages);
        }
    }
}
