//! Where the time of one start goes, from what `--explain` tells.
//!
//! The container's first process and its monitor work at the same time. Each is a lane of its own, in which a step took as long as
//! it was done after the one before. The first process tells its steps through the monitor, in one piece from a known first one
//! up to the gate, and what comes after the gate follows on both.

use crate::benchmark::bench::{Bench, Driver};
use crate::benchmark::findings::{Findings, Trouble};
use crate::benchmark::options::Options;
use crate::benchmark::row::RUN;
use crate::statistics::median;

/// The first that the first process does, and the one at which it waits for the monitor.
const FIRST: &str = "give every signal its default meaning";
const GATE: &str = "wait until the network is ready";

/// Shorter steps are not worth a line, in milliseconds.
const WORTH_A_LINE: f64 = 0.05;

/// How much of a sentence is shown, in characters.
const SHOWN: usize = 90;

/// Who does a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// The monitor, which makes the network.
    Monitor,
    /// The first process, which makes its root.
    FirstProcess,
}

impl Lane {
    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Lane::Monitor => "monitor",
            Lane::FirstProcess => "first process",
        }
    }
}

/// One step of a start.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What was done, in the words of the first run.
    pub sentence: String,
    /// By whom.
    pub lane: Lane,
    /// When it was done, in milliseconds since the monitor began; the median of all runs.
    pub done: f64,
    /// For how long it was worked on; the median of all runs.
    pub took: f64,
}

/// Runs a container often enough, if its row is wanted, and notes what its steps took.
pub fn measure(options: &Options, findings: &mut Findings) {
    if !options.want(RUN) {
        return;
    }
    match explain(options.runs) {
        Ok(steps) => findings.profile = steps,
        Err(trouble) => eprintln!("warning: no profile: {trouble:?}"),
    }
}

fn explain(runs: usize) -> Result<Vec<Step>, Trouble> {
    let bench = Bench::create(Driver::Automatic)?;
    let mut told = Vec::new();
    for _ in 0..runs {
        bench.settle()?;
        let finished = bench.minirun("run --explain --rm --name profiled demo true")?;
        told.push(steps_of(finished.stderr()));
    }
    Ok(medians(&told))
}

/// The steps of one run, in the order in which they are told.
fn steps_of(text: &str) -> Vec<Step> {
    let lines: Vec<(f64, &str)> = text.lines().filter_map(parse).collect();
    let is = |wanted: &'static str| move |line: &(f64, &str)| line.1 == wanted;
    let first = lines.iter().position(is(FIRST)).unwrap_or(lines.len());
    // What precedes its first step is the clone that made it.
    let born = first.min(
        lines
            .iter()
            .position(|line| line.1.starts_with("start a process"))
            .unwrap_or(first),
    );
    let mut previous = [0.0, lines.get(born).map_or(0.0, |line| line.0)];
    let mut steps = Vec::new();
    for (index, (done, sentence)) in lines.iter().enumerate() {
        let lane = if index < first {
            Lane::Monitor
        } else {
            Lane::FirstProcess
        };
        let before = &mut previous[lane as usize];
        let took = (done - *before).max(0.0);
        *before = *done;
        steps.push(Step {
            sentence: shortened(sentence),
            lane,
            done: *done,
            // It waits there, and does nothing.
            took: if *sentence == GATE { 0.0 } else { took },
        });
    }
    steps
}

/// `[ 12.34 ms] sentence`.
fn parse(line: &str) -> Option<(f64, &str)> {
    let (time, sentence) = line.strip_prefix('[')?.split_once(" ms] ")?;
    Some((time.trim().parse().ok()?, sentence))
}

fn shortened(sentence: &str) -> String {
    match sentence.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &sentence[..end]),
        None => sentence.to_owned(),
    }
}

/// Of runs that told as many steps as the first.
fn medians(runs: &[Vec<Step>]) -> Vec<Step> {
    let Some(first) = runs.first() else {
        return Vec::new();
    };
    let alike: Vec<_> = runs.iter().filter(|run| run.len() == first.len()).collect();
    let over = |part: fn(&Step) -> f64, index: usize| {
        median(
            &alike
                .iter()
                .map(|run| part(&run[index]))
                .collect::<Vec<_>>(),
        )
    };
    let steps = first.iter().enumerate();
    steps
        .map(|(index, step)| Step {
            done: over(|step| step.done, index),
            took: over(|step| step.took, index),
            ..step.clone()
        })
        .collect()
}

/// The steps that are worth a line, and one line for all others of each lane, as Markdown.
pub fn markdown(steps: &[Step]) -> String {
    let mut lines = vec![
        "| done at | took | by | step |".to_owned(),
        "|---|---|---|---|".to_owned(),
    ];
    for lane in [Lane::Monitor, Lane::FirstProcess] {
        let own: Vec<_> = steps.iter().filter(|step| step.lane == lane).collect();
        let (long, short): (Vec<_>, Vec<_>) =
            own.into_iter().partition(|step| step.took >= WORTH_A_LINE);
        let name = lane.name();
        lines.extend(long.iter().map(|step| {
            let sentence = step.sentence.replace('|', "\\|");
            format!(
                "| {:.2} ms | {:.2} ms | {name} | {sentence} |",
                step.done, step.took
            )
        }));
        let rest: f64 = short.iter().map(|step| step.took).sum();
        let count = short.len();
        if count > 0 {
            lines.push(format!(
                "| | {rest:.2} ms | {name} | {count} shorter steps |"
            ));
        }
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLD: &str = "\
[  1.00 ms] start a process in its own namespaces: net
            $ unshare --fork --net
[  3.00 ms] create a cable
[  1.50 ms] give every signal its default meaning
[  1.52 ms] mount proc on /proc
            $ mount -t proc proc proc
[  3.20 ms] wait until the network is ready
[  3.40 ms] run true
";

    #[test]
    fn each_lane_has_its_own_time() {
        let took: Vec<_> = steps_of(TOLD)
            .iter()
            .map(|step| format!("{} {:.2} {}", step.lane.name(), step.took, step.sentence))
            .collect();
        assert_eq!(
            took,
            [
                "monitor 1.00 start a process in its own namespaces: net",
                "monitor 2.00 create a cable",
                "first process 0.50 give every signal its default meaning",
                "first process 0.02 mount proc on /proc",
                "first process 0.00 wait until the network is ready",
                "first process 0.20 run true",
            ]
        );
    }

    #[test]
    fn short_steps_share_a_line() {
        assert_eq!(
            markdown(&medians(&[steps_of(TOLD), steps_of(TOLD)])),
            "\
| done at | took | by | step |
|---|---|---|---|
| 1.00 ms | 1.00 ms | monitor | start a process in its own namespaces: net |
| 3.00 ms | 2.00 ms | monitor | create a cable |
| 1.50 ms | 0.50 ms | first process | give every signal its default meaning |
| 3.40 ms | 0.20 ms | first process | run true |
| | 0.02 ms | first process | 2 shorter steps |
"
        );
    }

    #[test]
    fn a_long_sentence_is_cut() {
        assert_eq!(shortened(&"ä".repeat(91)), format!("{}…", "ä".repeat(90)));
    }
}
