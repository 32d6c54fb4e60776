//! What becomes of a container's output: `--log-driver` and `--log-opt`.

use crate::byte_size::ByteSize;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::num::NonZeroU16;
use std::str::FromStr;

/// The size at which a log begins a new file unless told otherwise.
const USUAL_SIZE: u64 = 20 << 20;

/// How many files a log has at most unless told otherwise.
const USUAL_FILES: NonZeroU16 = NonZeroU16::MIN.saturating_add(4);

/// More files than this cannot be held open while they are read.
const MOST_FILES: u16 = 500;

/// The word for a log that grows for ever, as with Docker.
const UNLIMITED: &str = "-1";

/// Where output is kept, and how much of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogOptions {
    /// In files, one JSON object a line.
    JsonFile(LogLimit),
    /// Nowhere: only who listens gets it.
    None,
}

/// How much of a log is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogLimit {
    /// Everything, in one file.
    Unlimited,
    /// The newest lines, in several files.
    Files {
        /// How large a file may grow, in bytes; one that holds a single line may be larger.
        size: u64,
        /// How many files there are at most.
        count: NonZeroU16,
    },
}

impl Default for LogOptions {
    fn default() -> LogOptions {
        LogOptions::JsonFile(LogLimit::Files {
            size: USUAL_SIZE,
            count: USUAL_FILES,
        })
    }
}

/// `--log-opt`: a key and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogOption {
    /// Never empty.
    pub key: String,
    /// What it is set to.
    pub value: String,
}

/// Why `--log-driver` and `--log-opt` mean nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogOptionsError {
    /// It is none of ours.
    #[error("unknown log driver `{0}`: use `json-file` or `none`")]
    UnknownDriver(String),
    /// There is no `=`, or nothing in front of it.
    #[error("invalid log option `{0}`: write KEY=VALUE, such as `max-size=10m`")]
    NoPair(String),
    /// It is none of ours.
    #[error("unknown log option `{0}`: use `max-size`, `max-file` or `mode`")]
    UnknownOption(String),
    /// Where nothing is kept, nothing can be limited.
    #[error("log option `{0}` means nothing with log driver `none`: leave one of them out")]
    NothingKept(String),
    /// The size is none, or nothing.
    #[error(
        "invalid log option `max-size={0}`: write a size such as `10m`, or `-1` for a log without limit"
    )]
    Size(String),
    /// The number of files is none, or nothing, or more than can be read.
    #[error("invalid log option `max-file={0}`: write a number from 1 to {MOST_FILES}")]
    Files(String),
    /// Files have no number without a size.
    #[error("log option `max-file` needs `max-size`: add `--log-opt max-size=10m`")]
    FilesWithoutSize,
    /// Output is never thrown away because the log is slow.
    #[error(
        "log option `mode={0}` is not supported: use `mode=blocking`, with which nothing is lost"
    )]
    Mode(String),
}

impl FromStr for LogOption {
    type Err = LogOptionsError;

    fn from_str(text: &str) -> Result<LogOption, LogOptionsError> {
        match text.split_once('=') {
            Some((key, value)) if !key.is_empty() => Ok(LogOption {
                key: key.to_owned(),
                value: value.to_owned(),
            }),
            _ => Err(LogOptionsError::NoPair(text.to_owned())),
        }
    }
}

impl LogOptions {
    /// What a driver and options mean together; without either, the default. Of options with one key the last counts.
    ///
    /// # Errors
    /// When driver or option are not known, or do not go together.
    pub fn from_words(
        driver: Option<&str>,
        options: &[LogOption],
    ) -> Result<LogOptions, LogOptionsError> {
        match driver.unwrap_or("json-file") {
            "json-file" => Ok(LogOptions::JsonFile(limit(options)?)),
            "none" => match options.first() {
                None => Ok(LogOptions::None),
                Some(option) => Err(LogOptionsError::NothingKept(option.key.clone())),
            },
            other => Err(LogOptionsError::UnknownDriver(other.to_owned())),
        }
    }

    /// The name of the driver.
    pub fn driver(&self) -> &'static str {
        match self {
            LogOptions::JsonFile(_) => "json-file",
            LogOptions::None => "none",
        }
    }

    /// The options that say the same, as they may be typed.
    pub fn words(&self) -> BTreeMap<&'static str, String> {
        match self {
            LogOptions::None => BTreeMap::new(),
            LogOptions::JsonFile(LogLimit::Unlimited) => {
                BTreeMap::from([("max-size", UNLIMITED.to_owned())])
            }
            LogOptions::JsonFile(LogLimit::Files { size, count }) => BTreeMap::from([
                ("max-size", ByteSize(*size).to_string()),
                ("max-file", count.to_string()),
            ]),
        }
    }
}

impl LogLimit {
    /// How many files there are at most.
    pub fn files(self) -> u16 {
        match self {
            LogLimit::Unlimited => 1,
            LogLimit::Files { count, .. } => count.get(),
        }
    }
}

