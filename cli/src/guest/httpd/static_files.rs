//! Files of one directory, and never of another.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat2};
use nix::libc;

use super::site::{Answer, Content, Status};
use crate::guest::program::Failure;
use crate::guest::reason::reason;

/// What is served when a directory is asked for.
const INDEX: &str = "index.html";

/// A directory whose files are served.
pub struct StaticFiles {
    directory: File,
}

impl StaticFiles {
    /// Opens the directory at `path`.
    ///
    /// # Errors
    ///
    /// If there is no such directory.
    pub fn open(path: PathBuf) -> Result<Self, Failure> {
        let directory = File::options()
            .read(true)
            .custom_flags(libc::O_DIRECTORY)
            .open(&path)
            .map_err(|error| {
                let path = path.display();
                Failure::new(format!(
                    "cannot open the directory `{path}`: {}",
                    reason(&error)
                ))
            })?;
        Ok(Self { directory })
    }

    /// The answer with the file at `path`, or the index of the directory at `path`; nothing if there is neither.
    pub fn find(&self, path: &str) -> Option<Answer> {
        let mut path = decode(path.trim_start_matches('/'))?;
        if path.as_os_str().is_empty() || self.open_below(&path).ok()?.metadata().ok()?.is_dir() {
            path.push(INDEX);
        }
        let file = self.open_below(&path).ok()?;
        let metadata = file.metadata().ok()?;
        metadata.is_file().then(|| Answer {
            status: Status::Ok,
            content_type: content_type(&path),
            content: Content::File(file, metadata.len()),
        })
    }

    /// The kernel sees to it that neither `..` nor a symbolic link leads out of the directory. A pipe or device is opened
    /// without waiting for its other end.
    fn open_below(&self, path: &Path) -> io::Result<File> {
        let how = OpenHow::new()
            .flags(OFlag::O_RDONLY | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK | OFlag::O_NOCTTY)
            .resolve(ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_MAGICLINKS);
        Ok(File::from(openat2(&self.directory, path, how)?))
    }
}

/// The path with every `%41` made an `A`; nothing if a percent sign is followed by anything but two digits.
fn decode(text: &str) -> Option<PathBuf> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => hexadecimal(rest.next()?)? * 16 + hexadecimal(rest.next()?)?,
            _ => byte,
        });
    }
    Some(OsString::from_vec(bytes).into())
}

fn hexadecimal(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

fn content_type(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("html" | "htm") => "text/html; charset=utf-8",
        Some("txt" | "md") => "text/plain; charset=utf-8",
        Some("css") => "text/css",
        Some("js") => "text/javascript",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Read;
    use std::os::unix::fs::symlink;

    use nix::sys::stat::Mode;

    use super::*;

    /// A directory `served` beside a file `secret`, with ways from one to the other.
    fn example() -> (tempfile::TempDir, StaticFiles) {
        let place = tempfile::tempdir().unwrap();
        let served = place.path().join("served");
        fs::create_dir_all(served.join("below")).unwrap();
        fs::write(place.path().join("secret"), "secret").unwrap();
        fs::write(served.join("index.html"), "<p>index").unwrap();
        fs::write(served.join("a b.txt"), "text").unwrap();
        symlink("../secret", served.join("relative")).unwrap();
        symlink(place.path().join("secret"), served.join("absolute")).unwrap();
        symlink("..", served.join("below/up")).unwrap();
        nix::unistd::mkfifo(&served.join("pipe"), Mode::S_IRUSR).unwrap();
        let files = StaticFiles::open(served).unwrap();
        (place, files)
    }

    fn content(files: &StaticFiles, path: &str) -> Option<(&'static str, String)> {
        let answer = files.find(path)?;
        let Content::File(mut file, size) = answer.content else {
            panic!("a file is no text in memory");
        };
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text.len() as u64, size);
        Some((answer.content_type, text))
    }

    #[test]
    fn files_and_indexes_are_found() {
        let (_place, files) = example();
        let index = Some(("text/html; charset=utf-8", "<p>index".to_owned()));
        let text = Some(("text/plain; charset=utf-8", "text".to_owned()));
        assert_eq!(content(&files, "/"), index);
        assert_eq!(content(&files, "/below/up/"), index);
        assert_eq!(content(&files, "/a%20b.txt"), text);
        assert_eq!(content(&files, "//below/../a b.txt"), text);
    }

    #[test]
    fn nothing_outside_the_directory_is_found() {
        let (_place, files) = example();
        for path in [
            "/../secret",
            "/%2e%2e/secret",
            "/%2e%2e%2fsecret",
            "/below/../../secret",
            "/below/up/../secret",
            "/relative",
            "/absolute",
            "//etc/passwd",
        ] {
            assert!(files.find(path).is_none(), "{path}");
        }
    }

    #[test]
    fn what_is_no_file_or_no_path_is_not_found() {
        let (_place, files) = example();
        for path in ["/below", "/pipe", "/missing", "/%", "/%zz", "/a%00b", "/%2"] {
            assert!(files.find(path).is_none(), "{path}");
        }
    }

    #[test]
    fn a_missing_directory_is_named() {
        let error = StaticFiles::open("/no/such".into()).err().unwrap();
        let message = "cannot open the directory `/no/such`: no such file or directory";
        assert_eq!(error, Failure::new(message.to_owned()));
    }
}
