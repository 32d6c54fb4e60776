//! Whether this host can keep limits: asked before a container is made, so that none is ever dropped in silence.

use super::block_device::{any_heeds_weights, heeds_weights, number};
use super::clearing::clear;
use super::control_file;
use super::directory::GroupName;
use super::error::CgroupError;
use super::group::Cgroup;
use super::hierarchy::{Controller, Hierarchy, having};
use super::limits::Limits;
use super::settings::option_for;
use crate::resources::Resources;
use crate::resources::block::BlockLimits;
use crate::resources::scarce_memory::OomKiller;
use std::path::Path;
use std::time::Duration;

/// How long groups that nothing was ever in may take to go.
const PATIENCE: Duration = Duration::from_secs(1);

/// Refuses limits that this host has no means to keep. Touches nothing.
pub fn check_enforceable(resources: &Resources) -> Result<(), CgroupError> {
    for controller in Controller::ALL {
        let Some(option) = option_for(controller, resources) else {
            continue;
        };
        let Some(hierarchy) = having(controller)? else {
            return Err(CgroupError::NoController { option, controller });
        };
        match (controller, hierarchy) {
            (Controller::Block, hierarchy) => check_block(&resources.block, &hierarchy)?,
            (Controller::Memory, Hierarchy::Unified(_)) => check_memory_two(resources)?,
            _ => {}
        }
    }
    Ok(())
}

/// Makes the groups of a container that does not run, with its limits, and removes them again: so the kernel itself says
/// whether it keeps them.
pub fn try_out(name: GroupName<'_>, resources: &Resources) -> Result<(), CgroupError> {
    let is_limited = Controller::ALL
        .into_iter()
        .any(|controller| option_for(controller, resources).is_some());
    if !is_limited && name.0.is_usual() {
        return Ok(());
    }
    let tried = Cgroup::create(name).and_then(|_| Limits::establish(name, resources).map(drop));
    tried.and(clear(name, PATIENCE))
}

/// Whether what goes through the page cache is not held back by limits of writing.
pub fn passes_cached_writes(resources: &Resources) -> Result<bool, CgroupError> {
    let block = &resources.block;
    let limits_writing = !block.written_bytes.is_empty() || !block.writes.is_empty();
    match limits_writing {
        true => Ok(matches!(
            having(Controller::Block)?,
            Some(Hierarchy::Legacy(_))
        )),
        false => Ok(false),
    }
}

/// Version 2 has neither of these.
fn check_memory_two(resources: &Resources) -> Result<(), CgroupError> {
    let asked = [
        (resources.swappiness.is_some(), "--memory-swappiness"),
        (
            resources.oom_killer == OomKiller::Disabled,
            "--oom-kill-disable",
        ),
    ];
    match asked.into_iter().find(|(asked, _)| *asked) {
        Some((_, option)) => Err(CgroupError::OnlyInVersionOne(option)),
        None => Ok(()),
    }
}

fn check_block(limits: &BlockLimits, hierarchy: &Hierarchy) -> Result<(), CgroupError> {
    for device in limits.devices() {
        number(device)?;
    }
    let costs = match hierarchy {
        Hierarchy::Unified(root) => has_cost_model(root)?,
        Hierarchy::Legacy(_) => false,
    };
    if costs {
        return Ok(());
    }
    for weight in &limits.device_weights {
        if !heeds_weights(&weight.device)? {
            return Err(CgroupError::WeightUnheeded(weight.device.to_string()));
        }
    }
    match limits.weight.is_some() && !any_heeds_weights() {
        true => Err(CgroupError::NoWeights),
        false => Ok(()),
    }
}

/// Whether the kernel's own model of what operations cost is in use for a disk: it heeds weights with any scheduler.
fn has_cost_model(root: &Path) -> Result<bool, CgroupError> {
    let text = control_file::read(&root.join("io.cost.qos"))?.unwrap_or_default();
    Ok(text.contains("enable=1"))
}
