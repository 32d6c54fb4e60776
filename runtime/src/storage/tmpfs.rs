//! File systems in memory: `--tmpfs PATH[:OPTIONS]`, and what `--mount type=tmpfs` makes of its keys.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::destination::Destination;
use super::mount::{Access, Origin};
use super::problem::{MountError, Problems};
use super::wanted::{KindWanted, MountWanted};
use crate::byte_size::ByteSize;

/// What every tmpfs has unless told otherwise, as with Docker; and `nodev` always.
const USUAL: [&str; 3] = ["noexec", "nosuid", "nodev"];

/// Words and what they take back.
const SWITCHES: [(&str, &str); 8] = [
    ("ro", "rw"),
    ("nosuid", "suid"),
    ("noexec", "exec"),
    ("sync", "async"),
    ("noatime", "atime"),
    ("nodiratime", "diratime"),
    ("relatime", "norelatime"),
    ("strictatime", "nostrictatime"),
];

/// A file system in memory, by the words of mount(8) that were asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tmpfs {
    words: Vec<String>,
}

/// What can be wrong with the options of a tmpfs.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TmpfsProblem {
    /// A word that there is not.
    #[error(
        "unknown tmpfs option `{0}`; use `size=`, `mode=`, `uid=`, `gid=`, `nr_inodes=`, `ro`, `exec`, `suid` and their like"
    )]
    Unknown(String),
    /// A value that makes no sense.
    #[error("`{0}` makes no sense for a tmpfs; write {1}")]
    Value(String, &'static str),
    /// Devices are what the runtime puts into /dev.
    #[error("`dev` cannot be had: a container opens the devices in its own /dev only")]
    Devices,
}

/// Understands `--tmpfs`.
///
/// # Errors
/// [`MountError`] with everything that is wrong.
pub fn parse_tmpfs_option(text: &str) -> Result<MountWanted, MountError> {
    let mut problems = Problems::default();
    let (path, words) = text.split_once(':').unwrap_or((text, ""));
    let destination = problems.keep(path.parse::<Destination>());
    let mut tmpfs = Tmpfs::default();
    for word in words.split(',').filter(|word| !word.is_empty()) {
        problems.keep(tmpfs.add(word));
    }
    let wanted = destination.map(|destination| MountWanted {
        destination,
        access: tmpfs.access(),
        kind: KindWanted::Tmpfs(tmpfs),
        origin: Origin::TmpfsOption(words.to_owned()),
    });
    problems.settle(text, wanted)
}

impl Tmpfs {
    /// Takes one more word; a later one replaces what it contradicts.
    ///
    /// # Errors
    /// When there is no such word.
    pub fn add(&mut self, word: &str) -> Result<(), TmpfsProblem> {
        if word == "dev" {
            return Err(TmpfsProblem::Devices);
        }
        let kind = match word.split_once('=') {
            Some((key, value)) => {
                check_value(word, key, value)?;
                vec![key]
            }
            None if word == "nodev" => vec![word],
            None => SWITCHES
                .iter()
                .find(|(on, off)| *on == word || *off == word)
                .map(|(on, off)| vec![*on, *off])
                .ok_or_else(|| TmpfsProblem::Unknown(word.to_owned()))?,
        };
        self.words.retain(|other| {
            let name = other.split_once('=').map_or(other.as_str(), |(key, _)| key);
            !kind.contains(&name)
        });
        self.words.push(word.to_owned());
        Ok(())
    }

    /// Whether it can be written.
    pub fn access(&self) -> Access {
        match self.words.iter().any(|word| word == "ro") {
            true => Access::ReadOnly,
            false => Access::ReadWrite,
        }
    }

    /// The value of a key, if it was given.
    pub fn value(&self, key: &str) -> Option<&str> {
        let pairs = self.words.iter().filter_map(|word| word.split_once('='));
        pairs
            .filter(|(name, _)| *name == key)
            .map(|(_, value)| value)
            .next()
    }

