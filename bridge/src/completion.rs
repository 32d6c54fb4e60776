//! Making a network's bridge, and everything on it, what the records say.

use crate::device;
use crate::error::NetworkError;
use crate::network::{Network, Ownership};
use crate::plan;
use crate::segment_devices;
use crate::state::{NetworkHost, NetworkLock};
use crate::step::{Context, NetworkStep};
use minirun_netns::{LinkIndex, Narrator};

impl NetworkHost {
    /// Makes the bridge if it is not there, and finishes what a killed command has begun on it. The caller holds the whole
    /// network's lock.
    pub(crate) fn ensure_bridge(
        &self,
        context: Context<'_>,
        network: &Network,
        narrator: &mut dyn Narrator,
    ) -> Result<LinkIndex, NetworkError> {
        match self.find_complete_bridge(context, network)? {
            Some(bridge) => Ok(bridge),
            None => self.complete_bridge(context, network, narrator),
        }
    }

    /// The same for whoever holds the lock on the records only.
    pub(crate) fn ensure_bridge_for_port(
        &self,
        context: Context<'_>,
        (network, lock): (&Network, &NetworkLock),
        narrator: &mut dyn Narrator,
    ) -> Result<LinkIndex, NetworkError> {
        if let Some(bridge) = self.find_complete_bridge(context, network)? {
            return Ok(bridge);
        }
        let _alone = self.network(&network.name).lock_devices(lock)?;
        self.complete_bridge(context, network, narrator)
    }

    /// The bridge, if it is there and nothing remains to be done on it.
    pub(crate) fn find_complete_bridge(
        &self,
        context: Context<'_>,
        network: &Network,
    ) -> Result<Option<LinkIndex>, NetworkError> {
        let Some(bridge) = device::find(context, network)? else {
            return Ok(None);
        };
        let is_complete = device::is_complete(context, network, &bridge)?;
        Ok(is_complete.then_some(bridge.index))
    }

    /// Makes the bridge if it is not there, and everything on it what the records say. The caller holds the lock on the devices.
    pub(crate) fn complete_bridge(
        &self,
        context: Context<'_>,
        network: &Network,
        narrator: &mut dyn Narrator,
    ) -> Result<LinkIndex, NetworkError> {
        // Whatever was interrupted may have been so before its rules were changed.
        self.distrust_rules()?;
        let mut steps = device::completion(context, network)?;
        if device::find(context, network)?.is_none() {
            if let Ownership::Adopted { .. } = network.ownership {
                return Err(NetworkError::AdoptedBridgeMissing {
                    network: network.name.clone(),
                    bridge: network.bridge.clone(),
                });
            }
            steps.insert(0, device::creation(context, network));
        }
        for (_, devices) in network.segments() {
            let actions = segment_devices::creation(context, network, &devices)?;
            let of_segment = actions
                .into_iter()
                .map(|action| NetworkStep { context, action });
            steps.extend(of_segment);
        }
        let endpoints = self.network(&network.name).all()?;
        let ports = device::port_actions(network, &endpoints);
        let icc = device::icc_actions(network, &endpoints);
        steps.extend(
            ports
                .into_iter()
                .chain(icc)
                .map(|action| NetworkStep { context, action }),
        );
        plan::apply(steps, narrator)?.commit();
        device::index_of(context, &network.bridge)
    }
}
