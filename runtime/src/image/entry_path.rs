//! The path of an entry in an image: relative, and without a component that climbs.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::tree_error::TreeError;

/// How much of a path an error shows, in characters: paths of archives may be as long as a book.
const LONGEST_SHOWN: usize = 200;

/// A path below an image's root. It is relative, holds no `..`, no `.`, no empty component and no zero byte; empty is the root itself.
///
/// It may still pass through a symbolic link that leads out: only the kernel can tell, when the path is opened.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct EntryPath(PathBuf);

impl EntryPath {
    /// Reads a path as an archive holds it.
    ///
    /// # Errors
    /// [`TreeError::Path`] with the path and what is wrong with it.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, TreeError> {
        let refuse = |reason| TreeError::Path {
            path: shortened(&String::from_utf8_lossy(bytes)),
            reason,
        };
        if bytes.is_empty() {
            return Err(refuse("it is empty"));
        }
        if bytes.starts_with(b"/") {
            return Err(refuse(
                "it is absolute and so leads out of the image's root",
            ));
        }
        if bytes.contains(&0) {
            return Err(refuse("it holds a zero byte"));
        }
        let mut path = PathBuf::new();
        for component in bytes.split(|byte| *byte == b'/') {
            match component {
                b"" | b"." => {}
                b".." => return Err(refuse("it leads out of the image's root")),
                _ => path.push(OsStr::from_bytes(component)),
            }
        }
        Ok(Self(path))
    }

    /// The root itself.
    pub(crate) fn root() -> Self {
        Self(PathBuf::new())
    }

    /// The path of something in this directory. The name comes from the kernel and so is one component.
    pub(crate) fn child(&self, name: &OsStr) -> Self {
        Self(self.0.join(name))
    }

    /// The path of something that has this path in this directory.
    pub(crate) fn join(&self, path: &Self) -> Self {
        match path.0.as_os_str().is_empty() {
            true => self.clone(),
            false => Self(self.0.join(&path.0)),
        }
    }

    /// The directory that the last component is in, and that component; none for the root.
    pub(crate) fn split(&self) -> Option<(Self, &OsStr)> {
        let name = self.0.file_name()?;
        let parent = self.0.parent().map(Path::to_owned).unwrap_or_default();
        Some((Self(parent), name))
    }

    /// What to hand to the kernel together with the root's descriptor.
    pub(crate) fn as_path(&self) -> &Path {
        match self.0.as_os_str().is_empty() {
            true => Path::new("."),
            false => &self.0,
        }
    }

    /// The path's bytes; none for the root.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_os_str().as_bytes()
    }

    /// Whether this is a name directly in `dev/`, which every container gets afresh.
    pub(crate) fn is_device_of_the_runtime(&self) -> bool {
        self.0.parent() == Some(Path::new("dev"))
    }
}

/// For errors: a long path is shown without its middle.
impl fmt::Display for EntryPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&shortened(&self.as_path().to_string_lossy()))
    }
}

/// Leaves out the middle of a text that is too long to be read anyway.
fn shortened(text: &str) -> String {
    let count = text.chars().count();
    if count <= LONGEST_SHOWN {
        return text.to_owned();
    }
    let half = LONGEST_SHOWN / 2;
    let start = text.chars().take(half);
    let end = text.chars().skip(count - half);
    start.chain(['…']).chain(end).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> String {
        EntryPath::parse(text.as_bytes()).unwrap().to_string()
    }

    #[test]
    fn dots_and_doubled_slashes_disappear() {
        assert_eq!(parsed("./etc//passwd"), "etc/passwd");
        assert_eq!(parsed("etc/./"), "etc");
        assert_eq!(parsed("./"), ".");
        assert_eq!(parsed("..."), "...");
    }

    #[test]
    fn what_climbs_or_is_absolute_is_refused() {
        for bad in ["", "/etc", "..", "../x", "a/../b", "a/..", "a\0b"] {
            assert!(EntryPath::parse(bad.as_bytes()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_path_splits_into_directory_and_name() {
        let path = EntryPath::parse(b"a/b/c").unwrap();
        let (parent, name) = path.split().unwrap();
        assert_eq!(
            (parent.to_string().as_str(), name),
            ("a/b", OsStr::new("c"))
        );
        assert!(EntryPath::root().split().is_none());
    }

    #[test]
    fn a_long_path_is_shown_without_its_middle() {
        assert_eq!(parsed(&"é".repeat(200)), "é".repeat(200));
        let shown = parsed(&format!("first/{}last", "é/".repeat(3000)));
        assert_eq!(shown.chars().count(), 201);
        assert!(shown.starts_with("first/é/") && shown.ends_with("/é/last"));
        let refused = EntryPath::parse(format!("{}..", "a/".repeat(3000)).as_bytes());
        assert!(refused.unwrap_err().to_string().len() < 300);
    }

    #[test]
    fn only_what_is_directly_in_dev_belongs_to_the_runtime() {
        let belongs = |text: &str| {
            EntryPath::parse(text.as_bytes())
                .unwrap()
                .is_device_of_the_runtime()
        };
        assert!(belongs("./dev/null"));
        assert!(!belongs("dev"));
        assert!(!belongs("dev/pts/0"));
        assert!(!belongs("srv/dev/null"));
    }
}
