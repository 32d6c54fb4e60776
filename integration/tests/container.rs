//! What a program sees from within: namespaces, mounts, devices, capabilities and files are as with Docker.

use std::collections::BTreeMap;
use std::fs;

use minirun_integration::TestHost;

fn host_with_busybox() -> TestHost {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    host
}

#[test]
fn every_namespace_but_that_of_users_is_its_own() {
    let host = host_with_busybox();
    let script =
        "for kind in mnt pid uts ipc net cgroup user; do readlink /proc/self/ns/$kind; done";
    let inside = host.in_busybox("", script).succeeds();
    let outside = host.command("sh", ["-c", script]).succeeds();
    let pairs: Vec<_> = inside
        .stdout()
        .lines()
        .zip(outside.stdout().lines())
        .collect();
    assert_eq!(pairs.len(), 7);
    for (own, hosts) in pairs {
        assert_eq!(own == hosts, own.starts_with("user:"), "{own} and {hosts}");
    }
    host.finish();
}

#[test]
fn the_program_is_the_first_process_and_sees_no_other() {
    let host = host_with_busybox();
    host.in_busybox("", "echo $$; cd /proc; echo [0-9]*; hostname >/dev/null")
        .succeeds()
        .stdout_is("1\n1");
    host.finish();
}

#[test]
fn it_has_three_descriptors() {
    let host = host_with_busybox();
    host.minirun("run --rm busybox ls /proc/self/fd")
        .succeeds()
        .stdout_is("0\n1\n2\n3");
    host.minirun("run --rm -i busybox ls /proc/self/fd")
        .succeeds()
        .stdout_is("0\n1\n2\n3");
    host.in_busybox("", "readlink /proc/self/fd/0")
        .succeeds()
        .stdout_is("/dev/null");
    host.finish();
}

/// Mount point, file system and options of every line of mountinfo.
fn mounts(text: &str) -> BTreeMap<String, (String, String)> {
    let parse = |line: &str| {
        let (before, after) = line.split_once(" - ")?;
        let mut fields = before.split(' ').skip(4);
        let (point, options) = (fields.next()?.to_owned(), fields.next()?.to_owned());
        Some((point, (after.split(' ').next()?.to_owned(), options)))
    };
    text.lines().filter_map(parse).collect()
}

#[test]
fn the_mounts_are_dockers() {
    let host = host_with_busybox();
    let shown = host.in_busybox("", "cat /proc/self/mountinfo").succeeds();
    let mounts = mounts(shown.stdout());
    for (point, kind, options) in [
        ("/", "overlay", "rw"),
        ("/proc", "proc", "rw,nosuid,nodev,noexec"),
        ("/dev", "tmpfs", "rw,nosuid"),
        ("/dev/pts", "devpts", "rw,nosuid,noexec"),
        ("/dev/shm", "tmpfs", "rw,nosuid,nodev,noexec"),
        ("/dev/mqueue", "mqueue", "rw,nosuid,nodev,noexec"),
        ("/sys", "sysfs", "ro,nosuid,nodev,noexec"),
        ("/sys/fs/cgroup", "cgroup2", "ro,nosuid,nodev,noexec"),
        ("/proc/sys", "proc", "ro,nosuid,nodev,noexec"),
    ] {
        let (found, flags) = mounts
            .get(point)
            .unwrap_or_else(|| panic!("no mount on {point} in\n{}", shown.stdout()));
        assert_eq!(found, kind, "on {point}");
        assert!(flags.starts_with(options), "{flags} on {point}");
    }
    for point in ["/etc/hosts", "/etc/hostname", "/etc/resolv.conf"] {
        assert!(mounts.contains_key(point), "no mount on {point}");
    }
    let foreign: Vec<_> = mounts
        .keys()
        .filter(|point| point.contains("minirun") || point.starts_with("/run"))
        .collect();
    assert!(
        foreign.is_empty(),
        "nothing of the host is mounted: {foreign:?}"
    );
    host.finish();
}

#[test]
fn mounts_do_not_travel_in_either_direction() {
    let host = host_with_busybox();
    let shown = host.in_busybox("", "cat /proc/self/mountinfo").succeeds();
    for line in shown.stdout().lines() {
        assert!(
            !line.contains(" shared:") && !line.contains(" master:"),
            "{line}"
        );
    }
    host.minirun("run -d --name web1 busybox sleep 1000")
        .succeeds();
    let on_host = host.inside(|| fs::read_to_string("/proc/thread-self/mountinfo"));
    assert!(
        !on_host
            .expect("a thread has mounts")
            .contains("/var/lib/minirun/containers")
    );
    host.removes("web1");
    host.finish();
}

#[test]
fn masked_paths_are_empty_and_protected_ones_cannot_be_written() {
    let host = host_with_busybox();
    // Which of them there are depends on the kernel.
    let files = "for path in /proc/kcore /proc/keys /proc/timer_list /proc/interrupts /proc/sched_debug; do \
        [ ! -e $path ] || cat $path; done | wc -c";
    host.in_busybox("", files).succeeds().stdout_is("0");
    let directories =
        "/sys/firmware /sys/devices/virtual/powercap /proc/scsi /proc/acpi /proc/asound";
    let entries = format!("find {directories} -mindepth 1 2>/dev/null | wc -l");
    host.in_busybox("", &entries).succeeds().stdout_is("0");
    for path in [
        "/proc/sys/kernel/hostname",
        "/proc/sys/net/ipv4/ip_forward",
        "/sys/kernel/profiling",
        "/sys/fs/cgroup/cgroup.procs",
    ] {
        host.in_busybox("", &format!("echo 1 >{path}"))
            .fails_with(1)
            .stderr_contains("Read-only file system");
    }
    host.finish();
}

