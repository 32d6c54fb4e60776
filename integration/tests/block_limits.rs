//! Limits of reading and writing, on a disk of the test's own.

use minirun_integration::{ControlGroups, TestHost};
use std::fs;
use std::time::{Duration, Instant};

/// A loop device with a file system, mounted at `/run/disk` of a host.
struct Disk<'host> {
    host: &'host TestHost,
    path: String,
}

impl<'host> Disk<'host> {
    fn attach(host: &'host TestHost) -> Self {
        let script = "truncate -s 64M /run/disk.image && mkfs.ext4 -q /run/disk.image && mkdir /run/disk \
                      && disk=$(losetup --find --show /run/disk.image) && mount $disk /run/disk && echo $disk";
        let attached = host.command("sh", ["-c", script]).succeeds();
        Self {
            host,
            path: attached.line().to_owned(),
        }
    }

    /// Such as `7:0`.
    fn number(&self) -> String {
        let shown = self.host.command("lsblk", ["-ndo", "MAJ:MIN", &self.path]);
        shown.succeeds().line().trim().to_owned()
    }

    fn scheduler(&self) -> String {
        let name = self.path.trim_start_matches("/dev/");
        format!("/sys/block/{name}/queue/scheduler")
    }

    fn schedule(&self, scheduler: &str) {
        fs::write(self.scheduler(), scheduler).expect("the disk is the test's own");
    }
}

impl Drop for Disk<'_> {
    /// A loop device keeps its scheduler, so it gets back the one that it had when it belonged to nobody.
    fn drop(&mut self) {
        fs::write(self.scheduler(), "none").ok();
        let script = "umount --lazy /run/disk; losetup --detach $1";
        let _ = self.host.command("sh", ["-c", script, "sh", &self.path]);
    }
}

#[test]
fn a_container_writes_no_faster_than_it_may() {
    let host = TestHost::with(ControlGroups::WithControllers);
    host.imports_busybox(&[]);
    let disk = Disk::attach(&host);
    let (path, number) = (&disk.path, disk.number());
    let options =
        format!("-v /run/disk:/data --device-write-bps {path}:256k --device-read-iops {path}:1000");
    let begun = Instant::now();
    let script =
        "dd if=/dev/zero of=/data/file bs=64k count=12 oflag=direct 2>/dev/null; sleep 1000";
    host.runs_script("web1", &options, script);
    let throttle = host.control("web1", ("blkio.throttle.write_bps_device", "io.max"));
    let operations = host.control("web1", ("blkio.throttle.read_iops_device", "io.max"));
    match throttle.contains("wbps") {
        true => assert!(throttle.contains("wbps=262144") && operations.contains("riops=1000")),
        false => {
            assert_eq!(throttle, format!("{number} 262144"));
            assert_eq!(operations, format!("{number} 1000"));
        }
    }
    let written = || {
        let files = ("blkio.throttle.io_service_bytes", "io.stat");
        let text = host.control("web1", files);
        let of_disk = text.lines().filter(|line| line.starts_with(&number));
        let words = of_disk.flat_map(str::split_whitespace);
        let numbers =
            words.filter_map(|word| word.trim_start_matches("wbytes=").parse::<u64>().ok());
        numbers.max().unwrap_or_default()
    };
    let deadline = begun + Duration::from_secs(30);
    while written() < 12 << 16 {
        assert!(
            Instant::now() < deadline,
            "{} bytes were written",
            written()
        );
        std::thread::yield_now();
    }
    // Three seconds' worth, of which the last piece is let through as soon as it begins.
    assert!(
        begun.elapsed() > Duration::from_secs(2),
        "{:?}",
        begun.elapsed()
    );
    let config = host.container("web1").inspect()["HostConfig"].take();
    assert_eq!(config["BlkioDeviceWriteBps"][0]["Rate"], 262_144);
    assert_eq!(config["BlkioDeviceWriteBps"][0]["Path"], path.as_str());
    host.removes("web1");
    drop(disk);
    host.finish();
}

#[test]
fn a_weight_is_refused_until_a_scheduler_heeds_it() {
    let host = TestHost::with(ControlGroups::WithControllers);
    host.imports_busybox(&[]);
    let disk = Disk::attach(&host);
    disk.schedule("none");
    let options = format!("--blkio-weight-device {}:300", disk.path);
    host.minirun(format!("run --rm {options} busybox true"))
        .fails_with(125)
        .stderr_contains(&format!(
            "a weight for `{}` cannot be kept: its scheduler is not `bfq`",
            disk.path
        ));
    disk.schedule("bfq");
    host.runs_script(
        "web1",
        &format!("--blkio-weight 200 {options}"),
        "sleep 1000",
    );
    let files = ("blkio.bfq.weight", "io.bfq.weight");
    assert!(host.control("web1", files).contains("200"));
    let files = ("blkio.bfq.weight_device", "io.bfq.weight");
    assert!(
        host.control("web1", files)
            .contains(&format!("{} 300", disk.number()))
    );
    host.minirun("update --blkio-weight 400 web1").succeeds();
    let files = ("blkio.bfq.weight", "io.bfq.weight");
    assert!(host.control("web1", files).contains("400"));
    host.removes("web1");
    drop(disk);
    host.finish();
}

#[test]
fn limits_of_what_is_no_disk_are_refused() {
    let host = TestHost::with(ControlGroups::WithControllers);
    host.imports_busybox(&[]);
    for (options, problem) in [
        ("--device-read-bps /dev/null:1m", "`/dev/null` is no disk"),
        ("--device-read-bps 1m", "`1m` names no disk"),
        (
            "--device-read-bps /dev/loop0:0",
            "would let nothing through",
        ),
        (
            "--device-write-iops /dev/loop0:0",
            "`0` is not a number of operations",
        ),
        (
            "--device-write-iops /dev/nowhere:5",
            "cannot examine `/dev/nowhere`",
        ),
        (
            "--blkio-weight 5",
            "`5` is not a weight: write a number from 10 to 1000",
        ),
    ] {
        host.minirun(format!("run --rm {options} busybox true"))
            .fails_with(125)
            .stderr_contains(problem);
    }
    host.minirun("ps -aq").succeeds().stdout_is("");
    host.finish();
}
