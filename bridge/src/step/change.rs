//! What some steps need to know besides their subject.

use crate::endpoint::Endpoint;
use crate::firewall::Transaction;
use crate::hosts_refresh::WrittenHosts;
use crate::id::ContainerId;
use crate::name::ContainerName;
use crate::network::Network;
use crate::reload::{KnownRules, RulesLock};
use std::cell::OnceCell;

/// A change of a network's definition.
#[derive(Debug)]
pub struct DefinitionChange {
    /// What is told about it.
    pub sentence: String,
    /// What it becomes.
    pub after: Network,
    /// What it was.
    pub before: Network,
}

/// A hosts file that is to be made what the records say.
#[derive(Debug)]
pub struct HostsChange {
    /// Whose file it is, for the telling.
    pub owner: ContainerName,
    /// Whose file it is.
    pub container: ContainerId,
    /// Who is treated as if it had gone already.
    pub leaving: Option<ContainerId>,
    /// What its record on one network says, where that is known: nobody else changes it meanwhile.
    pub(crate) known: Option<Box<(Network, Endpoint)>>,
    /// What was written.
    pub(super) written: OnceCell<WrittenHosts>,
}

impl HostsChange {
    /// The hosts file of a container.
    pub fn new(owner: ContainerName, container: ContainerId) -> HostsChange {
        HostsChange {
            owner,
            container,
            leaving: None,
            known: None,
            written: OnceCell::new(),
        }
    }

    /// The same, by whoever holds the lock of a network and has just written the container's record there.
    pub(crate) fn knowing(mut self, network: &Network, endpoint: &Endpoint) -> HostsChange {
        self.known = Some(Box::new((network.clone(), endpoint.clone())));
        self
    }

    /// The same, as if a container had gone already.
    pub fn without(mut self, container: ContainerId) -> HostsChange {
        self.leaving = Some(container);
        self
    }
}

/// A change of rules.
#[derive(Debug)]
pub struct RulesChange<'a> {
    /// What is told about it.
    pub sentence: String,
    /// The change.
    pub change: Transaction,
    /// The change back.
    pub back: Transaction,
    /// The right to change rules.
    pub lock: &'a RulesLock,
    /// Whether the rules are known to be what the records said before.
    pub known: KnownRules,
    /// What was done in the end, if that was more than the change: all rules made afresh.
    pub done: OnceCell<Transaction>,
}

impl<'a> RulesChange<'a> {
    /// A change of rules that are `known` or not, and its opposite.
    pub fn new(
        sentence: String,
        (lock, known): (&'a RulesLock, KnownRules),
        (change, back): (Transaction, Transaction),
    ) -> RulesChange<'a> {
        RulesChange {
            sentence,
            change,
            back,
            lock,
            known,
            done: OnceCell::new(),
        }
    }
}
