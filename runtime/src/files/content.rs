//! Copies the content of a file, and leaves holes where it has holes or is nothing but zeros.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;

use nix::errno::Errno;
use nix::unistd::{Whence, lseek};

use crate::image::receive::{Content, Source};

/// What went wrong, and at which end.
pub(super) enum ContentError {
    /// The content cannot be read.
    Read(io::Error),
    /// The new file cannot be written.
    Write(io::Error),
}

/// Writes content into a new file, and says how many bytes it has.
pub(super) fn write_content(
    to: &File,
    content: Content<'_>,
    buffer: &mut [u8],
) -> Result<u64, ContentError> {
    let length = match content.source {
        Source::Archive(reader) => from_archive(reader, to, buffer)?,
        Source::File(from) => from_file((from, content.length), to, buffer)?,
    };
    // A hole at the end is known by the length alone.
    to.set_len(length).map_err(ContentError::Write)?;
    Ok(length)
}

fn from_archive(reader: &mut dyn Read, to: &File, buffer: &mut [u8]) -> Result<u64, ContentError> {
    let mut position = 0;
    loop {
        match reader.read(buffer) {
            Ok(0) => return Ok(position),
            Ok(count) => {
                write_unless_zero(to, &buffer[..count], position)?;
                position += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(ContentError::Read(error)),
        }
    }
}

/// Copies up to the length that the file had when it was met: one that somebody goes on writing to has no end.
fn from_file(
    (from, length): (&File, u64),
    to: &File,
    buffer: &mut [u8],
) -> Result<u64, ContentError> {
    let mut position = 0;
    while position < length {
        let Some((start, end)) = next_data(from, position, length)? else {
            return Ok(length);
        };
        position = start;
        while position < end {
            let room = buffer.len().min((end - position) as usize);
            match from.read_at(&mut buffer[..room], position) {
                // It became shorter meanwhile.
                Ok(0) => return Ok(position),
                Ok(count) => {
                    write_unless_zero(to, &buffer[..count], position)?;
                    position += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(ContentError::Read(error)),
            }
        }
    }
    Ok(position)
}

/// Where the next data of a file begins and ends; none if there is only a hole up to its end.
fn next_data(file: &File, position: u64, length: u64) -> Result<Option<(u64, u64)>, ContentError> {
    let seek = |from: u64, whence| lseek(file, from.cast_signed(), whence);
    let start = match seek(position, Whence::SeekData) {
        Ok(start) => start.cast_unsigned(),
        Err(Errno::ENXIO) => return Ok(None),
        // Some file systems of the kernel's making know neither holes nor data.
        Err(Errno::EINVAL | Errno::ESPIPE) => return Ok(Some((position, length))),
        Err(error) => return Err(ContentError::Read(error.into())),
    };
    let end = seek(start, Whence::SeekHole)
        .map_err(|error| ContentError::Read(error.into()))?
        .cast_unsigned();
    Ok((start < length).then_some((start, end.min(length))))
}

fn write_unless_zero(to: &File, piece: &[u8], position: u64) -> Result<(), ContentError> {
    match piece.iter().all(|byte| *byte == 0) {
        true => Ok(()),
        false => to
            .write_all_at(piece, position)
            .map_err(ContentError::Write),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    fn copied(from: &mut File, length: u64) -> (Vec<u8>, u64) {
        let to = tempfile::tempfile().unwrap();
        let content = Content {
            length,
            source: Source::File(from),
        };
        let count = write_content(&to, content, &mut [0; 4096]).ok().unwrap();
        let mut bytes = vec![0; to.metadata().unwrap().len() as usize];
        to.read_exact_at(&mut bytes, 0).unwrap();
        (bytes, count)
    }

    #[test]
    fn holes_stay_holes_however_large_they_are() {
        let mut from = tempfile::tempfile().unwrap();
        from.set_len(1 << 40).unwrap();
        from.write_all_at(b"end", 1 << 39).unwrap();
        let to = tempfile::tempfile().unwrap();
        let content = Content {
            length: 1 << 40,
            source: Source::File(&mut from),
        };
        let count = write_content(&to, content, &mut [0; 4096]).ok();
        assert_eq!(count, Some(1 << 40));
        let found = to.metadata().unwrap();
        assert_eq!(found.len(), 1 << 40);
        assert!(found.blocks() < 1000);
        let mut three = [0; 3];
        to.read_exact_at(&mut three, 1 << 39).unwrap();
        assert_eq!(&three, b"end");
    }

    #[test]
    fn a_file_that_grows_or_shrinks_is_copied_as_far_as_it_goes() {
        let mut from = tempfile::tempfile().unwrap();
        from.write_all_at(b"abcdef", 0).unwrap();
        assert_eq!(copied(&mut from, 3), (b"abc".to_vec(), 3));
        assert_eq!(copied(&mut from, 6), (b"abcdef".to_vec(), 6));
        let (bytes, count) = copied(&mut from, 100);
        assert!(count == 6 || count == 100, "{count}");
        assert_eq!(&bytes[..6], b"abcdef");
    }
}
