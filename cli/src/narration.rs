//! `--explain`: every step is told on standard error, as it is applied.

use crate::failure::{self, complain};
use crate::show::explanation;
use crate::status_lines::StatusLines;
use minirun_netns::{Explain, Narrator};
use minirun_runtime::config::ContainerConfig;
use minirun_runtime::report::{self, Report};
use std::time::Instant;

/// Tells steps that are applied in this process.
pub enum Narration {
    /// Says nothing.
    Silent,
    /// Says everything, with the time since it began.
    Told(Instant),
}

impl Narration {
    /// As `--explain` says.
    pub fn new(explain: bool) -> Narration {
        if explain {
            Narration::Told(Instant::now())
        } else {
            Narration::Silent
        }
    }
}

impl Narrator for Narration {
    fn tell(&mut self, step: &dyn Explain) {
        if let Narration::Told(begun) = self {
            let explanation = step.explain();
            let elapsed = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
            failure::tell(&explanation::step(
                elapsed,
                &explanation.sentence,
                &explanation.command,
            ));
        }
    }
}

/// Whether a monitor shall tell its steps.
pub fn narration(explain: bool) -> report::Narration {
    if explain {
        report::Narration::Told
    } else {
        report::Narration::Silent
    }
}

/// Says what a monitor has told: a step, or a warning.
pub fn tell(report: &Report) {
    match report {
        Report::Step {
            elapsed_microseconds,
            sentence,
            command,
        } => failure::tell(&explanation::step(*elapsed_microseconds, sentence, command)),
        Report::Warned { message } => complain("warning", message),
        Report::Exited(end) if end.timed_out() => complain(
            "error",
            "the container was killed because its time was over (`--timeout`)",
        ),
        Report::Started { .. } | Report::Failed { .. } | Report::Exited(_) => {}
    }
}

/// The same beside the lines of `--status-fd`, which tell how the container ends to whoever wants them; nobody is told twice.
pub fn tell_with(status: &mut StatusLines, config: &ContainerConfig, report: &Report) {
    status.hear(config, report);
    match report {
        Report::Exited(_) if status.are_wanted() => {}
        report => tell(report),
    }
}
