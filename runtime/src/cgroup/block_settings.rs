//! Which value of which file limits reading and writing.
//!
//! Weights are kept by whatever shares out a disk: the scheduler bfq or, in version 2, the kernel's model of what operations
//! cost. Each has a file of its own, and one that the kernel does not have, or that refuses a disk which is not its own, is
//! passed by: that somebody keeps the weight was found out before.

use super::settings::{Origin, Setting, Value, Version, setting};
use crate::resources::block::{BlockLimits, BlockWeight, OnDevice, USUAL_WEIGHT};

/// The option that needs the controller, if one does.
pub(super) fn option(limits: &BlockLimits) -> Option<&'static str> {
    let options = [
        (limits.weight.is_some(), "--blkio-weight"),
        (!limits.device_weights.is_empty(), "--blkio-weight-device"),
        (!limits.read_bytes.is_empty(), "--device-read-bps"),
        (!limits.written_bytes.is_empty(), "--device-write-bps"),
        (!limits.reads.is_empty(), "--device-read-iops"),
        (!limits.writes.is_empty(), "--device-write-iops"),
    ];
    let needing = options.into_iter().find(|(needs, _)| *needs);
    needing.map(|(_, option)| option)
}

/// Everything that a group has to be told.
pub(super) fn settings(version: Version, limits: &BlockLimits) -> Vec<Setting> {
    let mut settings = weights(version, limits);
    let bytes = [
        (
            &limits.read_bytes,
            ("blkio.throttle.read_bps_device", "rbps"),
        ),
        (
            &limits.written_bytes,
            ("blkio.throttle.write_bps_device", "wbps"),
        ),
    ];
    for (rates, words) in bytes {
        settings.extend(rates.iter().map(|rate| {
            let number = rate.limit.bytes();
            throttle((version, words), (rate, number))
        }));
    }
    let operations = [
        (&limits.reads, ("blkio.throttle.read_iops_device", "riops")),
        (
            &limits.writes,
            ("blkio.throttle.write_iops_device", "wiops"),
        ),
    ];
    for (rates, words) in operations {
        settings.extend(rates.iter().map(|rate| {
            let number = u64::from(rate.limit.get());
            throttle((version, words), (rate, number))
        }));
    }
    settings
}

fn weights(version: Version, limits: &BlockLimits) -> Vec<Setting> {
    let usual = USUAL_WEIGHT.to_string();
    let small = |weight: BlockWeight| weight.get().to_string();
    let large = |weight: BlockWeight| weight.on_large_scale().to_string();
    let by_scheduler = match version {
        Version::One => ("blkio.bfq.weight", "blkio.bfq.weight_device"),
        Version::Two => ("io.bfq.weight", "io.bfq.weight"),
    };
    let mut settings = vec![setting(by_scheduler.0, limits.weight.map(small), &usual)];
    if version == Version::Two {
        settings.push(setting("io.weight", limits.weight.map(large), &usual));
    }
    for weight in &limits.device_weights {
        settings.push(of_device(by_scheduler.1, (weight, small(weight.limit))));
        if version == Version::Two {
            settings.push(of_device("io.weight", (weight, large(weight.limit))));
        }
    }
    settings.into_iter().map(if_there).collect()
}

fn throttle<T>(
    (version, (one, two)): (Version, (&'static str, &'static str)),
    (rate, number): (&OnDevice<T>, u64),
) -> Setting {
    match version {
        Version::One => of_device(one, (rate, number.to_string())),
        Version::Two => of_device("io.max", (rate, format!("{two}={number}"))),
    }
}

fn of_device<T>(file: &'static str, (limit, value): (&OnDevice<T>, String)) -> Setting {
    Setting {
        file,
        value: Value::OfDevice(limit.device.clone(), value),
        origin: Origin::Asked,
    }
}

fn if_there(setting: Setting) -> Setting {
    Setting {
        origin: Origin::Usual,
        ..setting
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(version: Version) -> Vec<String> {
        let limits = BlockLimits {
            device_weights: vec!["/dev/sda:200".parse().unwrap()],
            read_bytes: vec!["/dev/sda:1m".parse().unwrap()],
            writes: vec!["/dev/sda:5".parse().unwrap(), "/dev/sdb:6".parse().unwrap()],
            ..BlockLimits::default()
        };
        let lines = settings(version, &limits).into_iter();
        lines
            .map(|setting| match setting.value {
                Value::OfDevice(device, rest) => format!("{} {device} {rest}", setting.file),
                Value::Text(text) => format!("{} {text}", setting.file),
                Value::OfParent => String::new(),
            })
            .collect()
    }

    #[test]
    fn each_disk_has_a_line_of_its_own() {
        assert_eq!(
            lines(Version::One),
            [
                "blkio.bfq.weight 100",
                "blkio.bfq.weight_device /dev/sda 200",
                "blkio.throttle.read_bps_device /dev/sda 1048576",
                "blkio.throttle.write_iops_device /dev/sda 5",
                "blkio.throttle.write_iops_device /dev/sdb 6",
            ]
        );
        assert_eq!(
            lines(Version::Two),
            [
                "io.bfq.weight 100",
                "io.weight 100",
                "io.bfq.weight /dev/sda 200",
                "io.weight /dev/sda 1920",
                "io.max /dev/sda rbps=1048576",
                "io.max /dev/sda wiops=5",
                "io.max /dev/sdb wiops=6",
            ]
        );
    }
}
