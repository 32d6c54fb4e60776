//! `minirun container prune`.

use super::confirmation::is_wanted;
use super::filter::{Filter, FilterKey, all, has_label};
use super::until::parse_until;
use crate::command_line::Run as RunCommand;
use crate::context::{Context, print};
use crate::failure::Failure;
use crate::output::size::human_size;
use clap::Args;
use jiff::Timestamp;
use minirun_netns::Silent;
use minirun_runtime::config::ContainerConfig;
use minirun_runtime::error::RuntimeError;
use minirun_runtime::remove::Force;
use minirun_runtime::runtime::Runtime;
use std::process::ExitCode;

/// Options of `minirun container prune`.
#[derive(Debug, Args)]
pub struct ContainerPrune {
    /// Do not ask
    #[arg(short, long)]
    force: bool,
    /// Remove those that fit: label, label!, until
    #[arg(long, value_name = "KEY=VALUE")]
    filter: Vec<Filter<PruneKey>>,
}

/// What containers to remove can be filtered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PruneKey {
    /// A label that they have.
    Label,
    /// A label that they do not have.
    NoLabel,
    /// A moment before which they were created.
    Until,
}

impl FilterKey for PruneKey {
    const KEYS: &'static [(&'static str, Self)] = &[
        ("label", Self::Label),
        ("label!", Self::NoLabel),
        ("until", Self::Until),
    ];

    fn check(self, value: &str) -> Result<(), String> {
        match self {
            Self::Until => parse_until(value, Timestamp::now()).map(drop),
            Self::Label | Self::NoLabel => Ok(()),
        }
    }
}

impl RunCommand for ContainerPrune {
    const ABOUT: &'static str = "Remove all containers that do not run";

    fn run(self, context: &Context) -> Result<ExitCode, Failure> {
        let runtime = context.tidy_runtime()?;
        let question = "This will remove all stopped containers.";
        if !self.force && !is_wanted(question)? {
            return Ok(ExitCode::SUCCESS);
        }
        let now = Timestamp::now();
        let mut removed = String::new();
        let mut reclaimed: u64 = 0;
        let mut failures = Vec::new();
        for details in runtime.all_details()? {
            if details.state.is_up() || !fits(&self.filter, &details.config, now) {
                continue;
            }
            match remove(&runtime, &details.config) {
                Ok(size) => {
                    removed.extend([&details.config.id.to_string(), "\n"]);
                    reclaimed = reclaimed.saturating_add(size);
                }
                // Somebody has just started it.
                Err(RuntimeError::StillRunning(_) | RuntimeError::IsRestarting(_)) => {}
                Err(error) => failures.push(Failure::from(error)),
            }
        }
        if !removed.is_empty() {
            print(&format!("Deleted Containers:\n{removed}\n"))?;
        }
        print(&format!(
            "Total reclaimed space: {}\n",
            human_size(reclaimed)
        ))?;
        let mut code = ExitCode::SUCCESS;
        for failure in failures {
            code = failure.show();
        }
        Ok(code)
    }
}

/// Says how much it had written.
fn remove(runtime: &Runtime, config: &ContainerConfig) -> Result<u64, RuntimeError> {
    let size = runtime.writable_size(config)?;
    runtime.remove(config, Force::No, &mut Silent)?;
    Ok(size)
}

fn fits(filters: &[Filter<PruneKey>], config: &ContainerConfig, now: Timestamp) -> bool {
    all(filters, PruneKey::Label, |label| {
        has_label(&config.labels, label)
    }) && all(filters, PruneKey::NoLabel, |label| {
        !has_label(&config.labels, label)
    }) && all(filters, PruneKey::Until, |until| {
        parse_until(until, now).is_ok_and(|until| config.created < until)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::fixture::{NOW, moment, stopped};

    #[test]
    fn only_containers_that_fit_are_removed() {
        let mut config = stopped("web1").config;
        config.labels = [("keep".to_owned(), "no".to_owned())].into();
        for (filters, expected) in [
            (&[][..], true),
            (&["label=keep"], true),
            (&["label=keep", "label=other"], false),
            (&["label!=keep"], false),
            (&["label!=keep=yes"], true),
            (&["until=30s"], true),
            (&["until=2m"], false),
            (&["until=2m", "until=30s"], false),
        ] {
            let parsed: Vec<Filter<PruneKey>> =
                filters.iter().map(|text| text.parse().unwrap()).collect();
            assert_eq!(fits(&parsed, &config, moment(NOW)), expected, "{filters:?}");
        }
    }

    #[test]
    fn a_filter_that_can_never_fit_is_refused() {
        assert!("until=soon".parse::<Filter<PruneKey>>().is_err());
        assert!("name=web1".parse::<Filter<PruneKey>>().is_err());
    }
}
