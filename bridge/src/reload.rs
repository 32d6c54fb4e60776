//! Making the host's rules what the state says.

use crate::error::NetworkError;
use crate::firewall::rule::Transaction;
use crate::firewall::{Firewall, FirewallError};
use crate::network::Network;
use crate::policy::{self, Contribution};
use crate::state::NetworkHost;
use std::fs;

/// Applies a change of rules. When our chains have not been made yet, or are not as they should be (somebody flushed
/// them), all rules are made afresh from the state, which already says what the change wants; what was done then is the
/// result.
pub(crate) fn change_rules(
    host: &NetworkHost,
    change: &Transaction,
) -> Result<Option<Transaction>, NetworkError> {
    if host.firewall == Firewall::None {
        return Ok(None);
    }
    if !host.firewall_marker().exists() {
        return rebuild(host).map(Some);
    }
    match host.firewall.commit(change) {
        Err(FirewallError::Refused { .. }) => rebuild(host).map(Some),
        result => result.map(|()| None).map_err(NetworkError::from),
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
    let state = whole_state(host, &host.networks()?)?;
    let transaction = host.firewall.reconstruction(&state)?;
    host.firewall.commit(&transaction)?;
    let marker = host.firewall_marker();
    fs::write(&marker, format!("{}\n", host.firewall))
        .map_err(|error| NetworkError::file("write", &marker, error))?;
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