    /// All words for the mount, the usual ones included.
    pub fn mount_words(&self) -> Vec<String> {
        let mut all = Self {
            words: USUAL.map(str::to_owned).to_vec(),
        };
        for word in &self.words {
            // Each was accepted before.
            let _ = all.add(word);
        }
        all.words
    }
}

fn check_value(word: &str, key: &str, value: &str) -> Result<(), TmpfsProblem> {
    let wrong = |expected| Err(TmpfsProblem::Value(word.to_owned(), expected));
    let is_number = |text: &str| text.parse::<u32>().is_ok();
    match key {
        "size" => match value.strip_suffix('%') {
            Some(percent) if is_number(percent) => Ok(()),
            None if is_kernel_size(value) => Ok(()),
            _ => wrong("a number of bytes, one with a unit such as `size=64m`, or `size=50%`"),
        },
        "nr_inodes" | "nr_blocks" if is_kernel_size(value) => Ok(()),
        "nr_inodes" | "nr_blocks" => wrong("a number"),
        "mode" if is_mode(value) => Ok(()),
        "mode" => wrong("an octal number up to 7777, such as `mode=1777`"),
        "uid" | "gid" if is_number(value) => Ok(()),
        "uid" | "gid" => wrong("a number"),
        _ => Err(TmpfsProblem::Unknown(word.to_owned())),
    }
}

/// The kernel's own words for sizes are a part of ours.
fn is_kernel_size(value: &str) -> bool {
    let digits = value.trim_end_matches(|letter: char| "kKmMgG".contains(letter));
    !digits.is_empty()
        && value.len() - digits.len() <= 1
        && digits.bytes().all(|digit| digit.is_ascii_digit())
        && value.parse::<ByteSize>().is_ok()
}

fn is_mode(value: &str) -> bool {
    let is_octal = value.bytes().all(|digit| (b'0'..=b'7').contains(&digit));
    !value.is_empty() && is_octal && u32::from_str_radix(value, 8).is_ok_and(|mode| mode <= 0o7777)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(text: &str) -> Result<String, String> {
        match parse_tmpfs_option(text) {
            Ok(MountWanted {
                kind: KindWanted::Tmpfs(tmpfs),
                ..
            }) => Ok(tmpfs.mount_words().join(",")),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn a_tmpfs_runs_no_programs_unless_it_is_told_to() {
        for (text, expected) in [
            ("/x", "noexec,nosuid,nodev"),
            ("/x:", "noexec,nosuid,nodev"),
            (
                "/x:size=1m,mode=700",
                "noexec,nosuid,nodev,size=1m,mode=700",
            ),
            ("/x:exec,suid,ro", "nodev,exec,suid,ro"),
            ("/x:ro,rw,noexec", "nosuid,nodev,rw,noexec"),
            ("/x:size=1m,size=50%", "noexec,nosuid,nodev,size=50%"),
            (
                "/x:uid=5,gid=6,nr_inodes=1k",
                "noexec,nosuid,nodev,uid=5,gid=6,nr_inodes=1k",
            ),
        ] {
            assert_eq!(words(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_the_kernel_would_refuse_is_refused_before() {
        for (text, part) in [
            ("x", "not absolute"),
            ("/x:size=1.5m", "`size=1.5m` makes no sense"),
            ("/x:size=", "`size=` makes no sense"),
            ("/x:mode=8", "octal"),
            ("/x:mode=", "octal"),
            ("/x:mode=17777", "octal"),
            ("/x:uid=root", "a number"),
            ("/x:colour=red", "unknown tmpfs option `colour=red`"),
            ("/x:bind", "unknown tmpfs option `bind`"),
            ("/x:dev", "`dev` cannot be had"),
        ] {
            let error = words(text).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in "[/a-z:,=0-9%]{0,30}") {
            let _ = parse_tmpfs_option(&text);
        }
    }
}
