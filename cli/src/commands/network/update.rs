//! `minirun network update`.

use super::complain_of;
use crate::commands::label::{Label, labels};
use crate::commands::switch::parse_switch;
use crate::context::print;
use crate::failure::Failure;
use crate::narration::Narration;
use clap::{ArgAction, ArgGroup, Args};
use minirun_runtime::networks::NetworkChange;
use minirun_runtime::runtime::Runtime;
use std::process::ExitCode;

/// Options of `minirun network update`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("change").required(true).multiple(true))]
pub struct NetworkUpdate {
    /// Whether containers reach each other without a link
    #[arg(long, group = "change", value_name = "true|false", value_parser = parse_switch, action = ArgAction::Set)]
    icc: Option<bool>,
    /// Whether packets that leave the network take the host's address
    #[arg(long, group = "change", value_name = "true|false", value_parser = parse_switch, action = ArgAction::Set)]
    ip_masquerade: Option<bool>,
    /// Whether containers find each other by name, through a DNS server of their own
    #[arg(long, group = "change", value_name = "true|false", value_parser = parse_switch, action = ArgAction::Set)]
    dns: Option<bool>,
    /// Note something on the network
    #[arg(long, group = "change", value_name = "KEY=VALUE")]
    label_add: Vec<Label>,
    /// Remove a note
    #[arg(long, group = "change", value_name = "KEY")]
    label_rm: Vec<String>,
    /// Tell every step, with the command a person would type for it
    #[arg(long)]
    explain: bool,
    /// Network
    #[arg(value_name = "NETWORK")]
    network: String,
}

impl NetworkUpdate {
    pub(super) fn run(self, runtime: &Runtime) -> Result<ExitCode, Failure> {
        let mut narration = Narration::new(self.explain);
        let name = runtime.resolve_network(&self.network)?;
        let network = runtime.update_network(&name, &self.change(), &mut narration)?;
        if self.icc.is_some() {
            complain_of(&runtime.link_warnings_of(&network)?);
        }
        print(&format!("{}\n", self.network))?;
        Ok(ExitCode::SUCCESS)
    }

    fn change(&self) -> NetworkChange {
        NetworkChange {
            icc: self.icc.map(Into::into),
            masquerade: self.ip_masquerade.map(Into::into),
            names: self.dns.map(Into::into),
            labels_added: labels(&self.label_add),
            labels_removed: self.label_rm.iter().cloned().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Command, FromArgMatches};
    use minirun_bridge::network::{Icc, Masquerade};

    fn change(words: &[&str]) -> Option<NetworkChange> {
        let command = NetworkUpdate::augment_args(Command::new("update").no_binary_name(true));
        let matches = command.try_get_matches_from(words).ok()?;
        Some(NetworkUpdate::from_arg_matches(&matches).ok()?.change())
    }

    #[test]
    fn every_change_can_be_asked_for_alone_or_with_others() {
        let change = change(&[
            "--icc=false",
            "--ip-masquerade",
            "true",
            "--label-add",
            "a=1",
            "--label-rm",
            "b",
            "lan",
        ])
        .unwrap();
        assert_eq!(change.icc, Some(Icc::Disabled));
        assert_eq!(change.masquerade, Some(Masquerade::Enabled));
        assert_eq!(change.labels_added, [("a".into(), "1".into())].into());
        assert_eq!(change.labels_removed, ["b".into()].into());
    }

    #[test]
    fn a_change_must_be_asked_for() {
        assert!(change(&["lan"]).is_none());
        assert!(change(&["--label-rm", "a", "lan"]).is_some());
    }
}
