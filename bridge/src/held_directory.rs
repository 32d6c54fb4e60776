//! A directory that is held open while many files in it are read.
//!
//! The kernel looks for each of them from there, and not from the root; what is read goes through one room in memory.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, openat};
use nix::sys::stat::Mode;
use nix::unistd::{AccessFlags, faccessat};
use serde::Deserialize;

use crate::atomic_file::AtomicFileError;

/// What is read at once, in bytes; the rule about it is that of [`crate::small_file`].
const ROOM: usize = 8192;

/// A directory, or its path if it was not there: it may be made at any time.
#[derive(Debug)]
pub struct HeldDirectory {
    path: PathBuf,
    descriptor: Option<OwnedFd>,
    room: Vec<u8>,
}

impl HeldDirectory {
    /// Holds a directory. In one that does not exist there is nothing, until somebody makes it.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn open(path: PathBuf) -> io::Result<HeldDirectory> {
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let descriptor = match openat(AT_FDCWD, &path, flags, Mode::empty()) {
            Ok(descriptor) => Some(descriptor),
            Err(Errno::ENOENT) => None,
            Err(errno) => return Err(errno.into()),
        };
        Ok(HeldDirectory {
            path,
            descriptor,
            room: vec![0; ROOM],
        })
    }

    /// The whole path of a file, for messages.
    pub fn path_of(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether there is such a file. One that cannot be asked for is not there, as with [`Path::exists`].
    pub fn has(&self, name: &str) -> bool {
        let (directory, path) = self.way_to(name);
        faccessat(directory, &*path, AccessFlags::F_OK, AtFlags::empty()).is_ok()
    }

    /// Opens a file to read it. The name may lead through directories in this one.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn open_file(&self, name: &str) -> io::Result<File> {
        let (directory, path) = self.way_to(name);
        let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC;
        Ok(File::from(openat(directory, &*path, flags, Mode::empty())?))
    }

    /// Where the kernel begins to look for a file, and what it looks for.
    fn way_to<'a>(&'a self, name: &'a str) -> (BorrowedFd<'a>, Cow<'a, Path>) {
        match &self.descriptor {
            Some(directory) => (directory.as_fd(), Path::new(name).into()),
            None => (AT_FDCWD, self.path_of(name).into()),
        }
    }

    /// All that a file holds.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn read(&mut self, name: &str) -> io::Result<&[u8]> {
        let file = self.open_file(name)?;
        self.read_rest(&file)
    }

    /// What is left of an open file.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn read_rest(&mut self, mut file: &File) -> io::Result<&[u8]> {
        let length = loop {
            match file.read(&mut self.room) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                outcome => break outcome?,
            }
        };
        if length < self.room.len() {
            return Ok(&self.room[..length]);
        }
        // It is larger than any before; the next one of its size is read at once.
        file.read_to_end(&mut self.room)?;
        let length = self.room.len();
        let room = length.next_power_of_two().max(length + 1);
        self.room.resize(room, 0);
        Ok(&self.room[..length])
    }

    /// Reads a record, or nothing if there is none.
    ///
    /// # Errors
    ///
    /// When it exists and cannot be read, or does not say what it should.
    pub fn read_json<'a, T: Deserialize<'a>>(
        &'a mut self,
        name: &str,
    ) -> Result<Option<T>, AtomicFileError> {
        let length = match self.read(name) {
            Ok(text) => text.len(),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => {
                let path = self.path_of(name);
                return Err(AtomicFileError::Read { path, source });
            }
        };
        let text = &self.room[..length];
        // Looked at once, it is known to be text in each of its strings.
        let parsed = match str::from_utf8(text) {
            Ok(text) => serde_json::from_str(text),
            Err(_) => serde_json::from_slice(text),
        };
        parsed.map(Some).map_err(|source| AtomicFileError::Parse {
            path: self.path_of(name),
            source,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_whole_whatever_their_size_and_order() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("web1")).unwrap();
        let mut held = HeldDirectory::open(directory.path().to_owned()).unwrap();
        for length in [3, 0, ROOM - 1, ROOM, ROOM + 1, 2, 5 * ROOM, 5 * ROOM + 1, 1] {
            let text: Vec<u8> = (0..length).map(|place| (place % 251) as u8).collect();
            std::fs::write(directory.path().join("web1/record"), &text).unwrap();
            assert_eq!(held.read("web1/record").unwrap(), text, "{length}");
        }
    }

    #[test]
    fn what_is_not_there_is_told_apart_from_what_is_broken() {
        let directory = tempfile::tempdir().unwrap();
        let mut held = HeldDirectory::open(directory.path().to_owned()).unwrap();
        assert!(!held.has("record"));
        assert_eq!(held.read_json::<u8>("record").unwrap(), None);
        std::fs::write(directory.path().join("record"), "{").unwrap();
        assert!(held.has("record"));
        let error = held.read_json::<u8>("record").unwrap_err().to_string();
        let path = directory.path().join("record");
        assert!(error.contains(&path.display().to_string()), "{error}");
        std::fs::write(&path, "7").unwrap();
        assert_eq!(held.read_json::<u8>("record").unwrap(), Some(7));
    }

    #[test]
    fn in_a_directory_that_is_not_there_is_nothing() {
        let mut held = HeldDirectory::open("/nonexistent".into()).unwrap();
        assert!(!held.has("record"));
        assert_eq!(held.read_json::<u8>("record").unwrap(), None);
        let error = held.open_file("record").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }

    /// Regression test: `ps` that had begun before the first start after a boot saw none of the records of running containers.
    #[test]
    fn a_directory_that_is_made_later_is_found() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("containers");
        let mut held = HeldDirectory::open(path.clone()).unwrap();
        assert!(!held.has("web1/record"));
        std::fs::create_dir_all(path.join("web1")).unwrap();
        std::fs::write(path.join("web1/record"), "7").unwrap();
        assert!(held.has("web1/record"));
        assert_eq!(held.read_json::<u8>("web1/record").unwrap(), Some(7));
    }
}
