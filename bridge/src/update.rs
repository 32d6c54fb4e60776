//! Changing a network while containers run on it.
//!
//! Theory of operation of an ICC change
//!
//! 1. The rules change first when a network is being closed, and last when it is being opened, so that at no moment more
//!    is open than either setting allows.
//! 2. The bridge begins or ceases to answer ARP for its members, and its ports are isolated or not.
//! 3. The containers forget their neighbours' MACs: those learned with ICC on lead straight to a port that is closed now.

use crate::attach::bridge_port;
use crate::device;
use crate::endpoint::Endpoint;
use crate::error::NetworkError;
use crate::firewall::rule::Transaction;
use crate::id::ContainerId;
use crate::name::NetworkName;
use crate::network::{Icc, Network};
use crate::plan::{self, Step};
use crate::reload;
use crate::state::NetworkHost;
use crate::step::{Action, Context, NetworkStep, RulesChange};
use minirun_netns::{Namespace, Narrator, Netlink};
use std::cell::RefCell;

/// Finds the network namespace of a running container.
pub type FindNamespace<'a> = dyn Fn(&ContainerId) -> Option<Namespace> + 'a;

impl NetworkHost {
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
        let netlink = RefCell::new(Netlink::open()?);
        let context = Context {
            host: self,
            netlink: &netlink,
        };
        let save = NetworkStep {
            context,
            action: Action::SaveDefinition(after.clone(), before.clone()),
        };
        let saved = plan::apply(vec![save], narrator)?;
        if device::find(context, &after)?.is_none() {
            saved.commit();
            return Ok(after);
        }
        let endpoints = self.network(name).all()?;
        let applied = self
            .icc_steps(context, &after, &endpoints)
            .and_then(|steps| plan::apply(steps, narrator));
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
        for action in device_actions(before, endpoints) {
            let _ = NetworkStep { context, action }.apply();
        }
    }

    fn icc_steps<'a>(
        &self,
        context: Context<'a>,
        after: &Network,
        endpoints: &[Endpoint],
    ) -> Result<Vec<NetworkStep<'a>>, NetworkError> {
        let state = reload::whole_state(self, &self.networks()?)?;
        let rules = Action::ChangeRules(RulesChange::new(
            format!(
                "make the rules say that ICC on network `{}` is {}",
                after.name, after.icc
            ),
            self.firewall.reconstruction(&state)?,
            Transaction::default(),
        ));
        let mut actions = device_actions(after, endpoints);
        match after.icc {
            Icc::Disabled => actions.insert(0, rules),
            Icc::Enabled => actions.push(rules),
        }
        Ok(actions
            .into_iter()
            .map(|action| NetworkStep { context, action })
            .collect())
    }
}

/// What the bridge and its ports have to be.
fn device_actions<'a>(network: &Network, endpoints: &[Endpoint]) -> Vec<Action<'a>> {
    let ports = endpoints
        .iter()
        .map(|endpoint| Action::SetPort(bridge_port(endpoint, network.icc)));
    let mut actions = vec![Action::SetSysctl(device::proxy_arp(network, network.icc))];
    actions.extend(ports);
    actions
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
