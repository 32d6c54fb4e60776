//! Who has made rules since the boot, on record.

use crate::error::NetworkError;
use crate::firewall::Firewall;
use crate::small_file;
use crate::state::{FIREWALL_VARIANT, NetworkHost};
use std::fs;
use std::path::Path;

/// The driver that has made rules since the boot, as `STATE/firewall.variant` below `state` says.
pub(crate) fn recorded_driver(state: &Path) -> Option<Firewall> {
    let noted = small_file::read_text(&state.join(FIREWALL_VARIANT)).ok()?;
    let driver = noted.lines().find_map(RuleMaker::parse)?;
    Some(driver.firewall())
}

/// Who has rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RuleMaker {
    /// The older iptables.
    Iptables,
    /// The iptables that makes rules of nf_tables.
    IptablesOnNfTables,
    /// nftables.
    Nftables,
}

impl RuleMaker {
    const ALL: [RuleMaker; 3] = [
        RuleMaker::Iptables,
        RuleMaker::IptablesOnNfTables,
        RuleMaker::Nftables,
    ];

    /// How a driver that is in use makes rules; none if it makes none.
    pub(crate) fn of(firewall: Firewall) -> Option<RuleMaker> {
        match firewall {
            Firewall::Iptables if firewall.counts_generations() => {
                Some(RuleMaker::IptablesOnNfTables)
            }
            Firewall::Iptables => Some(RuleMaker::Iptables),
            Firewall::Nftables => Some(RuleMaker::Nftables),
            Firewall::None => None,
        }
    }

    pub(crate) fn firewall(self) -> Firewall {
        match self {
            RuleMaker::Iptables | RuleMaker::IptablesOnNfTables => Firewall::Iptables,
            RuleMaker::Nftables => Firewall::Nftables,
        }
    }

    fn line(self) -> &'static str {
        match self {
            RuleMaker::Iptables => "iptables\n",
            RuleMaker::IptablesOnNfTables => "iptables on nf_tables\n",
            RuleMaker::Nftables => "nftables\n",
        }
    }

    fn parse(line: &str) -> Option<RuleMaker> {
        let mut drivers = RuleMaker::ALL.into_iter();
        drivers.find(|driver| driver.line().trim_end() == line)
    }
}

impl NetworkHost {
    /// The drivers that have made rules since the boot and not taken them away.
    pub(crate) fn drivers_with_rules(&self) -> Vec<RuleMaker> {
        let noted = small_file::read_text(&self.firewall_variant()).unwrap_or_default();
        noted.lines().filter_map(RuleMaker::parse).collect()
    }

    /// Whether our rules are those of nf_tables, as was noted when they were made; before, that is as likely as can be.
    pub(crate) fn uses_nf_tables(&self) -> bool {
        !self.drivers_with_rules().contains(&RuleMaker::Iptables)
    }

    /// Notes who has rules.
    pub(crate) fn note_drivers(&self, drivers: &[RuleMaker]) -> Result<(), NetworkError> {
        let path = self.firewall_variant();
        let lines: String = drivers.iter().map(|driver| driver.line()).collect();
        fs::write(&path, lines).map_err(|error| NetworkError::file("write", &path, error))
    }
}
