//! Which value of which file keeps a limit.

use super::block_settings;
use super::hierarchy::Controller;
use super::legacy::CPUSET_FILES;
use crate::byte_size::ByteSize;
use crate::resources::Resources;
use crate::resources::block::BlockDevice;
use crate::resources::cpu::{CpuShares, CpuTime, USUAL_SHARES};
use crate::resources::scarce_memory::OomKiller;

/// The file that limits memory and swap together in version 1, where none may be less than memory alone.
pub(super) const MEMORY_AND_SWAP: &str = "memory.memsw.limit_in_bytes";

/// The file that limits swap alone in version 2.
pub(super) const SWAP: &str = "memory.swap.max";

/// The two ways of the kernel to show groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    One,
    Two,
}

/// What is to be written into a file of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Setting {
    pub(super) file: &'static str,
    pub(super) value: Value,
    pub(super) origin: Origin,
}

/// What is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    /// What the same file of the group above says.
    OfParent,
    /// The number of a disk, and this behind it.
    OfDevice(BlockDevice, String),
}

/// Whose wish a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The user's.
    Asked,
    /// Nobody's: it means no limit. A kernel without the file has none either.
    Usual,
}

/// The option that needs a controller, if one does.
pub(super) fn option_for(controller: Controller, resources: &Resources) -> Option<&'static str> {
    let options: &[(bool, &'static str)] = match controller {
        Controller::Block => return block_settings::option(&resources.block),
        Controller::Memory => &[
            (resources.memory.is_some(), "--memory"),
            (
                resources.memory_reservation.is_some(),
                "--memory-reservation",
            ),
            (resources.swappiness.is_some(), "--memory-swappiness"),
        ],
        Controller::Cpu => &[
            (matches!(resources.cpu_time, CpuTime::Cpus(_)), "--cpus"),
            (resources.cpu_time.as_quota().0.is_some(), "--cpu-quota"),
            (resources.cpu_time.as_quota().1.is_some(), "--cpu-period"),
            (resources.cpu_shares.is_some(), "--cpu-shares"),
        ],
        Controller::Cpuset => &[
            (resources.cpuset_cpus.is_some(), "--cpuset-cpus"),
            (resources.cpuset_mems.is_some(), "--cpuset-mems"),
        ],
        Controller::Pids => &[(resources.pids.is_some(), "--pids-limit")],
        Controller::Devices | Controller::Freezer => &[],
    };
    let needing = options.iter().find(|(needs, _)| *needs);
    needing.map(|(_, option)| *option)
}

/// Everything that a group has to be told of a controller, what is not limited included.
pub(super) fn settings(
    (controller, version): (Controller, Version),
    resources: &Resources,
) -> Vec<Setting> {
    match (controller, version) {
        (Controller::Block, version) => block_settings::settings(version, &resources.block),
        (Controller::Memory, Version::One) => memory_one(resources),
        (Controller::Memory, Version::Two) => memory_two(resources),
        (Controller::Cpu, Version::One) => cpu_one(resources),
        (Controller::Cpu, Version::Two) => cpu_two(resources),
        (Controller::Cpuset, version) => cpuset(resources, version),
        (Controller::Pids, _) => vec![setting("pids.max", resources.pids, "max")],
        (Controller::Devices | Controller::Freezer, _) => Vec::new(),
    }
}

/// The same in an order that the kernel takes. Memory and swap together must never be less than memory alone, so where memory
/// is to be more than both may be now, they come first.
pub(super) fn ordered(mut settings: Vec<Setting>, memory_and_swap: Option<u64>) -> Vec<Setting> {
    let number = |setting: &Setting| match &setting.value {
        Value::Text(text) => text.parse().unwrap_or(u64::MAX),
        Value::OfParent | Value::OfDevice(..) => 0,
    };
    if let (Some(now), [memory, swap, ..]) = (memory_and_swap, settings.as_mut_slice())
        && swap.file == MEMORY_AND_SWAP
        && number(memory) > now
    {
        std::mem::swap(memory, swap);
    }
    settings
}

