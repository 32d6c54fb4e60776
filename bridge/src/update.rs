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
use crate::network::{Icc, Network};
use crate::plan::{self, Step};
use crate::reload::{self, KnownRules};
use crate::state::NetworkHost;
use crate::step::{Action, Context, NetworkStep, RulesChange};
use minirun_netns::{Namespace, Narrator, Netlink, Silent};

/// Finds the network namespace of a running container.
pub type FindNamespace<'a> = dyn Fn(&ContainerId) -> Option<Namespace> + 'a;

impl NetworkHost {
    /// Finishes what killed commands have begun: a switch of ICC, or a change of rules.
    ///
    /// # Errors
    /// That of the step that failed.
    pub fn finish_interrupted(&self, name: &NetworkName) -> Result<(), NetworkError> {
        if self.load(name)?.is_none() {
            return Ok(());
        }
        let lock = self.network(name).lock()?;
        let network = self.load_or_create_locked(name, &lock)?;
        let netlink = LazyNetlink::default();
        let context = Context {
            host: self,
            netlink: &netlink,
        };
        if device::find(context, &network)?.is_none() {
            return Ok(());
        }
        self.ensure_bridge(context, &network, &mut Silent)?;
        match self.known_rules() {
            KnownRules::Match => Ok(()),
            KnownRules::Unknown => reload::reload(self),
        }
    }

    /// Switches inter-container communication on or off, for running containers, too.
    ///
    /// # Errors
    /// [`NetworkError::CannotEnforce`] without a firewall driver; else that of the step that failed, with the steps
    /// before it taken back.
    pub fn set_icc(
        &self,
        name: &NetworkName,
        icc: Icc,
        find_namespace: &FindNamespace<'_>,
        narrator: &mut dyn Narrator,
    ) -> Result<Network, NetworkError> {
        if !self.firewall.enforces(icc) {
            return Err(NetworkError::CannotEnforce {
                network: name.clone(),
            });
        }
        let lock = self.network(name).lock()?;
        let before = self.load_or_create_locked(name, &lock)?;
        let after = Network {
            icc,
            ..before.clone()
        };
        let netlink = LazyNetlink::default();
        let context = Context {
            host: self,
            netlink: &netlink,
        };
        let save = NetworkStep {
            context,
            action: Action::SaveDefinition(after.clone(), before.clone()),
        };
        // From here on, and until all is done, nobody knows what the rules are.
        self.begin_rules_change();
        let saved = plan::apply(vec![save], narrator)?;
        if device::find(context, &after)?.is_none() {
            saved.commit();
            return Ok(after);
        }
        let endpoints = self.network(name).all()?;
        let steps = icc_steps(context, &after, &endpoints);
        let applied = plan::apply(steps, narrator);
        match applied {
            Ok(applied) => {
                applied.commit();
                saved.commit();
            }
            Err(error) => {
                drop(saved);
                self.restore(context, &before, &endpoints);
                return Err(error);
            }
        }
        for endpoint in &endpoints {
            forget_neighbours(find_namespace(&endpoint.container));
        }
        Ok(after)
    }

    /// Makes rules and devices what the record says, as far as that is possible: the first error is the one to tell.
    fn restore(&self, context: Context<'_>, before: &Network, endpoints: &[Endpoint]) {
        let _ = reload::reload(self);
        for action in device::icc_actions(before, endpoints) {
            let _ = NetworkStep { context, action }.apply();
        }
    }
}

/// What it takes to make the host what the record says.
fn icc_steps<'a>(
    context: Context<'a>,
    after: &Network,
    endpoints: &[Endpoint],
) -> Vec<NetworkStep<'a>> {
    let rules = Action::ChangeRules(RulesChange::new(
        match after.icc {
            Icc::Enabled => format!(
                "rewrite the rules: containers of network `{}` reach each other",
                after.name
            ),
            Icc::Disabled => format!(
                "rewrite the rules: containers of network `{}` reach each other by links only",
                after.name
            ),
        },
        KnownRules::Unknown,
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
fn forget_neighbours(namespace: Option<Namespace>) {
    let Some(namespace) = namespace else {
        return;
    };
    let Ok(mut netlink) = Netlink::open_in(&namespace) else {
        return;
    };
    if let Ok(Some(link)) = netlink.find_link(crate::attach::CONTAINER_INTERFACE) {
        let _ = netlink.flush_neighbours(link.index);
    }
}
