//! Applying a step, and taking it back.

use super::{Action, NetworkStep};
use crate::departed::RecordLeft;
use crate::endpoint::Endpoint;
use crate::error::NetworkError;
use crate::network::Network;
use crate::plan::Step;
use crate::reload::{self, KnownRules};
use crate::state::NetworkHost;
use minirun_netns::netfilter::nf_tables::Expectation;
use minirun_netns::{BridgeCable, BridgeDevice, VethPair};
use std::fs;

impl Step for NetworkStep<'_> {
    type Error = NetworkError;

    fn apply(&self) -> Result<(), NetworkError> {
        let host = self.context.host;
        match &self.action {
            Action::Register {
                network, endpoint, ..
            } => {
                host.join(&endpoint.container, &network.name)?;
                host.network(&network.name)
                    .register(endpoint, network.names)?;
            }
            Action::Replace {
                network,
                before,
                after,
            } => host
                .network(&network.name)
                .replace((before, after), network.names)?,
            Action::Unregister(network, endpoint, record) => {
                forget(host, (network, endpoint), *record);
            }
            Action::ClaimPort(publication, endpoint) => {
                host.claim_port(publication, &endpoint.container)?;
            }
            Action::ChangeRules(rules) => {
                let rebuilt = reload::change_rules(host, rules.lock, rules.known, &rules.change)?;
                if let Some(rebuilt) = rebuilt {
                    // Set once, since a step is applied once.
                    let _ = rules.done.set(rebuilt);
                }
            }
            Action::RemoveRules { removal, .. } => {
                host.firewall.commit(host, removal, Expectation::Anything)?;
            }
            Action::Guard(guard, lock) => host.add_guard(guard, lock)?,
            Action::Unguard(guard) => {
                host.remove_guard(guard, Expectation::Anything)?;
            }
            Action::RenewGuards(lock) => {
                host.change_guards(lock, |expectation| host.make_guards_afresh(expectation))?;
            }
            Action::SaveDefinition(change) => host.save(&change.after)?,
            Action::RefreshHosts(change) => {
                let known = change.known.as_deref();
                let written =
                    host.refresh_hosts(&change.container, change.leaving.as_ref(), known)?;
                if let Some(written) = written {
                    let _ = change.written.set(written);
                }
            }
            _ => self.apply_to_devices()?,
        }
        Ok(())
    }

    fn undo(&self) {
        let host = self.context.host;
        let netlink = self.context.netlink;
        match &self.action {
            Action::CreateBridge(BridgeDevice { name, .. })
            | Action::CreateVeth(VethPair {
                host_name: name, ..
            }) => {
                let _ = netlink.with(|netlink| netlink.delete_link(name));
            }
            Action::Register {
                network,
                endpoint,
                sources,
            } => {
                forget(host, (network, endpoint), RecordLeft::Nowhere);
                for container in sources.iter().chain([&endpoint.container]) {
                    let _ = host.refresh_hosts(container, None, None);
                }
            }
            Action::Replace {
                network,
                before,
                after,
            } => {
                let state = host.network(&network.name);
                let _ = state.replace((after, before), network.names);
                let _ = host.refresh_hosts(&before.container, None, None);
            }
            Action::ClaimPort(publication, endpoint) => {
                host.release_port(publication, &endpoint.container);
            }
            Action::ChangeRules(rules) => {
                // Rules that cannot be taken back are made afresh with the next change.
                if let KnownRules::Match(expectation) = host.begin_rules_change(rules.lock)
                    && let Ok(since) = host.firewall.commit(host, &rules.back, expectation)
                {
                    let _ = host.rules_match(rules.lock, since);
                }
            }
            Action::SaveDefinition(change) => {
                let _ = host.save(&change.before);
            }
            // The records are not yet what they were: whoever comes next makes them afresh.
            Action::RenewGuards(lock) => {
                host.begin_rules_change(lock);
            }
            Action::Guard(guard, lock) => {
                let _ = host.change_guards(lock, |since| host.remove_guard(guard, since));
            }
            Action::CreateCable(BridgeCable { near: name, .. }) => {
                let _ = netlink.with(|netlink| netlink.delete_link(name));
            }
            Action::AnswerFor(neighbour) => {
                let _ = self.stop_answering(neighbour);
            }
            _ => {}
        }
    }
}

/// Removes an endpoint's record, and what leads to it. That its container is on the network is forgotten last, because whoever
/// goes on after an interruption looks for that.
fn forget(host: &NetworkHost, (network, endpoint): (&Network, &Endpoint), record: RecordLeft) {
    let state = host.network(&network.name);
    state.unregister(endpoint);
    let path = state.endpoint(&endpoint.container);
    match record {
        RecordLeft::AsDeparted => host.keep_as_departed(endpoint, &path),
        RecordLeft::Nowhere => {
            let _ = fs::remove_file(path);
        }
    }
    for publication in &endpoint.publications {
        host.release_port(publication, &endpoint.container);
    }
    host.leave(&endpoint.container, &network.name);
}