fn memory_one(resources: &Resources) -> Vec<Setting> {
    let bytes = |size: Option<ByteSize>| size.map(|size| size.0);
    let mut swap = setting(MEMORY_AND_SWAP, bytes(resources.memory_and_swap()), "-1");
    swap.origin = origin_of_swap(resources);
    let mut settings = vec![
        setting("memory.limit_in_bytes", bytes(resources.memory), "-1"),
        swap,
        setting(
            "memory.soft_limit_in_bytes",
            bytes(resources.memory_reservation),
            "-1",
        ),
    ];
    // Nobody can change these later, so what is not asked for is what the group was born with.
    if let Some(swappiness) = resources.swappiness {
        settings.push(setting("memory.swappiness", Some(swappiness.get()), ""));
    }
    if resources.oom_killer == OomKiller::Disabled {
        settings.push(setting("memory.oom_control", Some(1), ""));
    }
    settings
}

fn memory_two(resources: &Resources) -> Vec<Setting> {
    let bytes = |size: Option<ByteSize>| size.map(|size| size.0);
    let mut swap = setting(SWAP, bytes(resources.swap_alone()), "max");
    swap.origin = origin_of_swap(resources);
    vec![
        setting("memory.max", bytes(resources.memory), "max"),
        swap,
        setting("memory.low", bytes(resources.memory_reservation), "0"),
    ]
}

/// Where the kernel does not count swap, a limit of it that nobody named is not missed.
fn origin_of_swap(resources: &Resources) -> Origin {
    use crate::resources::limit::MemorySwap;
    match resources.memory_swap {
        MemorySwap::Total(_) => Origin::Asked,
        MemorySwap::TwiceMemory | MemorySwap::Unlimited => Origin::Usual,
    }
}

fn cpu_one(resources: &Resources) -> Vec<Setting> {
    let (quota, period) = resources.cpu_time.in_period();
    let named = resources.cpu_time != CpuTime::Unlimited;
    let usual_shares = USUAL_SHARES.to_string();
    let shares = resources.cpu_shares.map(CpuShares::get);
    vec![
        setting("cpu.shares", shares, &usual_shares),
        setting(
            "cpu.cfs_period_us",
            named.then_some(period),
            &period.to_string(),
        ),
        setting("cpu.cfs_quota_us", quota, "-1"),
    ]
}

fn cpu_two(resources: &Resources) -> Vec<Setting> {
    let (quota, period) = resources.cpu_time.in_period();
    let named = resources.cpu_time != CpuTime::Unlimited;
    let quota = quota.map_or_else(|| "max".to_owned(), |quota| quota.to_string());
    let both = format!("{quota} {period}");
    let weight = resources.cpu_shares.map(CpuShares::weight);
    vec![
        setting("cpu.weight", weight, "100"),
        setting("cpu.max", named.then_some(&both), &both),
    ]
}

fn cpuset(resources: &Resources, version: Version) -> Vec<Setting> {
    let lists = [&resources.cpuset_cpus, &resources.cpuset_mems];
    CPUSET_FILES
        .into_iter()
        .zip(lists)
        // In version 2 a group without a list has that of the one above.
        .map(|(file, list)| match (list, version) {
            (None, Version::One) => Setting {
                file,
                value: Value::OfParent,
                origin: Origin::Asked,
            },
            (list, _) => setting(file, list.as_ref(), "\n"),
        })
        .collect()
}