fn limit(options: &[LogOption]) -> Result<LogLimit, LogOptionsError> {
    let LogOptions::JsonFile(mut limit) = LogOptions::default() else {
        return Ok(LogLimit::Unlimited);
    };
    let (mut wanted_size, mut wanted_files) = (None, None);
    for LogOption { key, value } in options {
        match key.as_str() {
            "max-size" => wanted_size = Some(size(value)?),
            "max-file" => wanted_files = Some(files(value)?),
            "mode" if value == "blocking" => {}
            "mode" => return Err(LogOptionsError::Mode(value.clone())),
            _ => return Err(LogOptionsError::UnknownOption(key.clone())),
        }
    }
    match (wanted_size, wanted_files) {
        (None, None) => {}
        (None | Some(None), Some(_)) => return Err(LogOptionsError::FilesWithoutSize),
        (Some(None), None) => limit = LogLimit::Unlimited,
        (Some(Some(size)), count) => {
            let count = count.unwrap_or(USUAL_FILES);
            limit = LogLimit::Files { size, count };
        }
    }
    Ok(limit)
}

/// The size of a file; none if it has no limit.
fn size(value: &str) -> Result<Option<u64>, LogOptionsError> {
    if value == UNLIMITED {
        return Ok(None);
    }
    match value.parse() {
        Ok(ByteSize(size @ 1..)) => Ok(Some(size)),
        _ => Err(LogOptionsError::Size(value.to_owned())),
    }
}

fn files(value: &str) -> Result<NonZeroU16, LogOptionsError> {
    let count = value.parse::<NonZeroU16>().ok();
    count
        .filter(|count| count.get() <= MOST_FILES)
        .ok_or_else(|| LogOptionsError::Files(value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn understood(driver: Option<&str>, words: &[&str]) -> Result<LogOptions, LogOptionsError> {
        let options: Result<Vec<LogOption>, _> = words.iter().map(|word| word.parse()).collect();
        LogOptions::from_words(driver, &options?)
    }

    fn files_of(size: u64, count: u16) -> LogOptions {
        let count = NonZeroU16::new(count).expect("a number");
        LogOptions::JsonFile(LogLimit::Files { size, count })
    }

    #[test]
    fn a_log_has_a_limit_unless_told_otherwise() {
        assert_eq!(understood(None, &[]), Ok(files_of(20 << 20, 5)));
        assert_eq!(understood(Some("json-file"), &[]), understood(None, &[]));
        assert_eq!(
            understood(None, &["max-size=10m"]),
            Ok(files_of(10 << 20, 5))
        );
        assert_eq!(
            understood(None, &["max-size=1k", "max-file=3", "mode=blocking"]),
            Ok(files_of(1024, 3))
        );
        assert_eq!(
            understood(None, &["max-size=-1"]),
            Ok(LogOptions::JsonFile(LogLimit::Unlimited))
        );
        assert_eq!(understood(Some("none"), &[]), Ok(LogOptions::None));
    }

    #[test]
    fn what_is_refused_names_what_would_do() {
        for (driver, words, expected) in [
            (
                Some("syslog"),
                &[][..],
                "unknown log driver `syslog`: use `json-file` or `none`",
            ),
            (
                Some("none"),
                &["max-size=10m"],
                "log option `max-size` means nothing with log driver `none`: leave one of them out",
            ),
            (
                None,
                &["max-size"],
                "invalid log option `max-size`: write KEY=VALUE, such as `max-size=10m`",
            ),
            (
                None,
                &["compress=true"],
                "unknown log option `compress`: use `max-size`, `max-file` or `mode`",
            ),
            (
                None,
                &["max-size=0"],
                "invalid log option `max-size=0`: write a size such as `10m`, or `-1` for a log without limit",
            ),
            (
                None,
                &["max-size=1m", "max-file=0"],
                "invalid log option `max-file=0`: write a number from 1 to 500",
            ),
            (
                None,
                &["max-file=3"],
                "log option `max-file` needs `max-size`: add `--log-opt max-size=10m`",
            ),
            (
                None,
                &["mode=non-blocking"],
                "log option `mode=non-blocking` is not supported: use `mode=blocking`, with which nothing is lost",
            ),
        ] {
            let error = understood(driver, words).expect_err(expected);
            assert_eq!(error.to_string(), expected);
        }
    }

    proptest! {
        #[test]
        fn the_words_of_any_options_mean_the_same_again(size in prop::option::of(1..=i64::MAX as u64), count in 1_u16..=500) {
            let options = match size {
                Some(size) => files_of(size, count),
                None => LogOptions::JsonFile(LogLimit::Unlimited),
            };
            let words: Vec<LogOption> = options
                .words()
                .into_iter()
                .map(|(key, value)| LogOption { key: key.into(), value })
                .collect();
            prop_assert_eq!(LogOptions::from_words(Some(options.driver()), &words), Ok(options));
        }

        #[test]
        fn no_word_makes_the_parser_panic(text in "\\PC{0,20}|(max-size|max-file|mode)=\\PC{0,8}") {
            if let Ok(option) = text.parse::<LogOption>() {
                let _ = LogOptions::from_words(None, &[option]);
            }
        }
    }
}
