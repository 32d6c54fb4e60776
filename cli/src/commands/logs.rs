//! `minirun logs`.

use crate::command_line::Run as RunCommand;
use crate::context::Context;
use crate::failure::{Failure, complain};
use clap::Args;
use jiff::{SignedDuration, Timestamp};
use minirun_runtime::error::RuntimeError;
use minirun_runtime::log::{LogEntry, Stream};
use minirun_runtime::logs::{Follow, LogQuery};
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;
use std::str::FromStr;

/// Options of `minirun logs`.
#[derive(Debug, Args)]
pub struct Logs {
    /// Wait for more until the container ends
    #[arg(short, long)]
    follow: bool,
    /// Show the last lines only: a number, or `all`
    #[arg(short = 'n', long, value_name = "LINES", default_value = "all")]
    tail: Tail,
    /// Show when each line was written
    #[arg(short, long)]
    timestamps: bool,
    /// Show lines since a moment (2026-01-02T03:04:05Z) or for a time (10m, 2h30m)
    #[arg(long, value_name = "WHEN")]
    since: Option<Moment>,
    /// Container
    #[arg(value_name = "CONTAINER")]
    container: String,
}

/// How many lines from the end.
#[derive(Debug, Clone, Copy)]
struct Tail(Option<usize>);

impl FromStr for Tail {
    type Err = String;

    fn from_str(text: &str) -> Result<Tail, String> {
        match text {
            "all" => Ok(Tail(None)),
            number => number
                .parse()
                .map(|lines| Tail(Some(lines)))
                .map_err(|_| "write a number of lines, or `all`".into()),
        }
    }
}

/// A moment, absolute or before now.
#[derive(Debug, Clone, Copy)]
struct Moment(Timestamp);

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Moment, String> {
        if let Ok(moment) = text.parse::<Timestamp>() {
            return Ok(Moment(moment));
        }
        if let Ok(seconds) = text.parse::<i64>() {
            return Timestamp::from_second(seconds)
                .map(Moment)
                .map_err(|error| error.to_string());
        }
        let before: SignedDuration = text.parse().map_err(|_| {
            "write a moment such as `2026-01-02T03:04:05Z`, or a time such as `10m`".to_string()
        })?;
        Timestamp::now()
            .checked_sub(before)
            .map(Moment)
            .map_err(|error| error.to_string())
    }
}

impl RunCommand for Logs {
    const ABOUT: &'static str = "Show what a container wrote";

    fn run(self, context: &Context) -> Result<ExitCode, Failure> {
        let runtime = context.runtime()?;
        let config = runtime.resolve(&self.container)?;
        let query = LogQuery {
            tail: self.tail.0,
            since: self.since.map(|Moment(moment)| moment),
            follow: if self.follow {
                Follow::UntilTheEnd
            } else {
                Follow::No
            },
        };
        let written = runtime.logs(&config, query, &mut |entry| self.write(&entry));
        match written {
            // Whoever reads the lines may stop reading.
            Err(RuntimeError::System { error, .. }) if error.kind() == ErrorKind::BrokenPipe => {
                Ok(ExitCode::SUCCESS)
            }
            Err(error) => Err(error.into()),
            Ok(damaged) => {
                if damaged > 0 {
                    let lines = if damaged == 1 { "line" } else { "lines" };
                    let what = format!("left out {damaged} damaged {lines} of the log");
                    complain("warning", &what);
                }
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

impl Logs {
    fn write(&self, entry: &LogEntry) -> io::Result<()> {
        let mut line = Vec::new();
        if self.timestamps {
            write!(line, "{:.9} ", entry.time)?;
        }
        line.extend_from_slice(&entry.content);
        match entry.stream {
            Stream::Stdout => {
                let mut output = io::stdout().lock();
                output.write_all(&line)?;
                output.flush()
            }
            Stream::Stderr => io::stderr().lock().write_all(&line),
        }
    }
}