pub(super) fn setting(file: &'static str, asked: Option<impl ToString>, usual: &str) -> Setting {
    let (value, origin) = match asked {
        Some(value) => (value.to_string(), Origin::Asked),
        None => (usual.to_owned(), Origin::Usual),
    };
    Setting {
        file,
        value: Value::Text(value),
        origin,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources::ResourcesChange;
    use crate::resources::limit::Limit;

    const M: u64 = 1 << 20;

    fn everything() -> Resources {
        let change = ResourcesChange {
            memory: Some(Limit::To(ByteSize(64 * M))),
            memory_swap: Some("96m".parse().unwrap()),
            memory_reservation: Some(Limit::To(ByteSize(32 * M))),
            cpus: Some("1.5".parse().unwrap()),
            cpu_shares: Some("512".parse().unwrap()),
            cpuset_cpus: Some(Limit::To("0-1".parse().unwrap())),
            pids: Some("7".parse().unwrap()),
            block_weight: Some("300".parse().unwrap()),
            ..ResourcesChange::default()
        };
        Resources::default().changed(&change).unwrap()
    }

    /// One line for each file.
    fn lines(version: Version, resources: &Resources) -> Vec<String> {
        let all = Controller::ALL
            .into_iter()
            .flat_map(|controller| settings((controller, version), resources));
        all.map(|setting| match setting.value {
            Value::Text(text) => format!("{} {}", setting.file, text.trim_end()),
            Value::OfParent => format!("{} =", setting.file),
            Value::OfDevice(device, rest) => format!("{} {device} {rest}", setting.file),
        })
        .collect()
    }

    #[test]
    fn version_two_has_a_file_for_each_limit() {
        assert_eq!(
            lines(Version::Two, &everything()),
            [
                "io.bfq.weight 300",
                "io.weight 2930",
                "cpu.weight 20",
                "cpu.max 150000 100000",
                "cpuset.cpus 0-1",
                "cpuset.mems ",
                "memory.max 67108864",
                "memory.swap.max 33554432",
                "memory.low 33554432",
                "pids.max 7",
            ]
        );
        assert_eq!(
            lines(Version::Two, &Resources::default()),
            [
                "io.bfq.weight 100",
                "io.weight 100",
                "cpu.weight 100",
                "cpu.max max 100000",
                "cpuset.cpus ",
                "cpuset.mems ",
                "memory.max max",
                "memory.swap.max max",
                "memory.low 0",
                "pids.max max",
            ]
        );
    }

    #[test]
    fn version_one_counts_swap_with_memory() {
        assert_eq!(
            lines(Version::One, &everything()),
            [
                "blkio.bfq.weight 300",
                "cpu.shares 512",
                "cpu.cfs_period_us 100000",
                "cpu.cfs_quota_us 150000",
                "cpuset.cpus 0-1",
                "cpuset.mems =",
                "memory.limit_in_bytes 67108864",
                "memory.memsw.limit_in_bytes 100663296",
                "memory.soft_limit_in_bytes 33554432",
                "pids.max 7",
            ]
        );
        assert_eq!(
            lines(Version::One, &Resources::default()),
            [
                "blkio.bfq.weight 100",
                "cpu.shares 1024",
                "cpu.cfs_period_us 100000",
                "cpu.cfs_quota_us -1",
                "cpuset.cpus =",
                "cpuset.mems =",
                "memory.limit_in_bytes -1",
                "memory.memsw.limit_in_bytes -1",
                "memory.soft_limit_in_bytes -1",
                "pids.max max",
            ]
        );
    }

    #[test]
    fn swap_comes_first_where_memory_grows_above_it() {
        let of = |resources: &Resources, now| {
            let plain = settings((Controller::Memory, Version::One), resources);
            ordered(plain, Some(now))[0].file
        };
        assert_eq!(of(&everything(), 63 * M), MEMORY_AND_SWAP);
        assert_eq!(of(&everything(), 64 * M), "memory.limit_in_bytes");
        assert_eq!(of(&Resources::default(), 64 * M), MEMORY_AND_SWAP);
        let two = settings((Controller::Memory, Version::Two), &everything());
        assert_eq!(ordered(two, Some(0))[0].file, "memory.max");
    }

    #[test]
    fn a_limit_names_the_option_that_needs_its_controller() {
        let option = |controller| option_for(controller, &everything());
        assert_eq!(option(Controller::Memory), Some("--memory"));
        assert_eq!(option(Controller::Cpu), Some("--cpus"));
        assert_eq!(option(Controller::Cpuset), Some("--cpuset-cpus"));
        assert_eq!(option(Controller::Pids), Some("--pids-limit"));
        assert_eq!(option(Controller::Block), Some("--blkio-weight"));
        for controller in Controller::ALL {
            assert_eq!(option_for(controller, &Resources::default()), None);
        }
    }

    #[test]
    fn swap_that_nobody_named_is_not_missed() {
        let origin = |resources: &Resources| {
            let settings = settings((Controller::Memory, Version::One), resources);
            settings[1].origin
        };
        assert_eq!(origin(&everything()), Origin::Asked);
        let without = Resources {
            memory_swap: Default::default(),
            ..everything()
        };
        assert_eq!(origin(&without), Origin::Usual);
    }
}
