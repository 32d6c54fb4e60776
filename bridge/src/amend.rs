//! Changing a running container's place on a network: its links, its name, the host ports that lead to it.
//!
//! Theory of operation
//!
//! 1. The record of the endpoint is read under the network's lock, and changed in memory.
//! 2. What it contributes to the policy before and after is computed, with its peers as they are. Only the difference is
//!    changed, in one transaction: what stays open is never interrupted.
//! 3. The record is replaced before the rules, so that rules made afresh from the records are right as well.

use crate::detach::hosts_of;
use crate::endpoint::Endpoint;
use crate::error::NetworkError;
use crate::firewall::Transaction;
use crate::id::ContainerId;
use crate::lazy_netlink::LazyNetlink;
use crate::link::Link;
use crate::name::{ContainerName, NetworkName};
use crate::network::Network;
use crate::plan;
use crate::policy::{self, Contribution};
use crate::publication::Publication;
use crate::reload::{self, KnownRules, RulesLock};
use crate::state::NetworkHost;
use crate::step::{Action, Context, NetworkStep, RulesChange};
use minirun_netns::Narrator;

impl NetworkHost {
    /// Changes the endpoint of a running container, and everything that follows from it. Its name and addresses stay.
    ///
    /// # Errors
    /// [`NetworkError`] of the step that failed; everything is as it was then. A container that is not on the network, or
    /// has just ended, is no error.
    pub fn amend(
        &self,
        (name, container): (&NetworkName, &ContainerId),
        change: impl FnOnce(&mut Endpoint),
        narrator: &mut dyn Narrator,
    ) -> Result<(), NetworkError> {
        let _lock = self.network(name).lock_records()?;
        let (Some(network), Some(before)) = (self.load(name)?, self.network(name).find(container)?)
        else {
            return Ok(());
        };
        let mut after = before.clone();
        change(&mut after);
        if after == before {
            // What leads to it may have been lost by a command that was killed.
            return self.network(name).register(&after, network.names);
        }
        let amendment = Amendment {
            old: self.contribution_of(&network, &before)?,
            new: self.contribution_of(&network, &after)?,
            network,
            before,
            after,
        };
        let netlink = LazyNetlink::default();
        let context = Context {
            host: self,
            netlink: &netlink,
        };
        let change = amendment.rules(self);
        let lock = change.as_ref().map(|_| self.lock_rules()).transpose()?;
        let known = lock.as_ref().map(|lock| self.begin_rules_change(lock));
        let rules = lock.as_ref().zip(known).zip(change);
        plan::apply(amendment.plan(context, rules), narrator)?.commit();
        Ok(())
    }

    /// Gives a running container another name on a network. Links to it follow: the containers that are linked to it by its
    /// old name are linked to the new one afterwards. Links that waited for the new name open.
    ///
    /// # Errors
    /// When a record cannot be read or written, or rules cannot be changed.
    pub fn rename(
        &self,
        (name, container): (&NetworkName, &ContainerId),
        new: &ContainerName,
    ) -> Result<(), NetworkError> {
        let _lock = self.network(name).lock_records()?;
        let state = self.network(name);
        let (Some(network), Some(before)) = (self.load(name)?, state.find(container)?) else {
            return Ok(());
        };
        // Records of several containers change: whoever makes all rules afresh must see all of them or none.
        let rules = self.lock_rules()?;
        let old = self.contribution_of(&network, &before)?;
        let known = self.begin_rules_change(&rules);
        for source in state.sources_of(&before.name)? {
            let mut linked = source.clone();
            retarget(&mut linked.links, &before.name, new);
            state.replace((&source, &linked), network.names)?;
        }
        // It may have been linked back.
        let current = state.find(container)?.unwrap_or(before);
        let after = Endpoint {
            name: new.clone(),
            ..current.clone()
        };
        state.replace((&current, &after), network.names)?;
        let new_contribution = self.contribution_of(&network, &after)?;
        let change = self.firewall.change(&network, (&old, &new_contribution));
        match change.is_empty() {
            true => self.settle_rules(&rules, known)?,
            false => reload::change_rules(self, &rules, known, &change).map(drop)?,
        }
        for source in state.sources_of(new)? {
            self.refresh_hosts(&source.container, None, None)?;
        }
        Ok(())
    }

