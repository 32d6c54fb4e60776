//! Which numbers of the host can be given to containers, from the host's own files. All of this is pure but for [`read`].

use std::fs;
use std::io::ErrorKind;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use super::range::IdRange;

/// Whose entries of `/etc/subuid` and `/etc/subgid` are for containers, the better one first. The second is what Podman looks
/// for.
const OWNERS: [&str; 2] = ["minirun", "containers"];

/// What is used without such an entry. systemd's table of numbers has this area unused: below it are the containers of
/// `systemd-nspawn`, above it the owner of foreign images, and from 2^31 on numbers that some programs take for negative ones.
const USUAL: RangeInclusive<u32> = 0x7000_0000..=0x7ffd_ffff;

/// Why no numbers can be had for a container.
#[derive(Debug, thiserror::Error)]
pub enum IdPoolError {
    /// A file of the host cannot be read.
    #[error("cannot read `{}`: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the kernel said.
        source: std::io::Error,
    },
    /// The administrator's entries for users and for groups have too little in common.
    #[error(
        "the entries of `{owner}` in `/etc/subuid` and `/etc/subgid` have no 65536 numbers in common: give it the same range in both"
    )]
    TooSmall {
        /// Whose entries they are.
        owner: &'static str,
    },
    /// All ranges are in use.
    #[error(
        "no range of user ids is free: remove a container, or give `minirun` more in `/etc/subuid` and `/etc/subgid`"
    )]
    Exhausted,
}

/// The numbers that containers may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct IdPool {
    areas: Vec<RangeInclusive<u32>>,
    /// What in them belongs to somebody else.
    taken: Vec<RangeInclusive<u32>>,
}

/// The four files of a host that say whose numbers are whose.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct HostFiles<'a> {
    pub(super) passwd: &'a str,
    pub(super) group: &'a str,
    pub(super) subuid: &'a str,
    pub(super) subgid: &'a str,
}

impl IdPool {
    /// The pool that the files of the host leave.
    pub(super) fn of_host() -> Result<IdPool, IdPoolError> {
        let [passwd, group, subuid, subgid] =
            ["passwd", "group", "subuid", "subgid"].map(|name| read(&Path::new("/etc").join(name)));
        IdPool::from(HostFiles {
            passwd: &passwd?,
            group: &group?,
            subuid: &subuid?,
            subgid: &subgid?,
        })
    }

    /// The same from the files' text. Lines that nobody understands say nothing.
    pub(super) fn from(files: HostFiles<'_>) -> Result<IdPool, IdPoolError> {
        let accounts = accounts(files.passwd).chain(accounts(files.group));
        let mut taken: Vec<_> = accounts.map(|id| id..=id).collect();
        for owner in OWNERS {
            let of_owner = |text| delegations(text).filter(move |(name, _)| *name == owner);
            let mut users = of_owner(files.subuid).peekable();
            let mut groups = of_owner(files.subgid).peekable();
            if users.peek().is_none() && groups.peek().is_none() {
                continue;
            }
            let groups: Vec<_> = groups.map(|(_, area)| area).collect();
            let areas: Vec<_> = users
                .flat_map(|(_, area)| groups.iter().map(move |other| common(&area, other)))
                .filter(|area| !area.is_empty())
                .collect();
            let pool = IdPool { areas, taken };
            return match pool.len() {
                0 => Err(IdPoolError::TooSmall { owner }),
                _ => Ok(pool),
            };
        }
        let delegated = delegations(files.subuid).chain(delegations(files.subgid));
        taken.extend(delegated.map(|(_, area)| area));
        Ok(IdPool {
            areas: vec![USUAL],
            taken,
        })
    }

    /// How many ranges there are, of which some may belong to somebody else.
    pub(super) fn len(&self) -> u32 {
        self.areas.iter().map(ranges_in).sum()
    }

    /// The range of this number, if it belongs to nobody else.
    pub(super) fn range(&self, mut number: u32) -> Option<IdRange> {
        for area in &self.areas {
            match number.checked_sub(ranges_in(area)) {
                Some(rest) => number = rest,
                None => {
                    let range = IdRange::from(area.start() + number * IdRange::LENGTH)?;
                    let own = range.first()..=range.last();
                    let is_free = |other| common(&own, other).is_empty();
                    return self.taken.iter().all(is_free).then_some(range);
                }
            }
        }
        None
    }
}