#[test]
fn the_capabilities_are_dockers_default_set() {
    let host = host_with_busybox();
    let script = "grep -e ^Cap -e ^NoNewPrivs /proc/self/status";
    host.in_busybox("", script)
        .succeeds()
        .stdout_is("CapInh:\t0000000000000000\nCapPrm:\t00000000a80425fb\nCapEff:\t00000000a80425fb\nCapBnd:\t00000000a80425fb\nCapAmb:\t0000000000000000\nNoNewPrivs:\t0");
    host.in_busybox("--security-opt no-new-privileges", script)
        .succeeds()
        .stdout_has_line("NoNewPrivs:\t1");
    host.in_busybox("--security-opt nosuch", script)
        .fails_with(125)
        .stderr_contains("`nosuch`");
    for forbidden in [
        "mount -t tmpfs none /tmp",
        "ip link set eth0 down",
        "mknod /tmp/disk b 8 0 && cat /tmp/disk",
        "hostname other",
        "chroot / unshare -m true",
    ] {
        host.in_busybox("", forbidden).fails();
    }
    host.finish();
}

#[test]
fn the_devices_are_dockers() {
    let host = host_with_busybox();
    let script = "cd /dev; for name in *; do \
        if [ -L $name ]; then echo $name $(readlink $name); \
        elif [ -c $name ]; then stat -c '%n %t:%T %a' $name; \
        else echo $name/; fi; done";
    let listed = host.in_busybox("", script).succeeds();
    for line in [
        "null 1:3 666",
        "zero 1:5 666",
        "full 1:7 666",
        "random 1:8 666",
        "urandom 1:9 666",
        "tty 5:0 666",
        "fd /proc/self/fd",
        "stdin /proc/self/fd/0",
        "stdout /proc/self/fd/1",
        "stderr /proc/self/fd/2",
        "ptmx pts/ptmx",
        "pts/",
        "shm/",
        "mqueue/",
    ] {
        listed.clone().stdout_has_line(line);
    }
    let blocks = "find /dev -type b | wc -l";
    host.in_busybox("", blocks).succeeds().stdout_is("0");
    host.in_busybox(
        "",
        "echo x >/dev/null; head -c 3 /dev/zero | wc -c; ls -d /dev/pts/ptmx",
    )
    .succeeds()
    .stdout_is("3\n/dev/pts/ptmx");
    host.finish();
}

#[test]
fn the_files_in_etc_say_who_it_is_and_whom_it_can_ask() {
    let host = host_with_busybox();
    host.write_file(
        "/etc/resolv.conf",
        "nameserver 127.0.0.53\nnameserver 192.0.2.53\nsearch example.test\noptions ndots:2\n",
    );
    host.in_busybox(
        "--hostname box",
        "cat /etc/hostname; grep -v '^#' /etc/resolv.conf",
    )
    .succeeds()
    .stdout_is("box\nnameserver 192.0.2.53\nsearch example.test\noptions ndots:2");
    host.write_file("/etc/resolv.conf", "nameserver 127.0.0.53\n");
    host.in_busybox("", "grep nameserver /etc/resolv.conf")
        .fails_with(1)
        .stdout_is("");
    host.finish();
}

#[test]
fn its_interface_is_named_eth0_and_has_the_uplinks_size() {
    let host = host_with_busybox();
    host.command("ip", "link set uplink0 mtu 1400").succeeds();
    let script = "ip -o -4 address show eth0; cat /sys/class/net/eth0/mtu /sys/class/net/eth0/address; ip route";
    host.in_busybox("", script)
        .succeeds()
        .stdout_contains("inet 172.17.0.2/16 brd 172.17.255.255")
        .stdout_contains("1400\n02:42:ac:11:00:02\n")
        .stdout_contains("default via 172.17.0.1 dev eth0");
    host.finish();
}

#[test]
fn what_was_run_can_be_read_beside_the_container() {
    let host = host_with_busybox();
    let id = host
        .minirun("run -d --name web1 -e A=b -w /tmp -u alice --hostname box busybox sleep 1000")
        .succeeds()
        .line()
        .to_owned();
    let text = host.read_file(&format!("/var/lib/minirun/containers/{id}/config.json"));
    let spec: serde_json::Value = serde_json::from_str(&text).expect("config.json is JSON");
    assert_eq!(
        spec["process"]["args"],
        serde_json::json!(["sleep", "1000"])
    );
    assert_eq!(spec["process"]["cwd"], "/tmp");
    assert_eq!(spec["process"]["user"]["uid"], 1000);
    assert_eq!(spec["hostname"], "box");
    let environment = spec["process"]["env"].as_array().expect("a list");
    assert!(
        environment.iter().any(|entry| entry == "A=b"),
        "{environment:?}"
    );
    let kinds: Vec<_> = spec["linux"]["namespaces"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|namespace| namespace["type"].as_str().expect("a kind").to_owned())
        .collect();
    for kind in ["mount", "pid", "network", "uts", "ipc", "cgroup"] {
        assert!(kinds.iter().any(|found| found == kind), "{kinds:?}");
    }
    host.removes("web1");
    host.finish();
}

#[test]
fn orphans_are_reaped_by_the_program_and_all_end_with_it() {
    let host = host_with_busybox();
    host.runs_script("web1", "", "sleep 1000 & sleep 1000");
    let first = host.container("web1").process();
    host.minirun("kill web1").succeeds();
    assert!(first.ends_within(std::time::Duration::from_secs(10)));
    host.minirun("ps -q").succeeds().stdout_is("");
    host.removes("web1");
    host.finish();
}
