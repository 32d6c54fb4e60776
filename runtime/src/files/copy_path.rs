//! The two kinds of paths that `cp` takes, and what their ends say.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// How a path ends, which says something about what it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PathEnd {
    /// With a name.
    Name,
    /// With a slash: it must be a directory, and a symbolic link is followed.
    Slash,
    /// With `.`: what is in the directory is meant, not the directory.
    Dot,
}

/// A path in a container, from its root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerPath(CopyPath);

/// A path on the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPath(CopyPath);

/// A path relative to some root, free of `.` at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CopyPath {
    /// As it was typed.
    pub(super) typed: String,
    /// Relative to the root; empty for the root itself.
    pub(super) path: PathBuf,
    /// How it ends.
    pub(super) end: PathEnd,
}

impl ContainerPath {
    /// A path as typed. `..` is taken back at once, as Docker does it, and never climbs above the root.
    #[must_use]
    pub fn new(typed: &Path) -> Self {
        let mut path = PathBuf::new();
        for component in typed.components() {
            match component {
                Component::Normal(name) => path.push(name),
                Component::ParentDir => {
                    path.pop();
                }
                Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
            }
        }
        Self(CopyPath::new(typed, path))
    }

    pub(super) fn inner(&self) -> &CopyPath {
        &self.0
    }
}

impl HostPath {
    /// A path as typed, seen from a directory. `..` is left to the kernel.
    #[must_use]
    pub fn new(typed: &Path, directory: &Path) -> Self {
        let path = directory.join(typed);
        let path = path.strip_prefix("/").unwrap_or(&path);
        Self(CopyPath::new(typed, path.components().collect()))
    }

    pub(super) fn inner(&self) -> &CopyPath {
        &self.0
    }
}

impl CopyPath {
    fn new(typed: &Path, path: PathBuf) -> Self {
        let end = match path.as_os_str().is_empty() {
            // The root has no name of its own by which it could be put into another directory.
            true => PathEnd::Dot,
            false => end_of(typed.as_os_str()),
        };
        Self {
            typed: typed.display().to_string(),
            path,
            end,
        }
    }

    /// The last name; none where the path ends in `..`.
    pub(super) fn name(&self) -> Option<OsString> {
        self.path.file_name().map(OsStr::to_owned)
    }
}

fn end_of(typed: &OsStr) -> PathEnd {
    let bytes = typed.as_bytes();
    let last = bytes.rsplit(|byte| *byte == b'/').next();
    match last {
        Some(b"." | b"..") => PathEnd::Dot,
        Some(b"") => PathEnd::Slash,
        _ => PathEnd::Name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_container(typed: &str) -> (String, PathEnd) {
        let path = ContainerPath::new(Path::new(typed)).0;
        (path.path.display().to_string(), path.end)
    }

    #[test]
    fn a_path_in_a_container_never_climbs_above_its_root() {
        assert_eq!(
            in_container("/etc/passwd"),
            ("etc/passwd".into(), PathEnd::Name)
        );
        assert_eq!(in_container("etc//./x/"), ("etc/x".into(), PathEnd::Slash));
        assert_eq!(in_container("../../etc"), ("etc".into(), PathEnd::Name));
        assert_eq!(in_container("/a/../../b/."), ("b".into(), PathEnd::Dot));
    }

    #[test]
    fn the_root_means_what_is_in_it() {
        for typed in ["/", "//", ".", "/.", "..", "/a/.."] {
            assert_eq!(
                in_container(typed),
                (String::new(), PathEnd::Dot),
                "{typed}"
            );
        }
    }

    #[test]
    fn a_path_on_the_host_begins_where_the_caller_is() {
        let path = |typed: &str| {
            let path = HostPath::new(Path::new(typed), Path::new("/srv/here")).0;
            (path.path.display().to_string(), path.end)
        };
        assert_eq!(path("./a:b"), ("srv/here/a:b".into(), PathEnd::Name));
        assert_eq!(path("/tmp/x/"), ("tmp/x".into(), PathEnd::Slash));
        assert_eq!(path("."), ("srv/here".into(), PathEnd::Dot));
        assert_eq!(path("a/../b"), ("srv/here/a/../b".into(), PathEnd::Name));
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_typed_stays_below_the_root(typed in "[a-c./]{0,20}") {
            let path = ContainerPath::new(Path::new(&typed)).0.path;
            proptest::prop_assert!(path.is_relative());
            proptest::prop_assert!(path.components().all(|component| matches!(component, Component::Normal(_))));
        }
    }
}
