//! Making the host's rules what the state says.
//!
//! Theory of operation
//!
//! A change touches records and rules, and may be interrupted between the two. So it takes the marker `STATE/firewall` away
//! first and puts it back when both are done: while it is there, the rules are known to be what the records say. Where it
//! is missing, whatever the reason (first use, an interruption, a driver that failed), the next change makes all rules
//! afresh from the records.

use crate::error::NetworkError;
use crate::firewall::rule::Transaction;
use crate::firewall::{Firewall, FirewallError};
use crate::network::Network;
use crate::policy::{self, Contribution};
use crate::state::NetworkHost;
use std::fs;

/// Whether the rules are known to be what the records say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownRules {
    /// They are.
    Match,
    /// Nobody knows.
    Unknown,
}

impl NetworkHost {
    /// Notes that rules and records are about to change together; says what was known before.
    pub(crate) fn begin_rules_change(&self) -> KnownRules {
        match fs::remove_file(self.firewall_marker()) {
            Ok(()) => KnownRules::Match,
            Err(_) => KnownRules::Unknown,
        }
    }

    /// What is known of the rules.
    pub(crate) fn known_rules(&self) -> KnownRules {
        if self.firewall == Firewall::None || self.firewall_marker().exists() {
            KnownRules::Match
        } else {
            KnownRules::Unknown
        }
    }

    /// Notes that the rules are what the records say.
    pub(crate) fn rules_match(&self) -> Result<(), NetworkError> {
        let marker = self.firewall_marker();
        fs::write(&marker, format!("{}\n", self.firewall))
            .map_err(|error| NetworkError::file("write", &marker, error))
    }
}

/// Applies a change of rules. When they are not known, or are not as they should be (somebody flushed them), all rules are
/// made afresh from the state, which already says what the change wants; what was done then is the result.
pub(crate) fn change_rules(
    host: &NetworkHost,
    known: KnownRules,
    change: &Transaction,
) -> Result<Option<Transaction>, NetworkError> {
    if host.firewall == Firewall::None {
        return Ok(None);
    }
    if known == KnownRules::Unknown {
        return rebuild(host).map(Some);
    }
    match host.firewall.commit(change) {
        Ok(()) if change.is_empty() => Ok(None),
        Ok(()) => host.rules_match().map(|()| None),
        Err(FirewallError::Refused { .. }) => rebuild(host).map(Some),
        Err(error) => Err(error.into()),
    }
}

/// Makes all rules afresh from the state, in one transaction for each table.
///
/// # Errors
/// When the state or the host's rules cannot be read, or the driver refuses the result.
pub fn reload(host: &NetworkHost) -> Result<(), NetworkError> {
    rebuild(host).map(drop)
}

fn rebuild(host: &NetworkHost) -> Result<Transaction, NetworkError> {
    host.begin_rules_change();
    let state = whole_state(host, &host.networks()?)?;
    let transaction = host.firewall.reconstruction(&state)?;
    host.firewall.commit(&transaction)?;
    if host.firewall != Firewall::None {
        host.rules_match()?;
    }
    Ok(transaction)
}

/// What the rules must say, for each network.
pub(crate) fn whole_state(
    host: &NetworkHost,
    networks: &[Network],
) -> Result<Vec<(Network, Contribution)>, NetworkError> {
    networks
        .iter()
        .map(|network| {
            let endpoints = host.network(&network.name).all()?;
            Ok((network.clone(), policy::whole(network, &endpoints)))
        })
        .collect()
}
