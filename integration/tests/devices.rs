//! Devices: which a container has, and that it can use no others, whatever nodes it makes.

use std::fs;
use std::os::unix::fs::symlink;

use minirun_integration::health::ONCE;
use minirun_integration::{ControlGroups, DockerEngine, TestHost};
use serde_json::json;

/// A device that no container has unless it is given: what makes loop devices.
const CONTROL: &str = "/dev/loop-control";

/// Its numbers.
const CONTROL_NUMBERS: &str = "10 237";

/// Runs the scenario on a host of each kind that the machine can show: with the filter of version 2, alone and beside version 1,
/// and with the controller of version 1.
fn on_every_host(scenario: impl Fn(&TestHost)) {
    for kind in [
        ControlGroups::Unified,
        ControlGroups::WithControllers,
        ControlGroups::Old,
    ] {
        if kind.are_there() {
            let host = TestHost::with(kind);
            host.imports_busybox(&[]);
            scenario(&host);
            host.finish();
        }
    }
}

/// A line of shell that says in which ways a file can be opened.
fn ways(path: &str) -> String {
    format!(
        "set --; for how in '<' '>>' '<>'; do (eval \": $how {path}\") 2>/dev/null && set -- $* $how; done; echo $*"
    )
}

#[test]
fn the_usual_devices_work_and_nodes_of_them_anywhere() {
    on_every_host(|host| {
        let script = "echo x >/dev/null && head -c 3 /dev/zero | wc -c && head -c 4 /dev/urandom | wc -c && \
            mknod /tmp/null c 1 3 && echo x >/tmp/null && mknod /dev/mine c 1 5 && head -c 2 /dev/mine | wc -c && \
            mknod /data/zero c 1 5 && head -c 1 /data/zero | wc -c";
        host.in_busybox("-v db:/data", script)
            .succeeds()
            .stdout_is("3\n4\n2\n1");
        host.minirun("volume rm db").succeeds();
    });
}

#[test]
fn a_node_of_another_device_can_be_made_and_not_be_opened() {
    let places = ["/node", "/dev/node", "/data/node", "/bound/node"];
    let refusals: String = places
        .map(|place| format!("cat: can't open '{place}': Operation not permitted\n"))
        .concat();
    on_every_host(|host| {
        // Disks, memory, ports, the kernel's log, and what makes loop devices.
        for numbers in [
            "b 7 0", "b 254 0", "b 8 0", "c 1 1", "c 1 4", "c 1 11", "c 10 237",
        ] {
            let script = format!(
                "for place in {}; do mknod $place {numbers} && cat $place; rm $place; done",
                places.join(" ")
            );
            host.in_busybox("-v db:/data -v /var/lib/bound:/bound", &script)
                .stderr_is(refusals.trim_end());
        }
        host.minirun("volume rm db").succeeds();
    });
}

#[test]
fn a_device_can_be_used_as_far_as_it_is_given() {
    on_every_host(|host| {
        for (access, ways_open) in [
            ("", "< >> <>"),
            (":rwm", "< >> <>"),
            (":r", "<"),
            (":w", ">>"),
            (":rw", "< >> <>"),
            (":m", ""),
        ] {
            host.in_busybox(&format!("--device {CONTROL}{access}"), &ways(CONTROL))
                .succeeds()
                .stdout_is(ways_open);
        }
        host.in_busybox(
            &format!("--device {CONTROL}:/opt/its/control:r"),
            &ways("/opt/its/control"),
        )
        .succeeds()
        .stdout_is("<");
        host.in_busybox(
            &format!("--device {CONTROL}:r"),
            &format!("echo x >{CONTROL}"),
        )
        .fails()
        .stderr_contains("Operation not permitted");
        host.in_busybox(
            "--device /dev/loop0",
            "stat -c '%F %t:%T' /dev/loop0; head -c 0 /dev/loop0",
        )
        .succeeds()
        .stdout_is("block special file 7:0");
    });
}

#[test]
fn a_rule_permits_devices_by_their_numbers() {
    on_every_host(|host| {
        let script = format!("mknod /node c {CONTROL_NUMBERS}; {}", ways("/node"));
        for (rules, ways_open) in [
            (&["c 10:237 rwm"][..], "< >> <>"),
            (&["c 10:* r"], "<"),
            (&["c *:* w"], ">>"),
            (&["a 10:237 rw"], "< >> <>"),
            (&["c 10:237 r", "c 10:237 w"], "< >> <>"),
            (&["b 10:237 rw", "c 10:236 rw", "c 11:237 rw"], ""),
        ] {
            let mut words = vec!["run", "--rm"];
            for rule in rules {
                words.extend(["--device-cgroup-rule", rule]);
            }
            words.extend(["busybox", "sh", "-c", &script]);
            host.minirun(words.as_slice())
                .succeeds()
                .stdout_is(ways_open);
        }
    });
}

