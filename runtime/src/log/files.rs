//! The files of one log: `log` is written to, `log.1` was before it, `log.2` before that.
//!
//! Theory of operation
//!
//! 1. A file that is full is not touched any more, it only moves: from `log` to `log.1`, from there to `log.2`, and so on;
//!    the oldest goes when there are as many as may be. The mover is the log's only writer.
//! 2. The new file is made under another name first, so that a full disk changes nothing. Then the others move, the oldest
//!    first. If the mover is killed, a number or `log` itself is missing: readers pass over that, and the next move closes
//!    the gap. No file but the one that was to go is ever replaced.
//! 3. Readers need no lock. They open the files from the newest to the oldest; a file that moves meanwhile is met twice, one
//!    that is made meanwhile is not met. They look until two looks show the same ([`open_all`]), and hold on to what they
//!    have opened: moving and removing take nothing away from them.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The number of a file on its file system, which names it wherever it is moved to, as long as anybody holds it open.
pub(crate) type FileNumber = (u64, u64);

/// A file of a log that was opened to be read.
#[derive(Debug)]
pub(crate) struct LogFile {
    pub(crate) file: File,
    pub(crate) number: FileNumber,
}

impl LogFile {
    fn open(path: &Path) -> io::Result<Option<LogFile>> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let status = file.metadata()?;
        Ok(Some(LogFile {
            number: (status.dev(), status.ino()),
            file,
        }))
    }
}

/// All files of a log, the newest first.
///
/// # Errors
/// The kernel's.
pub(crate) fn open_all(log: &Path, most: u16) -> io::Result<Vec<LogFile>> {
    let mut files = look(log, most)?;
    loop {
        let again = look(log, most)?;
        let same = files
            .iter()
            .map(|file| file.number)
            .eq(again.iter().map(|file| file.number));
        files = again;
        if same {
            return Ok(files);
        }
    }
}

/// Which file is written to now; none for the moment in which it is moved.
///
/// # Errors
/// The kernel's.
pub(crate) fn newest(log: &Path) -> io::Result<Option<FileNumber>> {
    match fs::metadata(log) {
        Ok(status) => Ok(Some((status.dev(), status.ino()))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn look(log: &Path, most: u16) -> io::Result<Vec<LogFile>> {
    let mut files: Vec<LogFile> = Vec::new();
    for age in 0..most {
        if let Some(file) = LogFile::open(&name(log, age))?
            && !files.iter().any(|known| known.number == file.number)
        {
            files.push(file);
        }
    }
    Ok(files)
}

/// Opens the file that is written to, which need not exist yet.
///
/// # Errors
/// The kernel's.
pub(super) fn open_newest(log: &Path) -> io::Result<File> {
    File::options()
        .create(true)
        .read(true)
        .append(true)
        .open(log)
}

/// Moves every file on by one and gives the new one that is to be written to. There are at most `most` files then.
///
/// # Errors
/// The kernel's; then the file that was written to is to be written to further.
pub(super) fn rotate(log: &Path, most: u16) -> io::Result<File> {
    let next = with_suffix(log, "next");
    let file = File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .append(true)
        .open(&next)?;
    // What was interrupted before may have left one, but nobody has ever written to it.
    file.set_len(0)?;
    let free = (1..most).find(|age| !name(log, *age).exists());
    let oldest = free.unwrap_or(most.saturating_sub(1));
    for age in (0..oldest).rev() {
        match fs::rename(name(log, age), name(log, age + 1)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    fs::rename(&next, log)?;
    Ok(file)
}

/// Where the file lies that is so many files old.
fn name(log: &Path, age: u16) -> PathBuf {
    match age {
        0 => log.to_path_buf(),
        age => with_suffix(log, &age.to_string()),
    }
}

fn with_suffix(log: &Path, suffix: &str) -> PathBuf {
    let mut name = log.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    struct Directory(tempfile::TempDir);

    impl Directory {
        fn new() -> Directory {
            Directory(tempfile::tempdir().expect("a directory"))
        }

        fn log(&self) -> PathBuf {
            self.0.path().join("log")
        }

        /// What is in the directory, as `name=content`.
        fn content(&self) -> Vec<String> {
            let entries = fs::read_dir(self.0.path()).expect("it is there");
            let mut all: Vec<String> = entries
                .map(|entry| {
                    let path = entry.expect("readable").path();
                    let text = fs::read_to_string(&path).expect("readable");
                    let name = path.file_name().expect("a name").to_string_lossy();
                    format!("{name}={text}")
                })
                .collect();
            all.sort();
            all
        }

        fn write(&self, name: &str, text: &str) {
            fs::write(self.0.path().join(name), text).expect("there is room");
        }
    }

    #[test]
    fn files_move_and_the_oldest_goes() {
        let directory = Directory::new();
        for number in 1..=4 {
            directory.write("log", &number.to_string());
            rotate(&directory.log(), 3).expect("the files move");
        }
        assert_eq!(directory.content(), ["log.1=4", "log.2=3", "log="]);
        rotate(&directory.log(), 1).expect("the file is replaced");
        assert_eq!(directory.content(), ["log.1=4", "log.2=3", "log="]);
    }

    #[test]
    fn whatever_moment_moving_is_interrupted_at_nothing_is_lost() {
        for (left, expected) in [
            // Before anything has moved.
            (
                &["log=5", "log.1=4", "log.2=3", "log.3=2", "log.next="][..],
                &["log.1=5", "log.2=4", "log.3=3", "log="][..],
            ),
            // The oldest has gone.
            (
                &["log=5", "log.1=4", "log.2=3", "log.next="],
                &["log.1=5", "log.2=4", "log.3=3", "log="],
            ),
            // There is a gap.
            (
                &["log=5", "log.1=4", "log.3=3", "log.next="],
                &["log.1=5", "log.2=4", "log.3=3", "log="],
            ),
            // The last step is missing, and `log` was made anew.
            (
                &["log=6", "log.1=5", "log.2=4", "log.3=3", "log.next="],
                &["log.1=6", "log.2=5", "log.3=4", "log="],
            ),
        ] {
            let directory = Directory::new();
            for file in left {
                let (name, text) = file.split_once('=').expect("a pair");
                directory.write(name, text);
            }
            rotate(&directory.log(), 4).expect("the files move");
            assert_eq!(directory.content(), expected);
        }
    }

    #[test]
    fn all_files_are_opened_the_newest_first_past_gaps() {
        let directory = Directory::new();
        for (name, text) in [("log", "new"), ("log.2", "old"), ("log.9", "of another")] {
            directory.write(name, text);
        }
        let texts: Vec<String> = open_all(&directory.log(), 5)
            .expect("readable")
            .into_iter()
            .map(|mut found| {
                let mut text = String::new();
                found.file.read_to_string(&mut text).expect("readable");
                text
            })
            .collect();
        assert_eq!(texts, ["new", "old"]);
    }
}
