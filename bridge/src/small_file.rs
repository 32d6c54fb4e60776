//! Reading files that are nearly always small, with as few system calls as there can be: a command that lists a thousand
//! containers reads several thousand of them.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// What is read at once, in bytes. Records are smaller; those of containers with long environments need not be.
const ROOM: usize = 8192;

/// All that a file holds. Only a read that fills the whole room is followed by another: one of a regular file ends early nowhere
/// but at the end, and so does one of a file that the kernel writes in one piece, as `/proc/PID/stat` (not one that lists things,
/// which comes by the page).
///
/// # Errors
///
/// The kernel's.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    read_rest(&File::open(path)?)
}

/// What is left of an open file, by the same rule.
///
/// # Errors
///
/// The kernel's.
pub fn read_rest(mut file: &File) -> io::Result<Vec<u8>> {
    let mut room = [0; ROOM];
    let length = loop {
        match file.read(&mut room) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            outcome => break outcome?,
        }
    };
    let mut bytes = room[..length].to_vec();
    if length == ROOM {
        file.read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// All that a file holds, as text.
///
/// # Errors
///
/// The kernel's, and [`ErrorKind::InvalidData`] for what is no text.
pub fn read_text(path: &Path) -> io::Result<String> {
    String::from_utf8(read(path)?).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_whole_whatever_its_size() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("record");
        for length in [0, 1, ROOM - 1, ROOM, ROOM + 1, 3 * ROOM] {
            let text: Vec<u8> = (0..length).map(|place| (place % 251) as u8).collect();
            std::fs::write(&path, &text).unwrap();
            assert_eq!(read(&path).unwrap(), text, "{length}");
        }
    }

    #[test]
    fn a_file_of_the_kernel_is_read_whole() {
        let status = Path::new("/proc/self/status");
        assert!(read(status).unwrap().ends_with(b"\n"));
    }

    #[test]
    fn a_file_that_is_missing_is_told() {
        let error = read(Path::new("/nonexistent/record")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }

    #[test]
    fn what_is_no_text_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        std::fs::write(&path, "text").unwrap();
        assert_eq!(read_text(&path).unwrap(), "text");
        std::fs::write(&path, [0xff]).unwrap();
        assert_eq!(read_text(&path).unwrap_err().kind(), ErrorKind::InvalidData);
    }
}
