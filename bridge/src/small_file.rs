//! Reading files that are smaller than a page, as records and most of what the kernel tells in `/proc` are, with one call to read
//! them. The standard library asks for the size first, and once more whether there is nothing left.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// What is read at once, in bytes.
const PORTION: usize = 4096;

/// Reads a file whose end a read that is not full has met: a regular one, or one of the kernel that fits into a page. A larger one is
/// read as well, with further calls.
///
/// # Errors
/// The kernel's.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let mut portion = [0; PORTION];
    let length = loop {
        match file.read(&mut portion) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            outcome => break outcome?,
        }
    };
    let mut bytes = portion[..length].to_vec();
    if length == PORTION {
        file.read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// The same as text.
///
/// # Errors
/// The kernel's, and [`ErrorKind::InvalidData`] for what is no text.
pub fn read_text(path: &Path) -> io::Result<String> {
    String::from_utf8(read(path)?).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_any_length_are_read_to_their_end() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        for length in [0, 1, PORTION - 1, PORTION, PORTION + 1, 3 * PORTION] {
            let text = "x".repeat(length);
            std::fs::write(&path, &text).unwrap();
            assert_eq!(read_text(&path).unwrap(), text);
        }
    }

    #[test]
    fn what_the_kernel_tells_is_read_to_its_end() {
        let whole = std::fs::read("/proc/sys/kernel/random/boot_id").unwrap();
        assert_eq!(
            read(Path::new("/proc/sys/kernel/random/boot_id")).unwrap(),
            whole
        );
    }

    #[test]
    fn what_is_missing_or_no_text_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        assert_eq!(read(&path).unwrap_err().kind(), ErrorKind::NotFound);
        std::fs::write(&path, [0xff]).unwrap();
        assert_eq!(read_text(&path).unwrap_err().kind(), ErrorKind::InvalidData);
    }
}
