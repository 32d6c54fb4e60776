//! `minirun logs`.

use super::moment::Moment;
use crate::command_line::Run as RunCommand;
use crate::context::Context;
use crate::failure::{Failure, complain};
use crate::log_lines::{LogLines, Times};
use clap::Args;
use minirun_runtime::error::RuntimeError;
use minirun_runtime::logs::{Follow, LeftOut, LogQuery};
use std::io::ErrorKind;
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
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
    since: Option<Moment>,
    /// Show lines until a moment, or a time before now
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
    until: Option<Moment>,
    /// Show details of each line, of which there are none
    #[arg(long = "details")]
    _details: bool,
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

impl RunCommand for Logs {
    const ABOUT: &'static str = "Show what a container wrote";

    fn run(self, context: &Context) -> Result<ExitCode, Failure> {
        let runtime = context.runtime()?;
        let config = runtime.resolve(&self.container)?;
        let query = LogQuery {
            tail: self.tail.0,
            since: self.since.map(|Moment(moment)| moment),
            until: self.until.map(|Moment(moment)| moment),
            follow: if self.follow {
                Follow::UntilTheEnd
            } else {
                Follow::No
            },
        };
        let times = if self.timestamps {
            Times::Shown
        } else {
            Times::Hidden
        };
        match runtime.logs(&config, query, &mut LogLines::new(times)) {
            // Whoever reads the lines may stop reading.
            Err(RuntimeError::System { error, .. }) if error.kind() == ErrorKind::BrokenPipe => {
                Ok(ExitCode::SUCCESS)
            }
            Err(error) => Err(error.into()),
            Ok(left_out) => {
                warn(left_out);
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

fn warn(left_out: LeftOut) {
    if left_out.damaged > 0 {
        let damaged = left_out.damaged;
        let lines = if damaged == 1 { "line" } else { "lines" };
        let what = format!("left out {damaged} damaged {lines} of the log");
        complain("warning", &what);
    }
    if left_out.missed {
        complain(
            "warning",
            "the log was written faster than it was read: lines may be missing, because old files of it are removed",
        );
    }
}
