//! `minirun volume prune`.

use crate::commands::confirmation::is_wanted;
use crate::commands::filter::{Filter, FilterKey, all, any, has_label};
use crate::commands::switch::parse_switch;
use crate::context::print;
use crate::failure::{Failure, show_all};
use crate::show::pruned;
use clap::Args;
use minirun_runtime::runtime::Runtime;
use minirun_runtime::storage::VolumeKind;
use minirun_runtime::volumes::Volume;
use std::process::ExitCode;

/// Options of `minirun volume prune`.
#[derive(Debug, Args)]
pub struct VolumePrune {
    /// Remove volumes that somebody named, too
    #[arg(short, long)]
    all: bool,
    /// Do not ask
    #[arg(short, long)]
    force: bool,
    /// Remove those that fit: all, label, label!
    #[arg(long, value_name = "KEY=VALUE")]
    filter: Vec<Filter<PruneKey>>,
}

/// What volumes to remove can be filtered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PruneKey {
    /// Whether those that somebody named are meant.
    All,
    /// A label that they have.
    Label,
    /// A label that they do not have.
    NoLabel,
}

impl FilterKey for PruneKey {
    const KEYS: &'static [(&'static str, Self)] = &[
        ("all", Self::All),
        ("label", Self::Label),
        ("label!", Self::NoLabel),
    ];

    fn check(self, value: &str) -> Result<(), String> {
        match self {
            Self::All => parse_switch(value).map(drop),
            Self::Label | Self::NoLabel => Ok(()),
        }
    }
}

impl VolumePrune {
    pub(super) fn run(self, runtime: &Runtime) -> Result<ExitCode, Failure> {
        let question = match self.means_all() {
            true => "This will remove all volumes that no container has.",
            false => "This will remove all anonymous volumes that no container has.",
        };
        if !self.force && !is_wanted(question)? {
            return Ok(ExitCode::SUCCESS);
        }
        let volumes = runtime.prune_volumes(&|volume| self.fits(volume))?;
        let list = pruned::volumes(&volumes.removed);
        print(&pruned::with_total(&list, volumes.reclaimed_bytes))?;
        Ok(show_all(volumes.failures))
    }

    fn means_all(&self) -> bool {
        let asks = |filter: &Filter<PruneKey>| filter.key == PruneKey::All;
        self.all
            || self.filter.iter().any(asks)
                && any(&self.filter, PruneKey::All, |value| {
                    parse_switch(value) == Ok(true)
                })
    }

    fn fits(&self, volume: &Volume) -> bool {
        (volume.kind == VolumeKind::Anonymous || self.means_all())
            && all(&self.filter, PruneKey::Label, |label| {
                has_label(&volume.labels, label)
            })
            && all(&self.filter, PruneKey::NoLabel, |label| {
                !has_label(&volume.labels, label)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::fixture::volumes;

    #[test]
    fn named_volumes_go_only_when_all_are_meant() {
        for (all, filters, expected) in [
            (false, &[][..], &["cache"][..]),
            (true, &[], &["cache", "db"]),
            (false, &["all=1"], &["cache", "db"]),
            (false, &["all=false"], &["cache"]),
            (true, &["label=tier"], &["db"]),
            (true, &["label!=tier"], &["cache"]),
        ] {
            let prune = VolumePrune {
                all,
                force: true,
                filter: filters.iter().map(|text| text.parse().unwrap()).collect(),
            };
            let volumes = volumes();
            let fitting = volumes.iter().filter(|one| prune.fits(&one.volume));
            let names: Vec<&str> = fitting.map(|one| one.volume.name.as_str()).collect();
            assert_eq!(names, expected, "{all} {filters:?}");
        }
    }
}
