//! Where the last lines of a log begin, found from its end, so that what is before them need not be read.

use super::LogQuery;
use crate::log::{LONGEST_ENTRY, LogEntry};
use std::io::{self, Read, Seek, SeekFrom};

/// How much is read at once, in bytes.
const BLOCK: usize = 64 * 1024;

/// A place in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Which of the files.
    pub(super) file: usize,
    /// Where in it, in bytes.
    pub(super) offset: u64,
}

/// From where on to read, in files of which the oldest comes first.
pub(super) fn start<R: Read + Seek>(files: &mut [R], query: &LogQuery) -> io::Result<Place> {
    let beginning = Place { file: 0, offset: 0 };
    let Some(mut wanted) = query.tail else {
        return Ok(beginning);
    };
    for (number, file) in files.iter_mut().enumerate().rev() {
        let begin = begin_of_last(file, &mut wanted, |line| {
            LogEntry::parse(line).is_some_and(|entry| query.wants(&entry))
        })?;
        if let Some(offset) = begin {
            return Ok(Place {
                file: number,
                offset,
            });
        }
    }
    Ok(beginning)
}

/// Where the last `wanted` lines begin that count; none if there are not so many, then `wanted` is how many are missing.
fn begin_of_last<R: Read + Seek>(
    file: &mut R,
    wanted: &mut usize,
    counts: impl Fn(&[u8]) -> bool,
) -> io::Result<Option<u64>> {
    let mut begin = file.seek(SeekFrom::End(0))?;
    let mut line = LineFromEnd::default();
    let mut block = Vec::new();
    while begin > 0 {
        let length = begin.min(BLOCK as u64);
        begin -= length;
        file.seek(SeekFrom::Start(begin))?;
        block.clear();
        file.by_ref().take(length).read_to_end(&mut block)?;
        let mut end = block.len();
        while let Some(newline) = block[..end].iter().rposition(|byte| *byte == b'\n') {
            let after = newline + 1;
            line.prepend(&block[after..end]);
            *wanted -= usize::from(line.is_whole(&counts));
            if *wanted == 0 {
                return Ok(Some(begin + after as u64));
            }
            line = LineFromEnd::ended();
            end = newline;
        }
        line.prepend(&block[..end]);
    }
    *wanted -= usize::from(line.is_whole(&counts));
    Ok((*wanted == 0).then_some(0))
}

/// A line that is put together from its end.
#[derive(Debug, Default)]
struct LineFromEnd {
    /// The pieces of it, the last one first, if it is not too long to be an entry.
    pieces: Vec<Vec<u8>>,
    length: usize,
    has_end: bool,
}

impl LineFromEnd {
    fn ended() -> LineFromEnd {
        LineFromEnd {
            has_end: true,
            ..LineFromEnd::default()
        }
    }

    fn prepend(&mut self, piece: &[u8]) {
        self.length = self.length.saturating_add(piece.len());
        if self.length > LONGEST_ENTRY {
            self.pieces = Vec::new();
        } else if !piece.is_empty() {
            self.pieces.push(piece.to_vec());
        }
    }

    fn is_whole(&self, counts: impl Fn(&[u8]) -> bool) -> bool {
        if !self.has_end || self.length > LONGEST_ENTRY {
            return false;
        }
        match &self.pieces[..] {
            [line] => counts(line),
            pieces => {
                let whole: Vec<u8> = pieces.iter().rev().flatten().copied().collect();
                counts(&whole)
            }
        }
    }
}
