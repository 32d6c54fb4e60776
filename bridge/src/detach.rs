//! Detaching a container: everything that [`crate::attach`] made goes, whatever of it is still there.
//!
//! The veth pair of a container that has ended needs no step: it goes with the container's network namespace, asynchronously
//! and at no cost to anyone. A namespace may be held by others for longer; the record of who had an address last says whose
//! interface has to be set down when the address is used again ([`crate::attach`]). Until then the port is kept to the container's
//! addresses (`departed.rs`); one that would pass more, or less, without its rules is set down at once (`closed_port.rs`). Of a container
//! that goes on running, the pair is deleted.

use crate::closed_port::{ClosedPort, LastConnections};
use crate::endpoint::Endpoint;
use crate::error::NetworkError;
use crate::firewall::Firewall;
use crate::id::ContainerId;
use crate::lazy_netlink::LazyNetlink;
use crate::name::NetworkName;
use crate::network::{Family, Network};
use crate::plan::Step;
use crate::publication::Publication;
use crate::reload::{self, KnownRules, RulesLock};
use crate::source_check;
use crate::state::NetworkHost;
use crate::step::{Action, Context, HostsChange, NetworkStep};
use minirun_netns::netfilter::nf_tables::Expectation;
use minirun_netns::{Explain, Explanation, Narrator, Silent};
use std::net::IpAddr;

/// What becomes of a container that is detached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Departure {
    /// It has ended.
    Ended(LastConnections),
    /// It goes on running without this network.
    Disconnected,
}

impl Departure {
    /// Whether the container has ended.
    pub(crate) fn is_end(self) -> bool {
        !matches!(self, Departure::Disconnected)
    }
}

/// What came of taking a container off a network.
#[must_use = "it may have failed"]
struct TakenOff {
    /// Its port, if it has ended and was set down.
    closed: Option<ClosedPort>,
    /// The first error met; the rest was done all the same.
    outcome: Result<(), NetworkError>,
}

impl TakenOff {
    fn nothing() -> Self {
        Self {
            closed: None,
            outcome: Ok(()),
        }
    }
}

impl NetworkHost {
    /// Takes a container off a network: rules, records, claims, and the hosts entries of those linked to it. Its addresses
    /// stay leased, so that it comes back with the same ones as long as the pool allows.
    ///
    /// # Errors
    /// The first error met; the rest was done all the same.
    pub fn detach(
        &self,
        name: &NetworkName,
        (container, departure): (&ContainerId, Departure),
        narrator: &mut dyn Narrator,
    ) -> Result<(), NetworkError> {
        let lock = self.network(name).lock_records_if_there()?;
        // Read under the lock: which rules an endpoint has depends on what the network is now.
        let network = match &lock {
            Some(_) => self.load(name)?,
            None => None,
        };
        let Some(network) = network else {
            // The network went first, and all its rules with it.
            self.leave(container, name);
            return Ok(());
        };
        let taken = self.take_off(&network, (container, departure), narrator);
        drop(lock);
        let TakenOff { closed, outcome } = taken?;
        let deleted = match (closed, departure) {
            (Some(port), Departure::Ended(LastConnections::MayBeOpen)) => {
                port.delete(self, narrator)
            }
            _ => Ok(()),
        };
        outcome.and(deleted)
    }