#[test]
fn what_is_executed_in_a_container_has_its_devices_and_no_others() {
    on_every_host(|host| {
        host.runs_script("plain", "", "sleep 1000");
        host.runs_script("given", "--device /dev/loop-control:r", "sleep 1000");
        for (name, ways_open) in [("plain", ""), ("given", "<")] {
            let script = format!("mknod /node c {CONTROL_NUMBERS} && {}", ways("/node"));
            host.minirun(["exec", name, "sh", "-c", &script])
                .succeeds()
                .stdout_is(ways_open);
        }
        let check = format!("mknod /checked c {CONTROL_NUMBERS}; cat /checked");
        let checked = host.checks("checked", (ONCE, &check));
        let (code, output) = checked.only_health_result();
        assert_eq!(code, 1);
        assert_eq!(
            output,
            "cat: can't open '/checked': Operation not permitted\n"
        );
        host.removes("plain given checked");
    });
}

#[test]
fn a_directory_gives_all_its_devices_with_their_owners_and_modes() {
    on_every_host(|host| {
        host.command("mkdir", "-p /run/many/sub").succeeds();
        host.command("mknod", "-m 640 /run/many/zero c 1 5")
            .succeeds();
        host.command("chown", "7:8 /run/many/zero").succeeds();
        host.command(
            "mknod",
            format!("-m 604 /run/many/sub/control c {CONTROL_NUMBERS}"),
        )
        .succeeds();
        host.write_file("/run/many/file", "no device");
        host.inside(|| symlink("/run/many", "/run/link")).unwrap();
        host.in_busybox(
            "--device /run/link:/dev/some:r",
            "cd /dev/some; stat -c '%n %t:%T %a %u:%g' zero sub/control; ls",
        )
        .succeeds()
        .stdout_is("zero 1:5 640 7:8\nsub/control a:ed 604 0:0\nsub\nzero");
        host.in_busybox("--device /run/link:r", &ways("/run/link/sub/control"))
            .succeeds()
            .stdout_is("<");
    });
}

#[test]
fn a_device_that_is_bound_can_be_used_if_it_is_permitted() {
    on_every_host(|host| {
        let bound = format!("-v {CONTROL}:/x");
        host.in_busybox(&bound, &ways("/x"))
            .succeeds()
            .stdout_is("");
        host.in_busybox(&format!("{bound} --device {CONTROL}:r"), &ways("/x"))
            .succeeds()
            .stdout_is("<");
        host.in_busybox(
            "-v /dev:/dev",
            &format!("echo x >/dev/null; {}", ways(CONTROL)),
        )
        .succeeds()
        .stdout_is("");
        host.in_busybox("--tmpfs /t", "mknod /t/zero c 1 5; cat /t/zero")
            .fails()
            .stderr_contains("Permission denied");
    });
}

#[test]
fn devices_that_cannot_be_had_are_refused_before_anything_is_made() {
    let host = TestHost::create();
    host.write_file("/run/some/file", "");
    host.command("mkdir", "/run/some/empty").succeeds();
    for (option, message) in [
        (
            "--device /dev/nosuch",
            "error: cannot give the device `/dev/nosuch`: it does not exist on this host\nhint: `ls -l /dev` shows what there is; a driver may have to be loaded first (`modprobe`)",
        ),
        (
            "--device /run/some/file",
            "error: cannot give `/run/some/file`: it is neither a device nor a directory of devices\nhint: other files are shown with `-v /run/some/file:DESTINATION`",
        ),
        (
            "--device /run/some/empty",
            "error: cannot give the devices in `/run/some/empty`: there is none",
        ),
    ] {
        host.minirun(format!("create {option} demo true"))
            .fails_with(125)
            .stderr_is(message);
    }
    host.minirun("create --device loop0 demo true")
        .fails_with(125)
        .stderr_contains("invalid device path `loop0`: write an absolute one");
    host.minirun(["create", "--device-cgroup-rule", "c 1:3", "demo", "true"])
        .fails_with(125)
        .stderr_contains("invalid device rule `c 1:3`");
    host.minirun("create --gpus all demo true")
        .fails_with(125)
        .stderr_contains("leave out `--gpus`");
    host.minirun("ps -aq").succeeds().stdout_is("");
    host.finish();
}

#[test]
fn a_device_that_is_gone_is_missed_at_the_start() {
    let host = TestHost::create();
    host.command("mknod", "/run/zero c 1 5").succeeds();
    host.minirun("create --name web --device /run/zero demo true")
        .succeeds();
    host.inside(|| fs::remove_file("/run/zero")).unwrap();
    host.minirun("start web")
        .fails()
        .stderr_contains("cannot give the device `/run/zero`: it does not exist on this host");
    host.command("mknod", "/run/zero c 1 5").succeeds();
    host.minirun("start -a web").succeeds();
    host.removes("web");
    host.finish();
}

