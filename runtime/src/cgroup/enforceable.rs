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
        Hierarchy::Unified(root) => control_file::read(&root.join("io.cost.qos"))?,
        Hierarchy::Legacy(_) => None,
    };
    let costs = costs.unwrap_or_default();
    for weight in &limits.device_weights {
        let is_modelled = has_cost_model(&costs, &number(&weight.device)?.to_string());
        if !is_modelled && !heeds_weights(&weight.device)? {
            return Err(CgroupError::WeightUnheeded(weight.device.to_string()));
        }
    }
    let any_heeds = || costs.contains("enable=1") || any_heeds_weights();
    match limits.weight.is_some() && !any_heeds() {
        true => Err(CgroupError::NoWeights),
        false => Ok(()),
    }
}

/// Whether the kernel's own model of what operations cost is in use for the disk of this number: it heeds weights with any
/// scheduler. There is a line for each disk, such as `8:0 enable=1 ctrl=auto`.
fn has_cost_model(costs: &str, disk: &str) -> bool {
    costs
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .any(|words| words.first() == Some(&disk) && words.contains(&"enable=1"))
}

#[cfg(test)]
mod tests {
    use super::has_cost_model;

    #[test]
    fn a_disk_whose_operations_have_no_costs_is_told_from_one_that_has() {
        let costs = "8:0 enable=1 ctrl=auto rpct=0.00\n8:16 enable=0 ctrl=auto\n";
        assert!(has_cost_model(costs, "8:0"));
        assert!(!has_cost_model(costs, "8:16"));
        assert!(!has_cost_model(costs, "8:1"));
        assert!(!has_cost_model("", "8:0"));
    }
}
