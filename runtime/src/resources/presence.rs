//! Whether a host has the processors and memory nodes that limits name.

use super::Resources;
use super::cpu::{CpuTime, NanoCpus};
use super::cpu_set::CpuSet;
use super::error::ResourcesError;
use std::fs;

/// The least part of a processor, a hundredth, as with Docker.
const LEAST_CPUS: NanoCpus = NanoCpus(10_000_000);

/// Refuses limits that name what this host does not have.
pub(crate) fn check_presence(resources: &Resources) -> Result<(), ResourcesError> {
    let names_some = matches!(resources.cpu_time, CpuTime::Cpus(_))
        || resources.cpuset_cpus.is_some()
        || resources.cpuset_mems.is_some();
    match names_some {
        true => check(resources, &online("cpu"), &online("node")),
        false => Ok(()),
    }
}

fn check(resources: &Resources, cpus: &CpuSet, nodes: &CpuSet) -> Result<(), ResourcesError> {
    let present = NanoCpus::whole(cpus.count());
    if let CpuTime::Cpus(wanted) = resources.cpu_time
        && !(LEAST_CPUS..=present).contains(&wanted)
    {
        return Err(ResourcesError::CpusOutOfRange { wanted, present });
    }
    let lists = [
        ("--cpuset-cpus", &resources.cpuset_cpus, cpus),
        ("--cpuset-mems", &resources.cpuset_mems, nodes),
    ];
    for (option, wanted, present) in lists {
        if let Some(wanted) = wanted
            && !wanted.is_within(present)
        {
            return Err(ResourcesError::NotPresent {
                option,
                wanted: wanted.clone(),
                present: present.clone(),
            });
        }
    }
    Ok(())
}

/// Those that are in use. A kernel that does not list them, such as one without memory nodes, has one.
fn online(kind: &str) -> CpuSet {
    let listed = fs::read_to_string(format!("/sys/devices/system/{kind}/online"));
    let listed = listed.ok().and_then(|text| text.trim().parse().ok());
    listed.unwrap_or_else(|| CpuSet::only(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(resources: &Resources) -> Option<String> {
        let (cpus, nodes) = ("0-3".parse().unwrap(), "0".parse().unwrap());
        let error = check(resources, &cpus, &nodes).err()?;
        Some(error.to_string())
    }

    #[test]
    fn more_than_there_is_is_refused() {
        let with_cpus = |text: &str| Resources {
            cpu_time: CpuTime::Cpus(text.parse().unwrap()),
            ..Resources::default()
        };
        assert_eq!(problem(&with_cpus("4")), None);
        assert_eq!(
            problem(&with_cpus("4.5")).as_deref(),
            Some("`--cpus 4.5` is out of range: this host has 4, and the least is 0.01")
        );
        assert!(problem(&with_cpus("0.001")).is_some());
        let on = |cpus: &str, mems: &str| Resources {
            cpuset_cpus: Some(cpus.parse().unwrap()),
            cpuset_mems: Some(mems.parse().unwrap()),
            ..Resources::default()
        };
        assert_eq!(problem(&on("1-2", "0")), None);
        assert_eq!(
            problem(&on("1-4", "0")).as_deref(),
            Some("`--cpuset-cpus 1-4` names what this host does not have: it has 0-3")
        );
        assert!(problem(&on("1", "1")).is_some());
    }
}
