//! Which parts of root's power a container has: `--cap-add`, `--cap-drop`, `--privileged`, and what else is open then.

use std::fs;

use minirun_integration::TestHost;
use serde_json::json;

/// The two sets that matter: what the kernel checks, and what can never be gained beyond.
const SETS: &str = "grep -h -e CapEff -e CapBnd /proc/self/status | cut -f 2 | uniq";

/// What this test could hand on, as a mask.
fn held() -> u64 {
    let status = fs::read_to_string("/proc/thread-self/status").expect("a process has a status");
    let set = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        u64::from_str_radix(line.expect("a set").trim(), 16).expect("a mask")
    };
    set("CapPrm:") & set("CapBnd:")
}

fn mask(bits: u64) -> String {
    format!("{bits:016x}")
}

#[test]
fn capabilities_are_added_to_and_dropped_from_dockers_usual_ones() {
    let host = TestHost::with_busybox();
    let usual = 0xa804_25fb;
    let (net_admin, net_raw, chown) = (1 << 12, 1 << 13, 1);
    for (options, expected) in [
        ("", usual),
        ("--cap-add net_admin", usual | net_admin),
        (
            "--cap-add CAP_NET_ADMIN --cap-drop NET_RAW",
            (usual | net_admin) & !net_raw,
        ),
        ("--cap-drop all", 0),
        ("--cap-drop ALL --cap-add chown", chown),
        ("--cap-add chown --cap-drop ALL", chown),
        ("--cap-add NET_RAW --cap-drop NET_RAW", usual),
        ("--cap-add ALL", held()),
        ("--cap-add ALL --cap-drop NET_ADMIN", held() & !net_admin),
        ("--privileged", held()),
        ("--privileged --cap-drop ALL", held()),
    ] {
        host.in_busybox(options, SETS)
            .succeeds()
            .stdout_is(&mask(expected));
    }
    host.finish();
}

#[test]
fn the_kernel_goes_by_them() {
    let host = TestHost::with_busybox();
    for (capability, what) in [
        ("CHOWN", "touch /tmp/file && chown 7 /tmp/file"),
        (
            "DAC_OVERRIDE",
            "touch /tmp/file && chmod 0 /tmp/file && cat /tmp/file",
        ),
        ("SETUID", "su alice -c true"),
        ("SYS_CHROOT", "chroot / true"),
        (
            "KILL",
            "su alice -c 'sleep 1000 & echo $! >/tmp/pid'; kill $(cat /tmp/pid)",
        ),
    ] {
        host.in_busybox("", what).succeeds();
        host.in_busybox(&format!("--cap-drop {capability}"), what)
            .fails();
    }
    for (capability, what) in [
        ("NET_ADMIN", "ip link set lo down"),
        ("SYS_ADMIN", "mount -t tmpfs none /tmp"),
    ] {
        host.in_busybox("", what).fails();
        host.in_busybox(&format!("--cap-add {capability}"), what)
            .succeeds();
    }
    host.finish();
}

#[test]
fn another_user_can_gain_them_and_has_none_and_inherits_none() {
    let host = TestHost::with_busybox();
    let script = "grep -h ^Cap /proc/self/status | cut -f 2";
    let none = mask(0);
    let bounding = mask(0xa804_25fb | 1 << 12);
    let expected = [&none, &none, &none, &bounding, &none]
        .map(String::as_str)
        .join("\n");
    host.in_busybox("-u alice --cap-add NET_ADMIN", script)
        .succeeds()
        .stdout_is(&expected);
    host.finish();
}

#[test]
fn executed_programs_and_health_checks_have_those_of_the_container() {
    let host = TestHost::with_busybox();
    let once = minirun_integration::health::ONCE;
    let options = format!("--cap-drop ALL --cap-add CHOWN {once}");
    let container = host.checks("web1", (&options, SETS));
    assert_eq!(
        container.only_health_result(),
        (0, format!("{}\n", mask(1)))
    );
    let execute = |option: &str| {
        let mut words = vec!["exec"];
        words.extend(option.split_whitespace());
        words.extend(["web1", "sh", "-c", SETS]);
        host.minirun(words.as_slice()).succeeds()
    };
    execute("").stdout_is(&mask(1));
    execute("--privileged").stdout_is(&mask(held()));
    let user = execute("--privileged -u alice");
    user.stdout_is(&format!("{}\n{}", mask(0), mask(held())));
    host.removes("web1");
    host.finish();
}

#[test]
fn what_is_no_capability_is_refused_and_nothing_is_left_behind() {
    let host = TestHost::with_busybox();
    for (option, complaint) in [
        (
            "--cap-add NET_ADMN",
            "error: unknown capability `NET_ADMN`: did you mean `NET_ADMIN`? (of `--cap-add <CAPABILITY>`)",
        ),
        (
            "--cap-drop everything",
            "error: unknown capability `everything`: capabilities(7) lists them; `ALL` means all (of `--cap-drop <CAPABILITY>`)",
        ),
    ] {
        host.in_busybox(option, "true")
            .fails_with(125)
            .stderr_is(complaint);
    }
    host.minirun("ps -aq").succeeds().stdout_is("");
    host.finish();
}