    /// What an endpoint adds to its network's policy, with the peers that run.
    pub(crate) fn contribution_of(
        &self,
        network: &Network,
        endpoint: &Endpoint,
    ) -> Result<Contribution, NetworkError> {
        let sources = self.network(&network.name).sources_of(&endpoint.name)?;
        let targets = self.running_targets(network, endpoint);
        Ok(policy::contribution(network, endpoint, &targets, &sources))
    }
}

/// Makes links to one name links to another.
pub fn retarget(links: &mut [Link], old: &ContainerName, new: &ContainerName) {
    for link in links {
        if link.target == *old {
            link.target = new.clone();
        }
    }
}

/// An endpoint before and after, and what it contributes.
struct Amendment {
    network: Network,
    before: Endpoint,
    after: Endpoint,
    old: Contribution,
    new: Contribution,
}

/// The right to change rules, what is known of them, and the change with its opposite.
type Rules<'a> = ((&'a RulesLock, KnownRules), (Transaction, Transaction));

impl Amendment {
    /// The change of rules and its opposite; none if they stay as they are.
    fn rules(&self, host: &NetworkHost) -> Option<(Transaction, Transaction)> {
        let forth = host.firewall.change(&self.network, (&self.old, &self.new));
        if self.old == self.new || forth.is_empty() {
            return None;
        }
        let back = host.firewall.change(&self.network, (&self.new, &self.old));
        Some((forth, back))
    }

    fn plan<'a>(self, context: Context<'a>, rules: Option<Rules<'a>>) -> Vec<NetworkStep<'a>> {
        let name = self.after.name.clone();
        let gone = missing(&self.before.publications, &self.after.publications);
        let new = missing(&self.after.publications, &self.before.publications);
        let mut actions: Vec<Action<'a>> = new
            .iter()
            .map(|publication| Action::ClaimPort(*publication, Box::new(self.after.clone())))
            .collect();
        let hosts = hosts_of(&self.after);
        let restricted = self.before.egress != self.after.egress;
        let guard = rules
            .as_ref()
            .and_then(|((lock, _), _)| guard_change((&self.before, &self.after), lock));
        actions.push(Action::Replace {
            network: Box::new(self.network),
            before: Box::new(self.before),
            after: Box::new(self.after),
        });
        // Before the rules, with which all is known to be done: whoever is killed in between leaves the guard in doubt as well.
        actions.extend(guard);
        if let Some((lock, change)) = rules {
            let sentence = match restricted {
                true => format!("let the firewall pass what `{name}` may reach now"),
                false => {
                    format!("let the firewall pass what `{name}` publishes and is linked to now")
                }
            };
            actions.push(Action::ChangeRules(RulesChange::new(
                sentence, lock, change,
            )));
        }
        actions.extend(Action::forget_flows(&[gone, new].concat()));
        actions.push(Action::RefreshHosts(hosts));
        actions
            .into_iter()
            .map(|action| NetworkStep { context, action })
            .collect()
    }
}

/// What a container may speak from depends on whether it may reach everything, and so does whether it can do without being kept
/// to that.
fn guard_change<'a>(
    (before, after): (&Endpoint, &Endpoint),
    lock: &'a RulesLock,
) -> Option<Action<'a>> {
    (before.egress.is_open() != after.egress.is_open()).then_some(Action::RenewGuards(lock))
}

/// What is in `these` and not in `those`.
fn missing(these: &[Publication], those: &[Publication]) -> Vec<Publication> {
    let mut missing = these.to_vec();
    missing.retain(|publication| !those.contains(publication));
    missing
}