    /// What it would take to detach a container now, in words.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn explain_detach(
        &self,
        name: &NetworkName,
        container: &ContainerId,
    ) -> Result<Vec<Explanation>, NetworkError> {
        let endpoint = self.network(name).find(container)?;
        let (Some(network), Some(endpoint)) = (self.load(name)?, endpoint) else {
            return Ok(Vec::new());
        };
        let netlink = LazyNetlink::default();
        let context = Context {
            host: self,
            netlink: &netlink,
        };
        let actions = self.detachment(
            &network,
            endpoint,
            Departure::Ended(LastConnections::Settled),
        )?;
        Ok(actions
            .into_iter()
            .map(|action| NetworkStep { context, action }.explain())
            .collect())
    }

    /// Gives up the addresses that are kept for a container which is not on the network. If it is not known which ones those
    /// are, because a start was interrupted, they are searched for.
    ///
    /// # Errors
    /// When the state cannot be written to.
    pub fn forget(
        &self,
        name: &NetworkName,
        container: &ContainerId,
        addresses: &[IpAddr],
    ) -> Result<(), NetworkError> {
        // Nobody has an address of a network that never had an endpoint, or was removed.
        let Some(_lock) = self.network(name).lock_records_if_there()? else {
            return Ok(());
        };
        let Some(network) = self.load(name)? else {
            return Ok(());
        };
        for (family, _) in network.families() {
            let leases = self.leases(&network, family)?;
            let known = |address: &&IpAddr| Family::of(**address) == family;
            let mut held: Vec<IpAddr> = addresses.iter().filter(known).copied().collect();
            if held.is_empty() {
                held = leases
                    .holders()?
                    .into_iter()
                    .filter(|(_, holder)| holder == container)
                    .map(|(address, _)| address)
                    .collect();
            }
            for address in held {
                leases.release(address, container)?;
            }
        }
        Ok(())
    }

    /// Takes down a container that claims a port which could be bound: whoever held it is gone.
    pub(crate) fn take_down_if_shadowing(
        &self,
        owner: &ContainerId,
        publication: &Publication,
    ) -> Result<(), NetworkError> {
        for name in self.networks_of(owner)? {
            let endpoint = self.network(&name).find(owner)?;
            let shadows = endpoint.is_some_and(|endpoint| {
                let mut held = endpoint.publications.iter();
                held.any(|held| held.collides_with(publication))
            });
            if shadows {
                let gone = Departure::Ended(LastConnections::MayBeOpen);
                self.detach(&name, (owner, gone), &mut Silent)?;
            }
        }
        self.release_port(publication, owner);
        Ok(())
    }

    /// Takes a container that goes on running off a network whose lock the caller holds.
    pub(crate) fn disconnect_locked(
        &self,
        network: &Network,
        container: &ContainerId,
    ) -> Result<(), NetworkError> {
        let leaving = (container, Departure::Disconnected);
        self.take_off(network, leaving, &mut Silent)?.outcome
    }

    /// What [`NetworkHost::detach`] does under the network's lock.
    fn take_off(
        &self,
        network: &Network,
        (container, departure): (&ContainerId, Departure),
        narrator: &mut dyn Narrator,
    ) -> Result<TakenOff, NetworkError> {
        let Some(endpoint) = self.network(&network.name).find(container)? else {
            self.network(&network.name).forget_unwritten(container)?;
            self.leave(container, &network.name);
            // Whoever was here before may have been killed between record and rules.
            self.reload_if_unknown()?;
            return Ok(TakenOff::nothing());
        };
        let interface = endpoint.interface.clone();
        self.note_change_without_rules()?;
        let netlink = LazyNetlink::default();
        let context = Context {
            host: self,
            netlink: &netlink,
        };
        let actions = self.detachment(network, endpoint, departure)?;
        let (set_down, actions): (Vec<_>, Vec<_>) = actions
            .into_iter()
            .partition(|action| matches!(action, Action::SetDown(_)));
        let closed = (!set_down.is_empty()).then_some(ClosedPort { interface });
        // The kernel may let us wait for that, so nobody else should have to wait for us.
        let mut outcome = apply_each(context, set_down, narrator);
        let removes_rules = actions
            .iter()
            .any(|action| matches!(action, Action::RemoveRules { .. }));
        let removes_guard = actions
            .iter()
            .any(|action| matches!(action, Action::Unguard(_)));
        let lock = (removes_rules || removes_guard)
            .then(|| self.lock_rules())
            .transpose()?;
        let mut known = match &lock {
            Some(lock) if removes_rules => self.begin_rules_change(lock),
            _ => KnownRules::Match(Expectation::Anything),
        };
        for action in actions {
            let step = NetworkStep { context, action };
            let applied = match (&step.action, &lock) {
                (Action::Unguard(guard), Some(lock)) if !removes_rules => {
                    self.remove_guard_alone(guard, lock)
                }
                _ => self.take_away(&step, &mut known),
            };
            match applied {
                Ok(()) => narrator.tell(&step),
                // They are made afresh in the end, without what leaves.
                Err(error) if source_check::is_about_checks(&error) => known = KnownRules::Unknown,
                Err(NetworkError::Firewall(_)) => known = KnownRules::Unknown,
                Err(error) => outcome = outcome.and(Err(error)),
            }
        }
        let settled = match lock {
            Some(lock) if removes_rules => self.settle_rules(&lock, known),
            other => {
                drop(other);
                self.reload_if_unknown()
            }
        };
        let forgotten = self.forget_departed_in_time();
        Ok(TakenOff {
            closed,
            outcome: outcome.and(settled).and(forgotten),
        })
    }

    /// Applies a step, and notes what is known of the rules then. Where nothing is, they are made afresh in the end.
    fn take_away(
        &self,
        step: &NetworkStep<'_>,
        known: &mut KnownRules,
    ) -> Result<(), NetworkError> {
        let KnownRules::Match(expectation) = *known else {
            return match step.action {
                Action::RemoveRules { .. } => Ok(()),
                _ => step.apply(),
            };
        };
        match &step.action {
            Action::RemoveRules { removal, .. } => {
                let since = self.firewall.commit(self, removal, expectation)?;
                *known = KnownRules::Match(since);
            }
            Action::Unguard(guard) => {
                let since = self.remove_guard(guard, expectation)?;
                // Where the other rules are not counted, these are not either.
                if expectation != Expectation::Anything {
                    *known = KnownRules::Match(since);
                }
            }
            _ => step.apply()?,
        }
        Ok(())
    }

    /// Ends a change of rules. The records say what should be now.
    pub(crate) fn settle_rules(
        &self,
        lock: &RulesLock,
        known: KnownRules,
    ) -> Result<(), NetworkError> {
        match known {
            _ if self.firewall == Firewall::None => Ok(()),
            KnownRules::Match(since) => self.rules_match(lock, since),
            KnownRules::Unknown => reload::rebuild(self, lock).map(drop),
        }
    }

    /// Makes all rules afresh if nobody knows what they are.
    pub(crate) fn reload_if_unknown(&self) -> Result<(), NetworkError> {
        if self.rules_are_known() {
            return Ok(());
        }
        let lock = self.lock_rules()?;
        match self.known_rules(&lock) {
            KnownRules::Match(_) => Ok(()),
            KnownRules::Unknown => reload::rebuild(self, &lock).map(drop),
        }
    }
}

/// Applies steps that change no rules, all of them. Gives the first error.
fn apply_each(
    context: Context<'_>,
    actions: Vec<Action<'_>>,
    narrator: &mut dyn Narrator,
) -> Result<(), NetworkError> {
    let mut outcome = Ok(());
    for action in actions {
        let step = NetworkStep { context, action };
        match step.apply() {
            Ok(()) => narrator.tell(&step),
            Err(error) => outcome = outcome.and(Err(error)),
        }
    }
    outcome
}

/// The change that makes a container's hosts file what the records say.
pub(crate) fn hosts_of(endpoint: &Endpoint) -> HostsChange {
    HostsChange::new(endpoint.name.clone(), endpoint.container)
}
