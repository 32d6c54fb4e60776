//! A file that appears under its name when it is whole, and never otherwise.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A file in the making. Dropped before it is kept, it is gone.
#[derive(Debug)]
pub struct WholeFile {
    file: File,
    /// Its name for now and the one it is to have; none for what cannot be replaced by renaming, such as a pipe.
    names: Option<(PathBuf, PathBuf)>,
}

impl WholeFile {
    /// Begins a file. What exists and is no regular file is written to as it is.
    ///
    /// # Errors
    /// The kernel's.
    pub fn create(path: &Path) -> io::Result<WholeFile> {
        // Whoever names a link means the file that it leads to.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        if fs::metadata(&path).is_ok_and(|found| !found.is_file()) {
            let file = File::options().write(true).open(&path)?;
            return Ok(WholeFile { file, names: None });
        }
        let name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?;
        let mut unfinished = OsString::from(".");
        unfinished.push(name);
        unfinished.push(format!(".{}", std::process::id()));
        let unfinished = path.with_file_name(unfinished);
        Ok(WholeFile {
            // Whoever may read this file may read all of the container's, such as its passwords.
            file: File::options()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&unfinished)?,
            names: Some((unfinished, path)),
        })
    }

    /// Where to write.
    pub fn writer(&mut self) -> &mut dyn Write {
        &mut self.file
    }

    /// Gives it its name.
    ///
    /// # Errors
    /// The kernel's.
    pub fn keep(mut self) -> io::Result<()> {
        if let Some((unfinished, path)) = &self.names {
            fs::rename(unfinished, path)?;
        }
        self.names = None;
        Ok(())
    }
}

impl Drop for WholeFile {
    fn drop(&mut self) {
        if let Some((unfinished, _)) = &self.names {
            let _ = fs::remove_file(unfinished);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("archive");
        fs::write(&path, "old").unwrap();
        let mut file = WholeFile::create(&path).unwrap();
        file.writer().write_all(b"half").unwrap();
        drop(file);
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        let mut file = WholeFile::create(&path).unwrap();
        file.writer().write_all(b"new").unwrap();
        file.keep().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_device_is_written_to_and_stays() {
        let mut file = WholeFile::create(Path::new("/dev/null")).unwrap();
        file.writer().write_all(b"gone").unwrap();
        file.keep().unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }
}
