//! `minirun stats`.

use super::format::{Format, truncation};
use crate::command_line::Run as RunCommand;
use crate::context::Context;
use crate::failure::{Failure, complain};
use crate::show::statistics::{Observation, list};
use clap::Args;
use minirun_bridge::id::ContainerId;
use minirun_runtime::error::RuntimeError;
use minirun_runtime::outline::ContainerOutline;
use minirun_runtime::runtime::Runtime;
use minirun_runtime::statistics::Statistics;
use std::collections::HashMap;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

/// How long apart the two looks are that a number for the processor needs, as with Docker.
const INTERVAL: Duration = Duration::from_secs(1);

/// What makes a terminal empty.
const CLEAR: &str = "\x1b[2J";

/// What moves its cursor to the beginning.
const HOME: &str = "\x1b[H";

/// What takes the rest of the line away that was there before.
const CLEAR_LINE: &str = "\x1b[K";

/// What takes away everything behind the cursor.
const CLEAR_REST: &str = "\x1b[J";

/// Options of `minirun stats`.
#[derive(Debug, Args)]
pub struct Stats {
    /// Show containers that do not run, too
    #[arg(short, long)]
    all: bool,
    /// Look once, instead of every second
    #[arg(long)]
    no_stream: bool,
    /// Do not shorten ids
    #[arg(long)]
    no_trunc: bool,
    /// How to show them
    #[arg(long, default_value = "table", value_name = "table|json|TEMPLATE")]
    format: Format,
    /// Containers [default: all that run]
    #[arg(value_name = "CONTAINER")]
    containers: Vec<String>,
}

/// A container that is watched, and what the user calls it.
type Watched = (ContainerOutline, String);

impl RunCommand for Stats {
    const ABOUT: &'static str = "Show what containers use: processors, memory, network, devices";

    fn run(self, context: &Context) -> Result<ExitCode, Failure> {
        let runtime = context.tidy_runtime()?;
        let named = self.resolve(&runtime)?;
        let format = self.format.clone().unless(false);
        // A template that is wrong is found before anybody waits.
        list(&[], &format, truncation(self.no_trunc))?;
        let mut screen = match self.no_stream {
            true => Screen::Lines,
            false => Screen::of_output(),
        };
        let mut before = statistics(&runtime, &self.watched(&runtime, &named)?);
        loop {
            thread::sleep(INTERVAL);
            let watched = self.watched(&runtime, &named)?;
            let now = statistics(&runtime, &watched);
            let observations = observations(watched, (&before, &now));
            let text = list(&observations, &format, truncation(self.no_trunc))?;
            let is_over = self.no_stream || !named.is_empty() && observations.is_empty();
            if screen.show(&text)? == Reader::Gone || is_over {
                return Ok(ExitCode::SUCCESS);
            }
            before = now;
        }
    }
}

impl Stats {
    /// The containers that were named; they are watched whether they run or not.
    fn resolve(&self, runtime: &Runtime) -> Result<Vec<(ContainerId, String)>, Failure> {
        let mut named = Vec::new();
        for name in &self.containers {
            named.push((runtime.resolve(name)?.id, name.clone()));
        }
        Ok(named)
    }

    /// Those of them that are still there; without names, all that are to be seen now, the newest first.
    fn watched(
        &self,
        runtime: &Runtime,
        named: &[(ContainerId, String)],
    ) -> Result<Vec<Watched>, RuntimeError> {
        if !named.is_empty() {
            let all = runtime.outlines()?;
            let find = |(id, called): &(ContainerId, String)| {
                let outline = all.iter().find(|outline| outline.id == *id)?;
                Some((outline.clone(), called.clone()))
            };
            return Ok(named.iter().filter_map(find).collect());
        }
        let all = match self.all {
            true => runtime.outlines()?,
            false => runtime.running_outlines()?,
        };
        let newest_first = all.into_iter().rev();
        let watched = newest_first.map(|outline| {
            let called = outline.id.short();
            (outline, called)
        });
        Ok(watched.collect())
    }
}

/// What each of them uses now. One that is just ending cannot be looked at, which is no reason to say nothing of others.
fn statistics(runtime: &Runtime, watched: &[Watched]) -> HashMap<ContainerId, Statistics> {
    let mut all = HashMap::new();
    for (outline, _) in watched {
        match runtime.statistics(outline) {
            Ok(statistics) => all.extend(statistics.map(|statistics| (outline.id, statistics))),
            Err(error) => complain("warning", &error.to_string()),
        }
    }
    all
}

fn observations(
    watched: Vec<Watched>,
    (before, now): (
        &HashMap<ContainerId, Statistics>,
        &HashMap<ContainerId, Statistics>,
    ),
) -> Vec<Observation> {
    let observe = |(outline, called): Watched| Observation {
        before: before.get(&outline.id).copied(),
        now: now.get(&outline.id).copied(),
        id: outline.id,
        name: outline.name,
        called,
    };
    watched.into_iter().map(observe).collect()
}

/// Whether anybody reads what is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reader {
    There,
    Gone,
}

/// How a text follows the one before: on a terminal in its place, else below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Screen {
    Lines,
    Fresh,
    InPlace,
}

impl Screen {
    fn of_output() -> Screen {
        match io::stdout().is_terminal() {
            true => Screen::Fresh,
            false => Screen::Lines,
        }
    }

    fn show(&mut self, text: &str) -> Result<Reader, Failure> {
        let text = match self {
            Screen::Lines => text.to_owned(),
            Screen::Fresh => format!("{CLEAR}{}", in_place(text)),
            Screen::InPlace => in_place(text),
        };
        if *self == Screen::Fresh {
            *self = Screen::InPlace;
        }
        let mut output = io::stdout().lock();
        match output
            .write_all(text.as_bytes())
            .and_then(|()| output.flush())
        {
            Ok(()) => Ok(Reader::There),
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Reader::Gone),
            Err(error) => Err(Failure::new(format!(
                "cannot write to standard output: {error}"
            ))),
        }
    }
}

/// The text over the one before, of which nothing stays. All at once, so that nothing flickers.
fn in_place(text: &str) -> String {
    let lines = text.replace('\n', &format!("{CLEAR_LINE}\n"));
    format!("{HOME}{lines}{CLEAR_REST}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_a_terminal_nothing_stays_of_what_was_there() {
        assert_eq!(in_place("a\nb\n"), "\x1b[Ha\x1b[K\nb\x1b[K\n\x1b[J");
    }
}
