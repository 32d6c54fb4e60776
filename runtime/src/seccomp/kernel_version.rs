//! The version of a kernel, as far as profiles ask for it.

use std::str::FromStr;

use nix::sys::utsname::uname;

/// A version, such as 6.18.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KernelVersion {
    major: u32,
    minor: u32,
}

impl KernelVersion {
    /// That of the running kernel; the oldest if it does not say.
    pub fn running() -> KernelVersion {
        let name = uname().ok();
        let release = name.as_ref().and_then(|name| name.release().to_str());
        release
            .and_then(KernelVersion::of_release)
            .unwrap_or(KernelVersion { major: 0, minor: 0 })
    }

    /// That of a release such as `6.1.0-25-cloud-amd64`.
    fn of_release(release: &str) -> Option<KernelVersion> {
        let mut numbers = release.split(|letter: char| !letter.is_ascii_digit());
        let mut number = || numbers.next()?.parse().ok();
        Some(KernelVersion {
            major: number()?,
            minor: number()?,
        })
    }
}

/// A word that is no version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoVersion;

impl FromStr for KernelVersion {
    type Err = NoVersion;

    fn from_str(word: &str) -> Result<KernelVersion, NoVersion> {
        let (major, minor) = word.split_once('.').ok_or(NoVersion)?;
        Ok(KernelVersion {
            major: major.parse().map_err(|_| NoVersion)?,
            minor: minor.parse().map_err(|_| NoVersion)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_number() {
        let version = |word: &str| word.parse::<KernelVersion>();
        assert!(version("4.8").ok() < version("4.10").ok());
        assert!(version("4.19").ok() < version("5.0").ok());
        assert_eq!(
            KernelVersion::of_release("6.1.0-25-cloud-amd64"),
            version("6.1").ok()
        );
        assert_eq!(KernelVersion::of_release("6.18-rc1"), version("6.18").ok());
        assert_eq!(version("4"), Err(NoVersion));
        assert_eq!(version("4.8.1"), Err(NoVersion));
        assert!(KernelVersion::running() > KernelVersion { major: 4, minor: 8 });
    }
}
