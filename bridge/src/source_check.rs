//! Keeping every container to its own addresses, whichever driver makes the other rules.
//!
//! Theory of operation
//!
//! 1. What a container's port may let in follows from its records on all networks ([`guard`]). So its elements are added before the port is
//!    made, and taken away when the container leaves; a port of that name that does not exist disturbs nobody.
//! 2. The kernel counts a change of them as a change of rules, so it happens under the lock of the rules. If the rules were
//!    known to be right before, they are so afterwards, of the generation then. Who is killed in between leaves a generation
//!    that is not noted, and whoever finds that looks at everything. With the nftables driver, they are a part of the change of
//!    rules that a container makes by coming and going, if it makes any.
//!    When a container has ended, they may stay until its port is gone ([`crate::departed`]).
//! 3. Where what is added is there already, or what it belongs in is not, all of it is made afresh from the records.
//! 4. A kernel without nf_tables for bridges cannot check. That matters to a container only whose egress is restricted, because
//!    the rules of that go by its addresses; it is refused.

use crate::endpoint::Endpoint;
use crate::error::NetworkError;
use crate::firewall::Firewall;
use crate::id::ContainerId;
use crate::name::NetworkName;
use crate::reload::RulesLock;
use crate::state::NetworkHost;
use minirun_netns::NetnsError;
use minirun_netns::netfilter::nf_tables::{CommitError, Element, Expectation, Transaction};
use minirun_netns::netfilter::{SourceCheck, add_sources, remove_sources, replace_source_checks};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// What keeps a container to its own addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guard {
    /// What its port lets in.
    pub check: SourceCheck,
    /// All that follows from its being on the network.
    pub elements: Vec<Element>,
    /// Whether it can do without.
    pub necessity: Necessity,
}

/// What becomes of a container that cannot be kept to its addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Necessity {
    /// It is refused.
    Required,
    /// It is taken as it is.
    WherePossible,
}

/// What keeps an endpoint to its addresses. `others` are those of the same container on other networks: it may speak from each
/// of its addresses by each of its interfaces. One that may not reach everything may not: what it may reach is judged by its
/// address on the network that it speaks on.
pub(crate) fn guard(endpoint: &Endpoint, others: &[Endpoint]) -> Guard {
    let own = own_check(endpoint);
    let mut elements = own.elements();
    for other in others {
        if endpoint.egress.is_open() {
            let elsewhere: Vec<IpAddr> = other.addresses().collect();
            elements.extend(own.sources(&elsewhere));
        }
        if other.egress.is_open() {
            elements.extend(own_check(other).sources(&own.addresses));
        }
    }
    Guard {
        check: own,
        elements,
        necessity: match endpoint.egress.is_open() {
            true => Necessity::WherePossible,
            false => Necessity::Required,
        },
    }
}

/// What an endpoint's port lets in on its own account.
pub(crate) fn own_check(endpoint: &Endpoint) -> SourceCheck {
    SourceCheck {
        interface: endpoint.interface.clone(),
        mac: endpoint.mac,
        addresses: endpoint.addresses().collect(),
    }
}

impl Guard {
    /// What makes it hold.
    pub(crate) fn addition(&self) -> Transaction {
        add_sources(self.elements.clone())
    }

    /// What ends it.
    pub(crate) fn removal(&self) -> Transaction {
        remove_sources(self.elements.clone())
    }
}

impl NetworkHost {
    /// Whether containers are kept to their addresses at all.
    pub(crate) fn guards_sources(&self) -> bool {
        self.firewall != Firewall::None
    }

    /// Keeps a container to its addresses from now on. Its record is written already.
    pub(crate) fn add_guard(&self, guard: &Guard, lock: &RulesLock) -> Result<(), NetworkError> {
        let transaction = guard.addition();
        self.change_guards(lock, |expectation| {
            let outcome = self.rules.commit_checks(&transaction, expectation);
            match guard.necessity.forgive(outcome, expectation) {
                Err(error) if is_out_of_place(&error) => self.make_guards_afresh(expectation),
                outcome => outcome.map_err(Into::into),
            }
        })
    }

    /// Ends that, when its record is there no more or is about to go. Where nothing is, there is nothing to end.
    pub(crate) fn remove_guard(
        &self,
        guard: &Guard,
        expectation: Expectation,
    ) -> Result<Expectation, NetworkError> {
        let transaction = guard.removal();
        let outcome = self.rules.commit_checks(&transaction, expectation);
        // Whoever cannot check has nothing to take away.
        Necessity::WherePossible
            .forgive(outcome, expectation)
            .map_err(Into::into)
    }