#[test]
fn without_a_control_group_for_devices_none_is_given_and_no_node_works() {
    if !ControlGroups::Old.are_there() {
        return;
    }
    let host = TestHost::with(ControlGroups::Old);
    host.imports_busybox(&[]);
    host.command("umount", "/sys/fs/cgroup/devices").succeeds();
    for (option, word) in [
        (["--device", CONTROL], "--device"),
        (["--device-cgroup-rule", "c 1:* r"], "--device-cgroup-rule"),
    ] {
        let words = [&["run", "--rm"], &option[..], &["busybox", "true"]].concat();
        host.minirun(words.as_slice())
            .fails_with(125)
            .stderr_contains(&format!("`{word}` cannot be kept"))
            .stderr_contains(&format!("leave out `{word}`"));
    }
    for place in ["/zero", "/dev/mine", "/data/zero"] {
        let script = format!("mknod {place} c 1 5; cat {place}");
        host.in_busybox("-v db:/data", &script)
            .fails()
            .stderr_is(&format!("cat: can't open '{place}': Permission denied"));
        host.in_busybox("-v db:/data", &format!("rm -f {place}"))
            .succeeds();
    }
    host.in_busybox(
        "-v /dev/zero:/x",
        "echo x >/dev/null && head -c 3 /x | wc -c",
    )
    .succeeds()
    .stdout_is("3");
    host.command("mkdir", "/run/shared").succeeds();
    host.command("mount", "-t tmpfs tmpfs /run/shared")
        .succeeds();
    host.command("mount", "--make-rshared /run/shared")
        .succeeds();
    host.runs_script("slave", "-v /run/shared:/data:rslave", "sleep 1000");
    host.minirun("exec slave mknod /data/null c 1 3")
        .fails()
        .stderr_contains("Operation not permitted");
    host.removes("slave");
    host.minirun("volume rm db").succeeds();
    host.finish();
}

#[test]
fn a_privileged_container_has_all_devices_of_the_host() {
    on_every_host(|host| {
        let script = format!(
            "{}; mknod /node c {CONTROL_NUMBERS}; {}",
            ways(CONTROL),
            ways("/node")
        );
        host.in_busybox("--privileged", &script)
            .succeeds()
            .stdout_is("< >> <>\n< >> <>");
        let list = "cd /dev; find . -type c -o -type b | grep -v -e ^./pts -e ^./console -e ^./ptmx | sort";
        let inside = host.in_busybox("--privileged", list).succeeds();
        let outside = host.command("sh", ["-c", list]).succeeds();
        assert_eq!(inside.stdout(), outside.stdout());
        host.in_busybox("--privileged", "readlink /dev/ptmx; ls /dev/pts")
            .succeeds()
            .stdout_is("pts/ptmx\nptmx");
    });
}

#[test]
fn a_container_shows_the_devices_it_was_given_by_dockers_names() {
    let host = TestHost::create();
    host.idles("plain", "");
    host.minirun([
        "run",
        "-d",
        "--name",
        "given",
        "--device",
        CONTROL,
        "--device",
        "/dev/loop0:/dev/disk:r",
        "--device-cgroup-rule",
        "c 1:* rmw",
        "demo",
        "sleep",
        "infinity",
    ])
    .succeeds();
    let part = |name: &str, key: &str| host.container(name).inspect()["HostConfig"][key].take();
    assert_eq!(part("plain", "Devices"), json!([]));
    assert_eq!(part("plain", "DeviceCgroupRules"), json!(null));
    assert_eq!(
        part("given", "Devices"),
        json!([
            {"PathOnHost": CONTROL, "PathInContainer": CONTROL, "CgroupPermissions": "rwm"},
            {"PathOnHost": "/dev/loop0", "PathInContainer": "/dev/disk", "CgroupPermissions": "r"},
        ])
    );
    assert_eq!(part("given", "DeviceCgroupRules"), json!(["c 1:* rwm"]));
    host.removes("plain given");
    host.finish();
}

#[test]
fn the_usual_devices_are_dockers() {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    // Of each kind some that may be used and some that may not, and none that does something when it is opened.
    let numbers = "c:1:1 c:1:3 c:1:4 c:1:5 c:1:7 c:1:8 c:1:9 c:1:11 c:5:0 c:5:1 c:5:2 c:10:183 c:10:200 c:10:229 c:10:235 \
        c:10:237 c:136:0 c:136:99 c:137:0 b:1:3 b:7:0 b:7:1 b:254:0";
    let script = format!(
        "for device in {numbers}; do mknod /dev/node $(echo $device | tr : ' '); \
        (: </dev/node) 2>&1 | grep -q 'not permitted' && echo $device; rm /dev/node; done; true"
    );
    let ours = host.in_busybox("", &script).succeeds();
    let engine = DockerEngine::start(&host);
    let theirs = engine
        .docker([
            "run",
            "--rm",
            "--network",
            "none",
            "busybox",
            "sh",
            "-c",
            &script,
        ])
        .succeeds();
    assert_eq!(ours.stdout(), theirs.stdout());
    ours.stdout_has_line("c:10:237").stdout_has_line("b:7:0");
    engine
        .docker("run -d --name plain --network none busybox sleep 1000")
        .succeeds();
    let part = |key: &str| {
        let template = format!("{{{{json .HostConfig.{key}}}}}");
        let shown = engine.docker(["inspect", "-f", &template, "plain"]);
        shown.succeeds().line().to_owned()
    };
    assert_eq!(part("Devices"), "[]");
    assert_eq!(part("DeviceCgroupRules"), "null");
    engine.docker("rm -f plain").succeeds();
    engine.stop();
    host.finish();
}
