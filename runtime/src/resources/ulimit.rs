//! What each single process of a container may use: `--ulimit`.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// No limit, as the kernel writes it (`RLIM_INFINITY`).
pub const UNLIMITED: u64 = u64::MAX;

/// What is limited. The words are those of getrlimit(2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum UlimitName {
    /// Address space, in bytes.
    As,
    /// Size of a core dump, in bytes.
    Core,
    /// Processor time, in seconds.
    Cpu,
    /// Data, in bytes.
    Data,
    /// Size of a file that is written, in bytes.
    Fsize,
    /// File locks.
    Locks,
    /// Locked memory, in bytes.
    Memlock,
    /// Message queues, in bytes.
    Msgqueue,
    /// The nicest value of all, as 20 minus that.
    Nice,
    /// Open files.
    Nofile,
    /// Processes of the same user.
    Nproc,
    /// Resident memory, which the kernel does not look at.
    Rss,
    /// Real-time priority.
    Rtprio,
    /// Processor time without a rest under real-time scheduling, in microseconds.
    Rttime,
    /// Signals that wait.
    Sigpending,
    /// Stack, in bytes.
    Stack,
}

/// All of them, by their words.
const NAMES: [(UlimitName, &str); 16] = [
    (UlimitName::As, "as"),
    (UlimitName::Core, "core"),
    (UlimitName::Cpu, "cpu"),
    (UlimitName::Data, "data"),
    (UlimitName::Fsize, "fsize"),
    (UlimitName::Locks, "locks"),
    (UlimitName::Memlock, "memlock"),
    (UlimitName::Msgqueue, "msgqueue"),
    (UlimitName::Nice, "nice"),
    (UlimitName::Nofile, "nofile"),
    (UlimitName::Nproc, "nproc"),
    (UlimitName::Rss, "rss"),
    (UlimitName::Rtprio, "rtprio"),
    (UlimitName::Rttime, "rttime"),
    (UlimitName::Sigpending, "sigpending"),
    (UlimitName::Stack, "stack"),
];

impl UlimitName {
    /// The word.
    pub fn word(self) -> &'static str {
        let found = NAMES.iter().find(|(name, _)| *name == self);
        found.map_or("", |(_, word)| word)
    }
}

/// A limit of each process: the one that holds, and the one that it can be raised to without privileges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Ulimit {
    /// What is limited.
    pub name: UlimitName,
    /// The limit that holds.
    pub soft: u64,
    /// The most that it can be raised to.
    pub hard: u64,
}

/// Why a limit of single processes cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UlimitError {
    /// It is not a name and a number.
    #[error("`{0}` is not a limit: write NAME=SOFT[:HARD], such as `nofile=1024:4096`")]
    Malformed(String),
    /// There is no such limit.
    #[error("there is no limit `{0}`: those there are are {names}", names = names())]
    Unknown(String),
    /// It is no number.
    #[error("`{0}` is not a value of a limit: write a number, or -1 for none")]
    Value(String),
    /// The soft one is the lower one.
    #[error("`{0}`: the soft limit is above the hard one")]
    SoftAboveHard(String),
}

fn names() -> String {
    let words: Vec<String> = NAMES.iter().map(|(_, word)| format!("`{word}`")).collect();
    words.join(", ")
}

impl FromStr for Ulimit {
    type Err = UlimitError;

    fn from_str(text: &str) -> Result<Ulimit, UlimitError> {
        let (word, values) = text
            .split_once('=')
            .ok_or_else(|| UlimitError::Malformed(text.to_owned()))?;
        let name = NAMES.iter().find(|(_, known)| *known == word);
        let (name, _) = name.ok_or_else(|| UlimitError::Unknown(word.to_owned()))?;
        let (soft, hard) = match values.split_once(':') {
            Some((soft, hard)) => (value(soft)?, value(hard)?),
            None => (value(values)?, value(values)?),
        };
        match soft <= hard {
            true => Ok(Ulimit {
                name: *name,
                soft,
                hard,
            }),
            false => Err(UlimitError::SoftAboveHard(text.to_owned())),
        }
    }
}

fn value(text: &str) -> Result<u64, UlimitError> {
    match text {
        "-1" | "unlimited" => Ok(UNLIMITED),
        text => match text.parse::<i64>() {
            Ok(number) => u64::try_from(number).map_err(|_| UlimitError::Value(text.to_owned())),
            Err(_) => Err(UlimitError::Value(text.to_owned())),
        },
    }
}

impl fmt::Display for Ulimit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value| match value {
            UNLIMITED => "-1".to_owned(),
            value => value.to_string(),
        };
        let (soft, hard) = (shown(self.soft), shown(self.hard));
        write!(formatter, "{}={soft}:{hard}", self.name.word())
    }
}

impl TryFrom<String> for Ulimit {
    type Error = UlimitError;

    fn try_from(text: String) -> Result<Ulimit, UlimitError> {
        text.parse()
    }
}

impl From<Ulimit> for String {
    fn from(ulimit: Ulimit) -> String {
        ulimit.to_string()
    }
}

/// The limits in the order of their names, each as it was given last.
pub fn distinct(given: &[Ulimit]) -> Vec<Ulimit> {
    let last = |name: &UlimitName| given.iter().rfind(|ulimit| ulimit.name == *name);
    NAMES
        .iter()
        .filter_map(|(name, _)| last(name).copied())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_value_is_both_limits() {
        for (text, written) in [
            ("nofile=1024", "nofile=1024:1024"),
            ("nofile=1024:4096", "nofile=1024:4096"),
            ("core=0:-1", "core=0:-1"),
            ("memlock=unlimited", "memlock=-1:-1"),
        ] {
            assert_eq!(text.parse::<Ulimit>().unwrap().to_string(), written);
        }
    }

    #[test]
    fn what_is_no_limit_is_refused_by_name() {
        for (text, problem) in [
            ("nofile", "write NAME=SOFT[:HARD]"),
            ("files=3", "there is no limit `files`"),
            ("nofile=many", "`many` is not a value of a limit"),
            ("nofile=-2", "`-2` is not a value of a limit"),
            ("nofile=-1:5", "the soft limit is above the hard one"),
            ("nofile=6:5", "the soft limit is above the hard one"),
        ] {
            let error = text.parse::<Ulimit>().unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
        }
    }

    #[test]
    fn the_last_of_a_name_counts() {
        let given: Vec<Ulimit> = ["nproc=5", "core=0", "nproc=6"]
            .iter()
            .map(|text| text.parse().unwrap())
            .collect();
        let shown: Vec<String> = distinct(&given).iter().map(Ulimit::to_string).collect();
        assert_eq!(shown, ["core=0:0", "nproc=6:6"]);
    }

    proptest! {
        #[test]
        fn a_limit_survives_being_written_and_read(text in "((nofile|core|cpu|as)=[-0-9:]{0,12}|\\PC*)") {
            if let Ok(ulimit) = text.parse::<Ulimit>() {
                prop_assert_eq!(ulimit.to_string().parse(), Ok(ulimit));
            }
        }
    }
}
