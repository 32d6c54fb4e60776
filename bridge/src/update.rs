//! Changing a network while containers run on it.
//!
//! Theory of operation of an ICC change
//!
//! 1. The record changes first. Whoever is killed afterwards leaves signs (the firewall's marker is missing, the bridge does
//!    not answer ARP as the record says) by which the next command knows that it has to finish.
//! 2. The rules change before the ports when a network is being closed, and after them when it is being opened, so that at
//!    no moment more is open than either setting allows. Last, the bridge begins or ceases to answer ARP for its members.
//! 3. The containers forget their neighbours' MACs: those learned with ICC on lead straight to a port that is closed now.

use crate::device;
use crate::endpoint::Endpoint;
use crate::error::NetworkError;
use crate::id::ContainerId;
use crate::lazy_netlink::LazyNetlink;
use crate::name::NetworkName;
use crate::network::{Icc, Masquerade, Names, Network};
use crate::plan::{self, Step};
use crate::reload::{self, KnownRules, RulesLock};
use crate::state::NetworkHost;
use crate::step::{Action, Context, DefinitionChange, NetworkStep, RulesChange};
use minirun_netns::{Namespace, Narrator, Netlink, SetLinkDown, Silent};
use std::collections::{BTreeMap, BTreeSet};

/// Finds the network namespace of a running container.
pub type FindNamespace<'a> = dyn Fn(&ContainerId) -> Option<Namespace> + 'a;

/// What changes on a network; what is none stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NetworkChange {
    /// Whether endpoints reach each other without a link.
    pub icc: Option<Icc>,
    /// Whether the host's address hides the containers'.
    pub masquerade: Option<Masquerade>,
    /// How containers find each other's addresses.
    pub names: Option<Names>,
    /// Labels to set.
    pub labels_added: BTreeMap<String, String>,
    /// Labels to take away.
    pub labels_removed: BTreeSet<String>,
}

impl NetworkChange {
    /// The network after the change.
    fn applied_to(&self, before: &Network) -> Network {
        let mut after = before.clone();
        after.icc = self.icc.unwrap_or(before.icc);
        after.masquerade = self.masquerade.unwrap_or(before.masquerade);
        after.names = self.names.unwrap_or(before.names);
        after
            .labels
            .retain(|label, _| !self.labels_removed.contains(label));
        after.labels.extend(self.labels_added.clone());
        after
    }
}

impl NetworkHost {
    /// Finishes what killed commands have begun on a network: making its bridge, or a switch of ICC.
    ///
    /// # Errors
    /// That of the step that failed.
    pub fn finish_interrupted(&self, name: &NetworkName) -> Result<(), NetworkError> {
        let Some(network) = self.load(name)? else {
            return Ok(());
        };
        // Most often there is nothing to finish, and nobody to wait for.
        let netlink = LazyNetlink::default();
        let context = Context {
            host: self,
            netlink: &netlink,
        };
        if self.find_complete_bridge(context, &network)?.is_some() {
            return Ok(());
        }
        self.with_device(name, |context, network| {
            self.ensure_bridge(context, network, &mut Silent).map(drop)
        })
    }

    /// Makes a network's device and its settings what the records say, whatever others have done to them. The rules are made
    /// with the next change.
    ///
    /// # Errors
    /// That of the step that failed.
    pub fn restore(
        &self,
        name: &NetworkName,
        narrator: &mut dyn Narrator,
    ) -> Result<(), NetworkError> {
        self.with_device(name, |context, network| {
            self.complete_bridge(context, network, narrator).map(drop)
        })
    }