    /// The same, where no other rule changes.
    pub(crate) fn remove_guard_alone(
        &self,
        guard: &Guard,
        lock: &RulesLock,
    ) -> Result<(), NetworkError> {
        self.change_guards(lock, |expectation| {
            match self.remove_guard(guard, expectation) {
                Err(NetworkError::Netns(error)) if is_out_of_place(&error) => {
                    self.make_guards_afresh_without(Some(guard), expectation)
                }
                outcome => outcome,
            }
        })
    }

    /// Ends what is said of ports that are gone.
    pub(crate) fn remove_checks(
        &self,
        elements: &[Element],
        lock: &RulesLock,
    ) -> Result<(), NetworkError> {
        let transaction = remove_sources(elements.to_vec());
        self.change_guards(lock, |expectation| {
            let outcome = self.rules.commit_checks(&transaction, expectation);
            match Necessity::WherePossible.forgive(outcome, expectation) {
                Err(error) if is_out_of_place(&error) => self.make_guards_afresh(expectation),
                outcome => outcome.map_err(Into::into),
            }
        })
    }

    /// Makes all guards what the records say, whatever there is.
    pub(crate) fn make_guards_afresh(
        &self,
        expectation: Expectation,
    ) -> Result<Expectation, NetworkError> {
        self.make_guards_afresh_without(None, expectation)
    }

    /// The endpoints that a container has on other networks.
    pub(crate) fn others_of(
        &self,
        container: &ContainerId,
        network: &NetworkName,
    ) -> Result<Vec<Endpoint>, NetworkError> {
        let mut others = Vec::new();
        for name in self.networks_of(container)? {
            if name != *network {
                others.extend(self.network(&name).find(container)?);
            }
        }
        Ok(others)
    }

    fn make_guards_afresh_without(
        &self,
        leaving: Option<&Guard>,
        expectation: Expectation,
    ) -> Result<Expectation, NetworkError> {
        let mut endpoints = Vec::new();
        for network in self.networks()? {
            endpoints.extend(self.network(&network.name).all()?);
        }
        endpoints
            .retain(|endpoint| leaving.is_none_or(|leaving| leaving.check != own_check(endpoint)));
        let is_restricted = |endpoint: &Endpoint| !endpoint.egress.is_open();
        let necessity = match endpoints.iter().any(is_restricted) {
            true => Necessity::Required,
            false => Necessity::WherePossible,
        };
        // After the others: whoever departs meanwhile was found among them.
        let counted = endpoints.iter().map(|endpoint| endpoint.interface.clone());
        let departed = self.find_departed(&counted.collect())?;
        let mut elements = all_elements(endpoints);
        elements.extend(departed.staying.iter().cloned());
        let transaction = replace_source_checks(elements);
        let outcome = self.rules.commit_checks(&transaction, expectation);
        let since = necessity.forgive(outcome, expectation)?;
        departed.forget_gone();
        Ok(since)
    }
}

/// The elements of all endpoints, container by container.
fn all_elements(endpoints: Vec<Endpoint>) -> Vec<Element> {
    let mut containers: BTreeMap<ContainerId, Vec<Endpoint>> = BTreeMap::new();
    let mut elements = Vec::new();
    for endpoint in endpoints {
        let others = containers.entry(endpoint.container).or_default();
        elements.extend(guard(&endpoint, others).elements);
        others.push(endpoint);
    }
    elements
}

impl Necessity {
    /// What it means that the kernel cannot check: perhaps that the rules are what they were.
    fn forgive(
        self,
        outcome: Result<u32, NetnsError>,
        before: Expectation,
    ) -> Result<Expectation, NetnsError> {
        match outcome {
            Err(NetnsError::NoSourceChecks) if self == Necessity::WherePossible => Ok(before),
            outcome => outcome.map(Expectation::Generation),
        }
    }
}

/// Whether the error says that the sets are not as the records say.
pub(crate) fn is_out_of_place(error: &NetnsError) -> bool {
    let NetnsError::CheckSources { cause } = error else {
        return false;
    };
    matches!(
        cause,
        CommitError::Exists { .. } | CommitError::Missing { .. }
    )
}

/// Whether the error says that somebody has changed rules meanwhile.
pub(crate) fn is_outdated(error: &NetworkError) -> bool {
    matches!(
        error,
        NetworkError::Netns(NetnsError::CheckSources {
            cause: CommitError::Changed
        })
    )
}

/// Whether making everything afresh puts right what the error says.
pub(crate) fn is_about_checks(error: &NetworkError) -> bool {
    match error {
        NetworkError::Netns(error) if is_out_of_place(error) => true,
        error => is_outdated(error),
    }
}
