//! What `wget` was asked to do.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::url::Url;
use crate::guest::options::{Choice, Grammar, Operands};
use crate::guest::program::Failure;

const GRAMMAR: Grammar = Grammar {
    flags: "qS",
    valued: "OT",
    operands: Operands::Anywhere,
};

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// The arguments of `wget`, checked.
#[derive(Debug, PartialEq, Eq)]
pub struct Settings {
    /// What to fetch.
    pub url: Url,
    /// Where to put it.
    pub target: Target,
    /// How long to wait for a connection, and for each next part of the answer.
    pub timeout: Duration,
    /// What to say about it.
    pub report: Report,
    /// What to do with the head of the answer.
    pub server_head: ServerHead,
}

/// Where a document goes.
#[derive(Debug, PartialEq, Eq)]
pub enum Target {
    /// To whoever called.
    StandardOutput,
    /// Into this file.
    File(PathBuf),
}

/// What is said about a success.
#[derive(Debug, PartialEq, Eq)]
pub enum Report {
    /// Who answered, how much, where it is.
    OneLine,
    /// Nothing.
    Nothing,
}

/// What is done with the head of an answer.
#[derive(Debug, PartialEq, Eq)]
pub enum ServerHead {
    /// It is shown.
    Shown,
    /// It is not.
    Hidden,
}

impl Settings {
    /// Reads the arguments.
    ///
    /// # Errors
    ///
    /// [`Failure::Misuse`] for unknown options, a bad time-out, and any number of URLs but one; an ordinary failure for a
    /// URL that this program cannot fetch.
    pub fn parse(arguments: &[OsString]) -> Result<Self, Failure> {
        let parsed = GRAMMAR.parse(arguments)?;
        let url = match parsed.operands.as_slice() {
            [url] => parse_url(url)?,
            [] => return Err(Failure::Misuse("say what to fetch".to_owned())),
            [_, second, ..] => {
                let second = second.to_string_lossy();
                return Err(Failure::Misuse(format!("unexpected `{second}`")));
            }
        };
        let mut settings = Self {
            target: Target::File(url.file_name().into()),
            url,
            timeout: DEFAULT_TIMEOUT,
            report: Report::OneLine,
            server_head: ServerHead::Hidden,
        };
        for choice in parsed.choices {
            match choice {
                Choice::Flag('q') => settings.report = Report::Nothing,
                Choice::Flag(_) => settings.server_head = ServerHead::Shown,
                Choice::Value('T', seconds) => settings.timeout = parse_timeout(&seconds)?,
                Choice::Value(_, file) if file == "-" => settings.target = Target::StandardOutput,
                Choice::Value(_, file) => settings.target = Target::File(file.into()),
            }
        }
        Ok(settings)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StandardOutput => formatter.write_str("the standard output"),
            Self::File(path) => write!(formatter, "`{}`", path.display()),
        }
    }
}

fn parse_url(word: &OsStr) -> Result<Url, Failure> {
    word.to_string_lossy()
        .parse::<Url>()
        .map_err(|error| Failure::new(error.to_string()))
}

fn parse_timeout(word: &OsStr) -> Result<Duration, Failure> {
    let seconds = word.to_str().and_then(|text| text.parse::<f64>().ok());
    seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .filter(|timeout| !timeout.is_zero())
        .ok_or_else(|| {
            let word = word.to_string_lossy();
            Failure::Misuse(format!(
                "invalid time-out `{word}`; write seconds, such as `2` or `0.5`"
            ))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guest::options::words;

    fn parse(line: &str) -> Result<Settings, Failure> {
        Settings::parse(&words(line))
    }

    #[test]
    fn the_usual_line_of_a_demonstration_is_understood() {
        let settings = parse("-qO- -T 2 http://web/").unwrap();
        assert_eq!(settings.target, Target::StandardOutput);
        assert_eq!(settings.report, Report::Nothing);
        assert_eq!(settings.timeout, Duration::from_secs(2));
        assert_eq!(settings.url.host, "web");
    }

    #[test]
    fn without_options_a_file_is_saved_and_reported() {
        let settings = parse("http://web/lesson.txt").unwrap();
        assert_eq!(settings.target, Target::File("lesson.txt".into()));
        assert_eq!(settings.report, Report::OneLine);
        assert_eq!(settings.timeout, Duration::from_secs(10));
    }

    #[test]
    fn a_time_out_is_more_than_nothing() {
        assert_eq!(
            parse("-T 0.5 web").unwrap().timeout,
            Duration::from_millis(500)
        );
        for wrong in ["0", "-1", "soon", "inf", "nan"] {
            assert!(parse(&format!("-T {wrong} web")).is_err(), "{wrong}");
        }
    }

    #[test]
    fn there_is_one_url() {
        let misuse = |text: &str| Failure::Misuse(text.to_owned());
        assert_eq!(parse("-q").unwrap_err(), misuse("say what to fetch"));
        assert_eq!(parse("web1 web2").unwrap_err(), misuse("unexpected `web2`"));
    }
}
