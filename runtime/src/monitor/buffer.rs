//! The memory that output passes through on its way from the program.

use std::io::{self, PipeReader, Read};
use std::time::Duration;

/// How much is read at once while little comes, in bytes.
const CALM: usize = 16 * 1024;

/// How much is read at once while much comes, in bytes.
const BUSY: usize = 64 * 1024;

/// How long nothing must have come until what much output needs is given back.
const PAUSE: Duration = Duration::from_millis(50);

/// Memory for one piece of output. It is small, because most of a monitor's life is waiting and there are many; it grows
/// while the program writes more than fits.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    memory: Vec<u8>,
}

impl Buffer {
    /// Reads the next piece; an empty one is the end.
    pub(super) fn fill_from(&mut self, source: &mut PipeReader) -> io::Result<&[u8]> {
        if self.memory.is_empty() {
            self.memory = vec![0; CALM];
        }
        let length = source.read(&mut self.memory)?;
        if length == self.memory.len() && length < BUSY {
            let mut larger = vec![0; BUSY];
            larger[..length].copy_from_slice(&self.memory);
            self.memory = larger;
        }
        Ok(&self.memory[..length])
    }

    /// How long to wait for something to happen before [`Buffer::rest`] is due; none if it is not.
    pub(super) fn patience(&self) -> Option<Duration> {
        (self.memory.len() > CALM).then_some(PAUSE)
    }

    /// Gives back what only much output needs.
    pub(super) fn rest(&mut self) {
        self.memory = Vec::new();
    }
}