fn ranges_in(area: &RangeInclusive<u32>) -> u32 {
    match area.is_empty() {
        true => 0,
        false => ((area.end() - area.start()).saturating_add(1)) / IdRange::LENGTH,
    }
}

fn common(one: &RangeInclusive<u32>, other: &RangeInclusive<u32>) -> RangeInclusive<u32> {
    *one.start().max(other.start())..=*one.end().min(other.end())
}

/// The numbers of `name:password:NUMBER:…`.
fn accounts(text: &str) -> impl Iterator<Item = u32> {
    text.lines()
        .filter_map(|line| line.split(':').nth(2)?.parse().ok())
}

/// The owners and areas of `name:FIRST:COUNT`.
fn delegations(text: &str) -> impl Iterator<Item = (&str, RangeInclusive<u32>)> {
    text.lines().filter_map(|line| {
        let mut words = line.split(':');
        let (owner, first, count) = (words.next()?, words.next()?, words.next()?);
        let first: u32 = first.trim().parse().ok()?;
        let count: u32 = count.trim().parse().ok()?;
        let last = first.saturating_add(count.checked_sub(1)?);
        Some((owner, first..=last.min(u32::MAX - 1)))
    })
}

fn read(path: &Path) -> Result<String, IdPoolError> {
    match fs::read(path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        Err(source) => Err(IdPoolError::Read {
            path: path.to_owned(),
            source,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pool(subuid: &str, subgid: &str) -> Result<IdPool, IdPoolError> {
        IdPool::from(HostFiles {
            passwd: "root:x:0:0::/root:/bin/sh\nhigh:x:1879048200:1::/:/bin/sh\n",
            subuid,
            subgid,
            ..HostFiles::default()
        })
    }

    #[test]
    fn without_an_entry_ranges_are_where_neither_accounts_nor_other_entries_are() {
        let pool = pool("anna:1879113728:65536\nbroken\n", "").unwrap();
        assert_eq!(pool.len(), 4094);
        assert_eq!(pool.range(0), None, "an account is in it");
        assert_eq!(pool.range(1), None, "it is anna's");
        assert_eq!(pool.range(2).unwrap().first(), 0x7002_0000);
        assert_eq!(pool.range(4093).unwrap().last(), 0x7ffd_ffff);
        assert_eq!(pool.range(4094), None);
    }

    #[test]
    fn an_entry_says_where_ranges_are() {
        let podman = "anna:100000:65536\ncontainers:2147483647:2147483648\n";
        assert_eq!(pool(podman, podman).unwrap().len(), 32768);
        let both = "containers:5000000:65536\nminirun:300000:200000\n";
        let pool = pool(both, "minirun:310000:65536\n").unwrap();
        assert_eq!(pool.len(), 1);
        assert_eq!(pool.range(0).unwrap().first(), 310_000);
    }

    #[test]
    fn entries_with_too_little_in_common_are_refused() {
        for (users, groups) in [
            ("minirun:100000:65536", ""),
            ("minirun:100000:65536", "minirun:100001:65536"),
            ("minirun:100000:65535", "minirun:100000:65535"),
        ] {
            let error = pool(users, groups).unwrap_err().to_string();
            assert!(error.contains("`minirun`"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_a_range_of_somebody_elses_numbers(text in "([a-z]{1,3}:[0-9]{1,11}:[0-9]{1,11}\n|minirun:[0-9]{5,10}:[0-9]{5,10}\n|.{0,20}\n){0,5}") {
            if let Ok(pool) = pool(&text, &text) {
                for number in [0, 1, pool.len() / 2, pool.len()] {
                    if let Some(range) = pool.range(number) {
                        prop_assert!(range.first() > 0 || pool.areas.iter().any(|area| *area.start() == 0));
                        let account = 1_879_048_200;
                        prop_assert!(!(range.first()..=range.last()).contains(&account));
                    }
                }
            }
        }
    }
}
