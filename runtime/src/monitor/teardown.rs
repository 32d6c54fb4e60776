//! Taking a container down: the network's rules and records, the control group, and with `--rm` the container itself.
//!
//! The mounts went with the mount namespace, the devices go with the network namespace. Everything here goes on past
//! errors, and tolerates that it was done before: it also repairs what a killed monitor left.

use crate::cgroup::Cgroup;
use crate::config::ContainerConfig;
use crate::error::RuntimeError;
use crate::events::Action;
use crate::runtime::Runtime;
use minirun_bridge::detach::Departure;
use minirun_netns::Narrator;
use std::time::Duration;

/// The control group that holds all containers' groups.
pub(crate) const CGROUP_PARENT: &str = "minirun";

/// How long killed processes may take to leave their control group.
const PATIENCE: Duration = Duration::from_secs(5);

/// Takes down what a start made. The caller holds the container's lock.
pub(crate) fn take_down(
    runtime: &Runtime,
    config: &ContainerConfig,
    narrator: &mut dyn Narrator,
) -> Vec<RuntimeError> {
    let mut errors = Vec::new();
    match runtime.networks.networks_of(&config.id) {
        Ok(networks) => {
            for network in networks {
                let leaving = (&config.id, Departure::Ended);
                match runtime.networks.detach(&network, leaving, narrator) {
                    Ok(()) => runtime.tell_membership(&network, &config.id, Action::Disconnect),
                    Err(error) => errors.push(error.into()),
                }
            }
        }
        Err(error) => errors.push(error.into()),
    }
    errors.extend(remove_cgroup(config).err());
    if !errors.is_empty() {
        // The records stay as they are, so that the next command finds them and tries again.
        return errors;
    }
    runtime.paths(&config.id).remove_running();
    if config.auto_remove {
        errors.extend(runtime.delete(config, narrator).err());
    }
    errors
}

/// Removes the group; what is still in it, because a monitor was killed, is killed first.
fn remove_cgroup(config: &ContainerConfig) -> Result<(), RuntimeError> {
    let open = || Cgroup::open(CGROUP_PARENT, &config.id);
    let Some(cgroup) = open()? else {
        return Ok(());
    };
    if cgroup.remove().is_ok() {
        return Ok(());
    }
    let Some(cgroup) = open()? else {
        return Ok(());
    };
    cgroup.kill()?;
    cgroup.wait_until_empty(PATIENCE)?;
    Ok(cgroup.remove()?)
}