    /// Does something for a network whose device has been made since the boot, or that has containers and so should have one.
    fn with_device(
        &self,
        name: &NetworkName,
        work: impl FnOnce(Context<'_>, &Network) -> Result<(), NetworkError>,
    ) -> Result<(), NetworkError> {
        if self.load(name)?.is_none() {
            return Ok(());
        }
        let _lock = self.network(name).lock()?;
        let Some(network) = self.load(name)? else {
            return Ok(());
        };
        let netlink = LazyNetlink::default();
        let context = Context {
            host: self,
            netlink: &netlink,
        };
        let is_in_use = || Ok::<_, NetworkError>(!self.network(name).all()?.is_empty());
        if device::find(context, &network)?.is_some() || is_in_use()? {
            work(context, &network)?;
        }
        Ok(())
    }

    /// Changes a network, for running containers, too.
    ///
    /// # Errors
    /// [`NetworkError::CannotEnforce`] without a firewall driver; else that of the step that failed, with the steps
    /// before it taken back.
    pub fn update(
        &self,
        name: &NetworkName,
        change: &NetworkChange,
        (find_namespace, narrator): (&FindNamespace<'_>, &mut dyn Narrator),
    ) -> Result<Network, NetworkError> {
        let lock = self.network(name).lock()?;
        let before = self.load_or_create_locked(name, lock.records())?;
        let after = change.applied_to(&before);
        if !self.firewall.enforces(after.icc) {
            return Err(NetworkError::CannotEnforce {
                network: name.clone(),
            });
        }
        let netlink = LazyNetlink::default();
        let context = Context {
            host: self,
            netlink: &netlink,
        };
        let save = saving(context, (&before, &after));
        if before.names != after.names {
            self.know_by_name(&after)?;
        }
        if (before.icc, before.masquerade) == (after.icc, after.masquerade) {
            plan::apply(vec![save], narrator)?.commit();
            return Ok(after);
        }
        let rules = self.lock_rules()?;
        // From here on, and until all is done, nobody knows what the rules are.
        self.begin_rules_change(&rules);
        let saved = plan::apply(vec![save], narrator)?;
        if device::find(context, &after)?.is_none() {
            saved.commit();
            return Ok(after);
        }
        let endpoints = self.network(name).all()?;
        let mut steps = steps(context, &rules, (&after, &endpoints));
        if after.icc == Icc::Disabled {
            // Their ports are nobody's any more, and would stay as open as they were.
            let departed = self.departed_from(&after)?.into_iter();
            let actions = departed.map(|name| Action::SetDown(SetLinkDown { name }));
            let set_down = actions.map(|action| NetworkStep { context, action });
            steps.splice(0..0, set_down);
        }
        match plan::apply(steps, narrator) {
            Ok(applied) => {
                applied.commit();
                saved.commit();
            }
            Err(error) => {
                drop(saved);
                self.take_back(context, &rules, (&before, &endpoints));
                return Err(error);
            }
        }
        if before.icc != after.icc {
            for endpoint in &endpoints {
                forget_neighbours(find_namespace(&endpoint.container), endpoint);
            }
        }
        Ok(after)
    }

    /// Lets the running containers of a network be found by their names, if it has a DNS now.
    fn know_by_name(&self, network: &Network) -> Result<(), NetworkError> {
        let state = self.network(&network.name);
        for endpoint in state.all()? {
            state.register(&endpoint, network.names)?;
        }
        Ok(())
    }

    /// Makes rules and devices what the record says, as far as that is possible: the first error is the one to tell.
    fn take_back(
        &self,
        context: Context<'_>,
        rules: &RulesLock,
        (before, endpoints): (&Network, &[Endpoint]),
    ) {
        let _ = reload::rebuild(self, rules);
        for action in device::icc_actions(before, endpoints) {
            let _ = NetworkStep { context, action }.apply();
        }
    }
}

/// The step that writes the definition.
fn saving<'a>(context: Context<'a>, (before, after): (&Network, &Network)) -> NetworkStep<'a> {
    let name = &after.name;
    let mut changes = Vec::new();
    if before.icc != after.icc {
        changes.push(format!("ICC on network `{name}` is {}", after.icc));
    }
    if before.masquerade != after.masquerade {
        changes.push(format!(
            "masquerading on network `{name}` is {}",
            after.masquerade
        ));
    }
    if before.names != after.names {
        changes.push(match after.names {
            Names::Dns => format!("network `{name}` has a DNS"),
            Names::HostsFile => format!("network `{name}` has no DNS"),
        });
    }
    if before.labels != after.labels {
        changes.push(format!("network `{name}` has other labels"));
    }
    let sentence = match changes.is_empty() {
        true => format!("record that network `{name}` stays as it is"),
        false => format!("record that {}", changes.join(" and ")),
    };
    let action = Action::SaveDefinition(Box::new(DefinitionChange {
        sentence,
        after: after.clone(),
        before: before.clone(),
    }));
    NetworkStep { context, action }
}

/// What it takes to make the host what the record says.
fn steps<'a>(
    context: Context<'a>,
    rules: &'a RulesLock,
    (after, endpoints): (&Network, &[Endpoint]),
) -> Vec<NetworkStep<'a>> {
    let sentence = match after.icc {
        Icc::Enabled => format!(
            "rewrite the rules: containers of network `{}` reach each other",
            after.name
        ),
        Icc::Disabled => format!(
            "rewrite the rules: containers of network `{}` reach each other by links only",
            after.name
        ),
    };
    let rules = Action::ChangeRules(RulesChange::new(
        sentence,
        (rules, KnownRules::Unknown),
        Default::default(),
    ));
    let mut actions = device::icc_actions(after, endpoints);
    // The last action is the sign that all is done.
    let place = match after.icc {
        Icc::Disabled => 0,
        Icc::Enabled => actions.len() - 1,
    };
    actions.insert(place, rules);
    actions
        .into_iter()
        .map(|action| NetworkStep { context, action })
        .collect()
}

/// A container that goes away in this moment has nothing to forget, so errors do not count.
fn forget_neighbours(namespace: Option<Namespace>, endpoint: &Endpoint) {
    let Some(namespace) = namespace else {
        return;
    };
    let Ok(mut netlink) = Netlink::open_in(&namespace) else {
        return;
    };
    if let Ok(Some(link)) = netlink.find_link(&endpoint.interface_name) {
        let _ = netlink.flush_neighbours(link.index);
    }
}