#[test]
fn what_minirun_does_not_have_itself_it_cannot_give() {
    let host = TestHost::with_busybox();
    let without = |options: &str| {
        host.command(
            "setpriv",
            format!("--bounding-set -net_raw,-sys_time --inh-caps -net_raw,-sys_time minirun run --rm {options} busybox true"),
        )
    };
    without("").fails_with(125).stderr_is(
        "error: cannot give the container `CAP_NET_RAW`: minirun was started without\n\
         hint: start minirun with all of root's rights, or leave them out with `--cap-drop`",
    );
    without("--cap-drop NET_RAW --cap-add SYS_TIME")
        .fails_with(125)
        .stderr_contains("`CAP_SYS_TIME`");
    without("--cap-drop NET_RAW").succeeds();
    without("--cap-add ALL").succeeds();
    host.minirun("ps -aq").succeeds().stdout_is("");
    host.finish();
}

#[test]
fn they_are_shown_as_docker_shows_them() {
    let host = TestHost::create();
    host.minirun("create --name web1 --cap-add sys_time --cap-add net_admin --cap-drop cap_mknod --security-opt apparmor=unconfined --security-opt no-new-privileges demo true")
        .succeeds();
    let shown = host.container("web1").inspect();
    let shown = &shown["HostConfig"];
    assert_eq!(shown["CapAdd"], json!(["CAP_NET_ADMIN", "CAP_SYS_TIME"]));
    assert_eq!(shown["CapDrop"], json!(["CAP_MKNOD"]));
    assert_eq!(shown["Privileged"], false);
    assert_eq!(
        shown["SecurityOpt"],
        json!(["no-new-privileges", "apparmor=unconfined"])
    );
    host.minirun("create --name web2 --privileged demo true")
        .succeeds();
    let shown = host.container("web2").inspect();
    assert_eq!(shown["HostConfig"]["Privileged"], true);
    assert_eq!(shown["HostConfig"]["CapAdd"], json!(null));
    assert_eq!(shown["AppArmorProfile"], "unconfined");
    host.removes("web1 web2");
    host.finish();
}

#[test]
fn who_drops_capabilities_of_a_privileged_container_is_told_that_it_has_them_all() {
    let host = TestHost::with_busybox();
    host.minirun("run --rm --privileged=true --cap-drop NET_RAW busybox grep CapEff /proc/self/status")
        .succeeds()
        .stdout_is(&format!("CapEff:\t{}", mask(held())))
        .stderr_is(
            "warning: `--cap-drop` has no effect with `--privileged`, which gives every capability: use `--cap-add` instead",
        );
    host.minirun(
        "run --rm --privileged=false --cap-drop ALL busybox grep CapEff /proc/self/status",
    )
    .succeeds()
    .stdout_is("CapEff:\t0000000000000000");
    host.finish();
}

/// Paths that are hidden or protected are mounts below /proc and /sys.
const COVERED: &str =
    "grep -c -e ' /proc/' -e ' /sys/[^f]' -e ' /sys/firmware' /proc/self/mountinfo";

#[test]
fn nothing_is_hidden_from_a_privileged_container_and_nothing_protected() {
    let host = TestHost::with_busybox();
    host.in_busybox("--privileged", COVERED)
        .fails_with(1)
        .stdout_is("0");
    let script = "hostname other && echo 0 >/proc/sys/net/ipv4/ip_forward && mount -t tmpfs none /tmp && \
        mkdir /sys/fs/cgroup/inner && rmdir /sys/fs/cgroup/inner && \
        grep -e ' /sys ' -e ' /sys/fs/cgroup ' /proc/self/mountinfo | cut -d ' ' -f 6 | cut -d , -f 1";
    host.in_busybox("--privileged", script)
        .succeeds()
        .stdout_is("rw\nrw");
    // Its mounts are its own all the same.
    assert!(
        !host
            .read_file("/proc/thread-self/mountinfo")
            .contains(" /tmp rw - tmpfs none")
    );
    host.finish();
}

#[test]
fn system_paths_can_be_opened_without_any_other_privilege() {
    let host = TestHost::with_busybox();
    host.in_busybox("", &format!("[ $({COVERED}) -gt 5 ]"))
        .succeeds();
    let open = "--security-opt systempaths=unconfined";
    host.in_busybox(open, COVERED).fails_with(1).stdout_is("0");
    host.in_busybox(open, SETS)
        .succeeds()
        .stdout_is(&mask(0xa804_25fb));
    host.in_busybox(open, "echo 1 >/sys/kernel/profiling")
        .fails()
        .stderr_contains("Read-only file system");
    host.finish();
}

#[test]
fn labels_of_selinux_are_refused_with_the_reason() {
    let host = TestHost::with_busybox();
    host.in_busybox("--security-opt label=disable", "true")
        .succeeds();
    host.in_busybox("--security-opt label=type:spc_t", "true")
        .fails_with(125)
        .stderr_contains("minirun gives no SELinux labels");
    host.finish();
}
