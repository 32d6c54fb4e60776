//! Where something is mounted in a container.

use std::fmt;
use std::str::FromStr;

use super::clean_path::clean;

/// What of /proc may be covered, because it only informs (the list of runc): a container that could cover anything else there might
/// deceive whoever sets its processes up.
const COVERABLE_IN_PROC: [&str; 11] = [
    "/proc/cpuinfo",
    "/proc/diskstats",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/net/dev",
    "/proc/slabinfo",
    "/proc/stat",
    "/proc/swaps",
    "/proc/sys/crypto/fips_enabled",
    "/proc/sys/kernel/ns_last_pid",
    "/proc/uptime",
];

/// An absolute path inside a container that something can be mounted on: without detours, never the root itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Destination(String);

/// Why nothing can be mounted there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DestinationProblem {
    /// There is none.
    #[error("it names no destination; write a path in the container, such as `/data`")]
    Missing,
    /// A relative path means nothing in a container.
    #[error(
        "the destination `{0}` is not absolute; write a path in the container, such as `/data`"
    )]
    Relative(String),
    /// The root is the image's.
    #[error(
        "the destination is the container's root; mount on a directory below it, such as `/data`"
    )]
    Root,
    /// The kernel's own files.
    #[error(
        "the destination `{0}` is in /proc, which shows the container's processes and cannot be covered"
    )]
    Process(String),
    /// The kernel takes no such path.
    #[error("the destination holds a NUL byte")]
    Nul,
}

impl Destination {
    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// How many directories deep it is; what lies deeper is mounted later.
    pub fn depth(&self) -> usize {
        self.0.matches('/').count()
    }

    /// Whether it lies in the directory, or is it.
    pub fn is_within(&self, directory: &str) -> bool {
        is_within(&self.0, directory)
    }
}

fn is_within(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl FromStr for Destination {
    type Err = DestinationProblem;

    fn from_str(text: &str) -> Result<Self, DestinationProblem> {
        if text.is_empty() {
            return Err(DestinationProblem::Missing);
        }
        if !text.starts_with('/') {
            return Err(DestinationProblem::Relative(text.to_owned()));
        }
        if text.contains('\0') {
            return Err(DestinationProblem::Nul);
        }
        let path = clean(text);
        if path == "/" {
            return Err(DestinationProblem::Root);
        }
        if is_within(&path, "/proc") && !COVERABLE_IN_PROC.contains(&path.as_str()) {
            return Err(DestinationProblem::Process(path));
        }
        Ok(Self(path))
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

minirun_bridge::serde_as_string!(Destination);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<Destination, DestinationProblem> {
        text.parse()
    }

    #[test]
    fn a_destination_is_a_clean_absolute_path() {
        assert_eq!(parse("/data/../srv//www/").unwrap().as_str(), "/srv/www");
        assert_eq!(parse("/procedures").unwrap().depth(), 1);
        assert_eq!(parse("/proc/meminfo").unwrap().depth(), 2);
    }

    #[test]
    fn the_root_and_the_kernels_files_cannot_be_covered() {
        assert_eq!(parse(""), Err(DestinationProblem::Missing));
        assert_eq!(
            parse("data"),
            Err(DestinationProblem::Relative("data".into()))
        );
        for root in ["/", "//", "/..", "/a/.."] {
            assert_eq!(parse(root), Err(DestinationProblem::Root), "{root}");
        }
        for path in ["/proc", "/proc/self/attr", "/dev/../proc/sys"] {
            assert!(
                matches!(parse(path), Err(DestinationProblem::Process(_))),
                "{path}"
            );
        }
    }

    proptest! {
        #[test]
        fn what_is_accepted_has_no_detours(text in "[/.a\0]{0,12}") {
            if let Ok(destination) = parse(&text) {
                let path = destination.as_str();
                prop_assert!(path.len() > 1 && path.starts_with('/') && !path.ends_with('/'));
                prop_assert!(path[1..].split('/').all(|name| !["", ".", ".."].contains(&name)));
                prop_assert_eq!(parse(path), Ok(destination.clone()));
            }
        }
    }
}
