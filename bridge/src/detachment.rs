//! What it takes to detach a container, as steps. `detach.rs` takes them.

use crate::closed_port::is_closed_at_end;
use crate::departed::RecordLeft;
use crate::detach::{Departure, hosts_of};
use crate::endpoint::Endpoint;
use crate::error::NetworkError;
use crate::network::Network;
use crate::policy::{self, Contribution};
use crate::segment_devices::forgotten_station;
use crate::source_check::guard;
use crate::state::NetworkHost;
use crate::step::Action;
use minirun_netns::{ProxyNeighbour, SetLinkDown};

impl NetworkHost {
    /// What it takes to detach an endpoint. The record goes last: whoever finds it can take the rest down, whatever
    /// happened in between.
    pub(crate) fn detachment(
        &self,
        network: &Network,
        endpoint: Endpoint,
        departure: Departure,
    ) -> Result<Vec<Action<'_>>, NetworkError> {
        let state = self.network(&network.name);
        let sources = state.sources_of(&endpoint.name)?;
        let targets = self.running_targets(network, &endpoint);
        let contribution = policy::contribution(network, &endpoint, &targets, &sources);
        let mut actions: Vec<Action<'_>> = sources
            .iter()
            .map(|source| Action::RefreshHosts(hosts_of(source).without(endpoint.container)))
            .collect();
        let interface = endpoint.interface.clone();
        actions.push(match departure.is_end() {
            true => Action::LeaveVeth(interface),
            false => Action::DeleteVeth(interface),
        });
        let rules = self.removal_of_rules((network, &endpoint), departure, &contribution)?;
        let record = match rules.last() {
            Some(Action::KeepGuard(_)) => RecordLeft::AsDeparted,
            _ => RecordLeft::Nowhere,
        };
        if departure.is_end() && record == RecordLeft::Nowhere && !rules.is_empty() {
            let name = endpoint.interface.clone();
            actions.insert(0, Action::SetDown(SetLinkDown { name }));
        }
        actions.extend(rules);
        actions.extend(Action::forget_flows(&endpoint.publications));
        actions.extend(endpoint.ipv6_address.map(|address| {
            Action::StopAnsweringFor(ProxyNeighbour {
                bridge: network.bridge.clone(),
                address,
            })
        }));
        actions.extend(forgotten_station(network, &endpoint).map(Action::Unpin));
        let own = hosts_of(&endpoint);
        let container = endpoint.container;
        actions.push(Action::Unregister(
            Box::new(network.clone()),
            Box::new(endpoint),
            record,
        ));
        // Somebody else may have written them meanwhile, from records that were still there.
        actions.extend(
            sources
                .iter()
                .map(|source| Action::RefreshHosts(hosts_of(source).without(container))),
        );
        if !departure.is_end() {
            actions.push(Action::RefreshHosts(own));
        }
        Ok(actions)
    }

    /// What takes away the rules of an endpoint, and what keeps it to its addresses: one step, where the driver can do that. What
    /// keeps one that has ended to its addresses stays for now, if its port does.
    fn removal_of_rules(
        &self,
        (network, endpoint): (&Network, &Endpoint),
        departure: Departure,
        contribution: &Contribution,
    ) -> Result<Vec<Action<'_>>, NetworkError> {
        if !self.guards_sources() {
            return Ok(Vec::new());
        }
        let removal = self.firewall.removal(network, contribution);
        let others = self.others_of(&endpoint.container, &network.name)?;
        let remove = |removal, checks| Action::RemoveRules {
            sentence: format!(
                "take the rules of what `{}` published and was linked with away{checks}",
                endpoint.name
            ),
            removal,
        };
        if departure.is_end() && !is_closed_at_end((endpoint, &others), contribution) {
            let rules = (!removal.is_empty()).then(|| remove(removal, ""));
            let kept = Action::KeepGuard(endpoint.interface.clone());
            return Ok(rules.into_iter().chain([kept]).collect());
        }
        let guard = guard(endpoint, &others);
        if removal.is_empty() {
            return Ok(vec![Action::Unguard(guard)]);
        }
        Ok(match self.firewall.together(&removal, guard.removal()) {
            Some(whole) => vec![remove(whole, ", and what kept it to its addresses")],
            None => vec![remove(removal, ""), Action::Unguard(guard)],
        })
    }
}
