//! The limits of a container, which are part of `HostConfig`.

use minirun_runtime::byte_size::ByteSize;
use minirun_runtime::resources::Resources;
use minirun_runtime::resources::cpu::{CpuPeriod, CpuQuota, CpuShares, CpuTime};
use minirun_runtime::resources::cpu_set::CpuSet;
use minirun_runtime::resources::limit::MemorySwap;
use minirun_runtime::resources::pids_limit::PidsLimit;
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
    .map(|(key, value)| (key.to_owned(), value))
    .collect()
}
