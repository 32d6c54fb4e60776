//! Recognises how an archive is compressed by its first bytes: names lie, and standard input has none.

use std::io::{self, BufReader, Cursor, Read};

use flate2::read::MultiGzDecoder;

use super::tree_error::TreeError;

/// Room for the longest of the marks below.
const LONGEST_MARK: usize = 6;
const BUFFER: usize = 128 * 1024;

/// What an archive's first bytes say about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compression {
    None,
    Gzip,
    Zstandard,
    Unsupported(&'static str),
}

/// Gives a reader of the uncompressed bytes.
///
/// # Errors
/// [`TreeError::Compression`] for a kind that is known but not read here, [`TreeError::Archive`] if reading fails.
pub(crate) fn decompress(mut input: Box<dyn Read>) -> Result<Box<dyn Read>, TreeError> {
    let unreadable = |source| TreeError::Archive { source };
    let start = read_start(&mut input).map_err(unreadable)?;
    let compression = recognise(&start);
    let whole = BufReader::with_capacity(BUFFER, Cursor::new(start).chain(input));
    match compression {
        Compression::None => Ok(Box::new(whole)),
        Compression::Gzip => Ok(Box::new(MultiGzDecoder::new(whole))),
        Compression::Zstandard => zstd::stream::read::Decoder::with_buffer(whole)
            .map(|decoder| Box::new(decoder) as Box<dyn Read>)
            .map_err(unreadable),
        Compression::Unsupported(program) => Err(TreeError::Compression { program }),
    }
}

/// The first bytes, fewer only where the input is shorter.
fn read_start(input: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut start = Vec::with_capacity(LONGEST_MARK);
    input.take(LONGEST_MARK as u64).read_to_end(&mut start)?;
    Ok(start)
}

fn recognise(start: &[u8]) -> Compression {
    match start {
        [0x1f, 0x8b, ..] => Compression::Gzip,
        // The second is a skippable frame, with which parallel compressors begin.
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => {
            Compression::Zstandard
        }
        [0xfd, b'7', b'z', b'X', b'Z', 0] => Compression::Unsupported("xz"),
        [b'B', b'Z', b'h', ..] => Compression::Unsupported("bzip2"),
        _ => Compression::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_recognised_by_their_first_bytes() {
        assert_eq!(recognise(&[0x1f, 0x8b, 8, 0, 0, 0]), Compression::Gzip);
        assert_eq!(
            recognise(&[0x28, 0xb5, 0x2f, 0xfd, 0, 0]),
            Compression::Zstandard
        );
        assert_eq!(recognise(b"\xfd7zXZ\0"), Compression::Unsupported("xz"));
        assert_eq!(recognise(b"BZh91A"), Compression::Unsupported("bzip2"));
        assert_eq!(recognise(b"etc/pa"), Compression::None);
        assert_eq!(recognise(b""), Compression::None);
    }
}
