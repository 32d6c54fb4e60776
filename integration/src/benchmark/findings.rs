//! What was found: for each row its samples and value, or why there are none.

use std::collections::BTreeMap;

use crate::benchmark::profile::Step;
use crate::benchmark::row::{ROWS, Row, Unit};
use crate::finished::Finished;

/// Why a row has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// This machine, or this version of minirun, lacks what is to be measured. That is no failure.
    NotHere(String),
    /// Something that should have worked did not.
    Failed(String),
}

/// What a program that should have succeeded is worth: itself, or its first complaint.
///
/// # Errors
///
/// [`Trouble::NotHere`] if this version of minirun says that it lacks something, else [`Trouble::Failed`].
pub fn expect(finished: Finished) -> Result<Finished, Trouble> {
    if finished.code() == Some(0) {
        return Ok(finished);
    }
    Err(Trouble::from_complaint(finished.stderr()))
}

impl Trouble {
    /// What a failed program's standard error means: its last line that calls itself an error, else its first.
    pub fn from_complaint(text: &str) -> Self {
        let is_error = |line: &&str| line.to_lowercase().starts_with("error");
        let told = text.lines().rfind(is_error).or(text.lines().next());
        let told = told.unwrap_or("it failed without a word").to_owned();
        if told.contains("is not part of this version") {
            return Trouble::NotHere(told);
        }
        Trouble::Failed(told)
    }

    /// The same where a peer is concerned, whose failures are not ours.
    pub fn of_peer(self) -> Self {
        match self {
            Trouble::Failed(reason) | Trouble::NotHere(reason) => Trouble::NotHere(reason),
        }
    }
}

/// One side of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct Side {
    /// Who it is: `minirun run`, `the floor`.
    pub name: String,
    /// Of the samples.
    pub unit: Unit,
    /// In the order in which they were taken.
    pub samples: Vec<f64>,
}

impl Side {
    /// Samples in milliseconds.
    pub fn times(name: &str, samples: Vec<f64>) -> Self {
        Self {
            name: name.to_owned(),
            unit: Unit::Milliseconds,
            samples,
        }
    }
}

/// A row that was measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// In the row's unit.
    pub value: f64,
    /// What the value was made of.
    pub sides: Vec<Side>,
    /// What a reader must know of it.
    pub note: Option<String>,
}

/// How a row came out.
pub type Outcome = Result<Measurement, Trouble>;

/// One line of a plot.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// What its legend says.
    pub name: String,
    /// What was counted, and the median there.
    pub points: Vec<(f64, f64)>,
}

/// Everything that a run of the benchmark has found.
#[derive(Debug, Default)]
pub struct Findings {
    outcomes: BTreeMap<&'static str, Outcome>,
    /// Start latency in milliseconds against the number of containers.
    pub starts_among_many: Vec<Curve>,
    /// The steps of one start.
    pub profile: Vec<Step>,
    /// Requests in a second against the number of other links and published ports.
    pub requests_among_many: Vec<Curve>,
}

impl Findings {
    /// Notes how a row came out.
    pub fn add(&mut self, row: Row, outcome: Outcome) {
        self.outcomes.insert(row.name, outcome);
    }

    /// The rows that were asked for, in the order of the table.
    pub fn rows(&self) -> impl Iterator<Item = (&'static Row, &Outcome)> {
        ROWS.iter()
            .filter_map(|row| Some((row, self.outcomes.get(row.name)?)))
    }

    /// Whether anything failed that should have worked.
    pub fn has_failures(&self) -> bool {
        self.outcomes
            .values()
            .any(|outcome| matches!(outcome, Err(Trouble::Failed(_))))
    }

    /// Every series of start times that was taken, each name once.
    pub fn start_times(&self) -> Vec<&Side> {
        let mut found: Vec<&Side> = Vec::new();
        for name in START_ROWS {
            let Some(Ok(measurement)) = self.outcomes.get(name) else {
                continue;
            };
            for side in &measurement.sides {
                if !found.iter().any(|known| known.name == side.name) {
                    found.push(side);
                }
            }
        }
        found
    }
}

/// The rows whose sides are single starts.
const START_ROWS: [&str; 9] = [
    "run",
    "run-nftables",
    "run-iptables",
    "bubblewrap",
    "crun",
    "runc",
    "nspawn",
    "podman",
    "docker",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_is_the_line_that_says_error() {
        for (text, told) in [
            ("error: no\nhint: do\n", "error: no"),
            ("level=warning\nError: broken\n", "Error: broken"),
            ("cannot\nmore\n", "cannot"),
            ("", "it failed without a word"),
        ] {
            assert_eq!(
                Trouble::from_complaint(text),
                Trouble::Failed(told.to_owned())
            );
        }
    }

    #[test]
    fn what_this_version_lacks_is_no_failure() {
        let text = "error: the firewall driver `x` is not part of this version\n";
        let told = text.trim_end().to_owned();
        assert_eq!(Trouble::from_complaint(text), Trouble::NotHere(told));
    }
}
