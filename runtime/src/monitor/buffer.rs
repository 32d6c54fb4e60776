//! The memory that output passes through on its way from the program.

use std::fs::File;
use std::io::{self, Read};
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
    busy: bool,
}

impl Buffer {
    /// All of it.
    pub(super) fn memory(&mut self) -> &mut [u8] {
        let size = if self.busy { BUSY } else { CALM };
        if self.memory.len() < size {
            self.memory = vec![0; size];
        }
        &mut self.memory
    }

    /// Reads the next piece; an empty one is the end.
    pub(super) fn fill_from(&mut self, source: &mut File) -> io::Result<&[u8]> {
        let length = source.read(self.memory())?;
        if length == CALM {
            self.busy = true;
        }
        Ok(&self.memory[..length])
    }

    /// Reads as many bytes as are known to be there, and as fit.
    pub(super) fn fill_exactly(&mut self, source: &mut File, length: usize) -> io::Result<&[u8]> {
        let memory = self.memory();
        let length = length.min(memory.len());
        source.read_exact(&mut memory[..length])?;
        Ok(&self.memory[..length])
    }

    /// Notes how much was passed on without it.
    pub(super) fn note(&mut self, length: usize) {
        self.busy |= length >= CALM;
    }

    /// Whether much comes.
    pub(super) fn is_busy(&self) -> bool {
        self.busy
    }

    /// How long to wait for something to happen before [`Buffer::rest`] is due; none if it is not.
    pub(super) fn patience(&self) -> Option<Duration> {
        self.busy.then_some(PAUSE)
    }

    /// Gives back what only much output needs.
    pub(super) fn rest(&mut self) {
        *self = Buffer::default();
    }
}
