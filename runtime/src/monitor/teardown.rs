//! Taking a container down: the network's rules and records, the control group, and with `--rm` the container itself.
//!
//! The mounts went with the mount namespace, the devices go with the network namespace. Everything here goes on past
//! errors, and tolerates that it was done before: it also repairs what a killed monitor left.

use crate::cgroup::clear;
use crate::config::ContainerConfig;
use crate::error::RuntimeError;
use crate::events::Action;
use crate::runtime::Runtime;
use minirun_bridge::closed_port::LastConnections;
use minirun_bridge::detach::Departure;
use minirun_netns::Narrator;
use std::time::Duration;

/// How long killed processes may take to leave their control group.
const PATIENCE: Duration = Duration::from_secs(5);

/// What becomes of a container that is taken down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Afterwards {
    /// It does not run any more.
    Ended,
    /// It is to be made again, and its record says so.
    MadeAgain,
}

/// Takes down what a start made. The caller holds the container's lock, under which the record was read.
pub(crate) fn take_down(
    runtime: &Runtime,
    (config, connections, afterwards): (&ContainerConfig, LastConnections, Afterwards),
    narrator: &mut dyn Narrator,
) -> Vec<RuntimeError> {
    let is_removed = config.auto_remove && afterwards == Afterwards::Ended;
    let mut errors = Vec::new();
    let paths = runtime.paths(&config.id);
    paths.remove_control();
    match runtime.networks.networks_of(&config.id) {
        Ok(networks) => {
            for network in networks {
                let leaving = (&config.id, Departure::Ended(connections));
                match runtime.networks.detach(&network, leaving, narrator) {
                    Ok(()) => runtime.tell_membership(&network, &config.id, Action::Disconnect),
                    Err(error) => errors.push(error.into()),
                }
            }
        }
        Err(error) => errors.push(error.into()),
    }
    // With a container that is removed, all of its addresses are given up.
    if !is_removed {
        errors.extend(forget_unnoted(runtime, config).err());
    }
    // What is still in the groups, because a monitor was killed, is killed first.
    errors.extend(clear(config.group(), PATIENCE).err().map(Into::into));
    if !errors.is_empty() || afterwards == Afterwards::MadeAgain {
        // After an error the records stay as they are as well, so that the next command finds them and tries again.
        return errors;
    }
    paths.remove_running();
    if is_removed {
        errors.extend(runtime.delete(config, narrator).err());
    }
    errors
}

/// Gives up addresses of a start that ended before it noted them: the next start would take others, and nobody would know of
/// these any more.
fn forget_unnoted(runtime: &Runtime, config: &ContainerConfig) -> Result<(), RuntimeError> {
    let last = runtime.paths(&config.id).read_last_place()?;
    for membership in &config.network.memberships {
        if !last.addresses.contains_key(&membership.network) {
            runtime
                .networks
                .forget(&membership.network, &config.id, &[])?;
        }
    }
    Ok(())
}
