//! The limits of a container, which are part of `HostConfig`.

use minirun_runtime::byte_size::ByteSize;
use minirun_runtime::resources::Resources;
use minirun_runtime::resources::block::{
    BlockDevice, BlockLimits, BlockWeight, OnDevice, Operations,
};
use minirun_runtime::resources::cpu::{CpuPeriod, CpuQuota, CpuShares, CpuTime};
use minirun_runtime::resources::cpu_set::CpuSet;
use minirun_runtime::resources::limit::MemorySwap;
use minirun_runtime::resources::pids_limit::PidsLimit;
use minirun_runtime::resources::scarce_memory::{OomKiller, OomScore, Swappiness};
use serde_json::{Map, Value, json};

/// The limits in Docker's keys, of which 0, no text or null mean no limit.
pub(super) fn resources(resources: &Resources) -> Map<String, Value> {
    let bytes = |size: Option<ByteSize>| size.map_or(0, |size| size.0);
    let list = |set: &Option<CpuSet>| set.as_ref().map(CpuSet::to_string).unwrap_or_default();
    let nano_cpus = match resources.cpu_time {
        CpuTime::Cpus(cpus) => cpus.0,
        CpuTime::Unlimited | CpuTime::Quota { .. } => 0,
    };
    let (quota, period) = resources.cpu_time.as_quota();
    let swap = match resources.memory_swap {
        MemorySwap::Unlimited => json!(-1),
        MemorySwap::TwiceMemory | MemorySwap::Total(_) => json!(bytes(resources.memory_and_swap())),
    };
    [
        ("Memory", json!(bytes(resources.memory))),
        ("MemorySwap", swap),
        (
            "MemoryReservation",
            json!(bytes(resources.memory_reservation)),
        ),
        ("NanoCpus", json!(nano_cpus)),
        (
            "CpuShares",
            json!(resources.cpu_shares.map_or(0, CpuShares::get)),
        ),
        ("CpuQuota", json!(quota.map_or(0, CpuQuota::get))),
        ("CpuPeriod", json!(period.map_or(0, CpuPeriod::get))),
        ("CpusetCpus", json!(list(&resources.cpuset_cpus))),
        ("CpusetMems", json!(list(&resources.cpuset_mems))),
        ("PidsLimit", json!(resources.pids.map(PidsLimit::get))),
    ]
    .into_iter()
    .chain(block(&resources.block))
    .chain(rules(resources))
    .map(|(key, value)| (key.to_owned(), value))
    .collect()
}

/// Limits of reading and writing.
fn block(limits: &BlockLimits) -> [(&'static str, Value); 6] {
    let bytes = |rates: &[OnDevice<ByteSize>]| {
        let list = rates.iter().map(|rate| (&rate.device, rate.limit.bytes()));
        by_device(list, "Rate")
    };
    let operations = |rates: &[OnDevice<Operations>]| {
        let list = rates
            .iter()
            .map(|rate| (&rate.device, u64::from(rate.limit.get())));
        by_device(list, "Rate")
    };
    let weights = limits
        .device_weights
        .iter()
        .map(|weight| (&weight.device, u64::from(weight.limit.get())));
    [
        (
            "BlkioWeight",
            json!(limits.weight.map_or(0, BlockWeight::get)),
        ),
        ("BlkioWeightDevice", by_device(weights, "Weight")),
        ("BlkioDeviceReadBps", bytes(&limits.read_bytes)),
        ("BlkioDeviceWriteBps", bytes(&limits.written_bytes)),
        ("BlkioDeviceReadIOps", operations(&limits.reads)),
        ("BlkioDeviceWriteIOps", operations(&limits.writes)),
    ]
}

fn by_device<'a>(limits: impl Iterator<Item = (&'a BlockDevice, u64)>, key: &str) -> Value {
    limits
        .map(|(device, limit)| json!({"Path": device.path(), key: limit}))
        .collect()
}

/// Rules for scarce memory, limits of single processes, and where the control group is.
fn rules(resources: &Resources) -> [(&'static str, Value); 5] {
    let ulimits = resources.ulimits.iter().map(|ulimit| {
        // -1 is no limit, as with Docker.
        json!({
            "Name": ulimit.name.word(),
            "Soft": ulimit.soft.cast_signed(),
            "Hard": ulimit.hard.cast_signed(),
        })
    });
    let parent = &resources.group_parent;
    [
        (
            "MemorySwappiness",
            json!(resources.swappiness.map(Swappiness::get)),
        ),
        (
            "OomKillDisable",
            json!(resources.oom_killer == OomKiller::Disabled),
        ),
        (
            "OomScoreAdj",
            json!(resources.oom_score.map_or(0, OomScore::get)),
        ),
        ("Ulimits", ulimits.collect()),
        (
            "CgroupParent",
            json!(match parent.is_usual() {
                true => String::new(),
                false => parent.to_string(),
            }),
        ),
    ]
}
