//! What a plan says, without doing it.

use std::path::Path;

use minirun_netns::explain::Explain;
use serde_json::{Value, json};

use super::super::*;
use super::fixture::*;
use crate::capabilities::CapabilityMask;
use crate::seccomp::default_filter::default_filter;

fn root() -> OverlayRoot {
    OverlayRoot {
        layers: vec!["/images/top".into(), "/images/base".into()],
        upper: "/c/upper".into(),
        work: "/c/work".into(),
        merged: "/c/merged".into(),
    }
}

fn prepare(spec: Value) -> Result<InitPlan, ProcessError> {
    InitPlan::prepare(
        (&serde_json::from_value(spec).expect("a Spec"), None),
        &root(),
        (FirstProcess::Program, NewInterfaces::AsUsual),
        Path::new("/nowhere"),
    )
}

fn full_spec() -> Value {
    let mut spec = spec_of(&["sh", "-c", "echo $HOME"]);
    spec["root"]["readonly"] = true.into();
    spec["process"]["noNewPrivileges"] = true.into();
    spec["process"]["user"] = json!({ "uid": 7, "gid": 8, "additionalGids": [9] });
    spec["linux"]["sysctl"] = json!({ "net.ipv4.ping_group_range": "0 1" });
    add_mount(
        &mut spec,
        bind("/c/hosts".as_ref(), "/etc/hosts", &["rbind", "ro"]),
    );
    spec
}

#[test]
fn every_step_says_what_it_does() {
    let plan = prepare(full_spec()).expect("it is prepared");
    for step in plan.steps() {
        assert!(!step.explain().sentence.is_empty(), "{step:?}");
    }
    let commands: Vec<String> = plan
        .steps()
        .iter()
        .map(|step| step.explain().command)
        .collect();
    for expected in [
        "mount --make-rslave /",
        "mount -t overlay -o nodev,lowerdir=/images/top:/images/base,upperdir=/c/upper,workdir=/c/work,redirect_dir=off,metacopy=off,index=off overlay /c/merged",
        "cd /c/merged",
        "mkdir -p proc && mount -t proc -o nosuid,noexec,nodev proc proc",
        "mkdir -p sys/fs/cgroup && mount -t cgroup2 -o ro,nosuid,noexec,nodev cgroup sys/fs/cgroup",
        "mount --rbind /c/hosts etc/hosts && mount -o remount,bind,ro etc/hosts",
        "mknod -m 666 dev/null c 1 3",
        "mount --bind dev/null dev/null && mount -o remount,bind,dev dev/null",
        "ln -s pts/ptmx dev/ptmx",
        "pivot_root . . && umount -l . && cd /",
        "mount -o remount,bind,ro /",
        "hostname fixture",
        "echo '0 1' > /proc/sys/net/ipv4/ping_group_range",
        "setpriv --reuid 7 --regid 8 --groups 9",
        "setpriv --no-new-privs",
        "exec sh -c 'echo $HOME'",
    ] {
        assert!(
            commands.iter().any(|command| command == expected),
            "{expected}\n{commands:#?}"
        );
    }
    let bounding = commands
        .iter()
        .find(|command| command.contains("--bounding-set"));
    let names = "+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid,+setpcap,+net_bind_service,+net_raw,+sys_chroot,+mknod,+audit_write,+setfcap";
    assert_eq!(
        bounding,
        Some(&format!("setpriv --bounding-set -all,{names}"))
    );
}

/// The commands of a plan that begin with this word.
fn commands_with(spec: Value, word: &str) -> Vec<String> {
    let plan = prepare(spec).expect("it is prepared");
    let commands = plan.steps().iter().map(|step| step.explain().command);
    commands
        .filter(|command| command.starts_with(word))
        .collect()
}

/// A node there would be one of the host.
#[test]
fn nothing_is_made_in_a_dev_of_the_users_own() {
    let mut spec = full_spec();
    spec["mounts"] = json!([bind("/dev".as_ref(), "/dev", &["rbind"])]);
    let device = |path| json!({ "path": path, "type": "c", "major": 1, "minor": 5, "uid": 7 });
    spec["linux"]["devices"] = json!([device("/dev/x"), device("/opt/x")]);
    assert_eq!(
        commands_with(spec, "mknod"),
        ["mknod -m 666 opt/x c 1 5 && chown 7:0 opt/x"]
    );
}

#[test]
fn where_devices_are_listed_mounts_are_open_to_them() {
    let mut spec = full_spec();
    spec["mounts"] = json!([]);
    assert_eq!(commands_with(spec.clone(), "mount --bind dev/").len(), 6);
    spec["linux"]["resources"] = json!({ "devices": [{ "allow": false }] });
    assert_eq!(commands_with(spec.clone(), "mount --bind dev/").len(), 0);
    let overlay = commands_with(spec, "mount -t overlay");
    assert!(
        overlay[0].starts_with("mount -t overlay -o lowerdir="),
        "{overlay:?}"
    );
}

#[test]
fn a_process_without_capabilities_is_not_said_to_have_them_all() {
    let mut spec = full_spec();
    spec["process"]["capabilities"] = json!({ "bounding": CAPABILITIES });
    let plan = prepare(spec).expect("it is prepared");
    let step = plan
        .steps()
        .iter()
        .find(|step| matches!(step, InitStep::SetCapabilities(_)));
    let command = step.expect("a step").explain().command;
    assert_eq!(command, "capsh --caps='='");
}

#[test]
fn the_gate_parts_the_root_from_the_program() {
    let plan = prepare(full_spec()).expect("it is prepared");
    assert!(matches!(
        plan.steps_after_gate().first(),
        Some(InitStep::WaitAtGate)
    ));
    assert!(matches!(
        plan.steps_after_gate().last(),
        Some(InitStep::Execute(_))
    ));
    assert!(
        plan.steps_before_gate()
            .iter()
            .any(|step| matches!(step, InitStep::PivotRoot))
    );
    assert!(
        !plan
            .steps_before_gate()
            .iter()
            .any(|step| matches!(step, InitStep::BecomeUser(_)))
    );
}

/// That takes half a millisecond, in which the network is made.
#[test]
fn the_usual_filter_is_in_force_before_the_gate() {
    let spec = serde_json::from_value(full_spec()).expect("a Spec");
    let filter = default_filter(CapabilityMask::usual().bits());
    let plan = InitPlan::prepare(
        (&spec, filter),
        &root(),
        (FirstProcess::Program, NewInterfaces::AsUsual),
        Path::new("/nowhere"),
    )
    .expect("it is prepared");
    let last = plan.steps_before_gate().last();
    assert!(matches!(last, Some(InitStep::FilterSystemCalls(_))));
    let filters = plan
        .steps()
        .iter()
        .filter(|step| matches!(step, InitStep::FilterSystemCalls(_)));
    assert_eq!(filters.count(), 1);
}

#[test]
fn the_clone_makes_what_the_spec_asks_for() {
    let plan = prepare(full_spec()).expect("it is prepared");
    let six = libc::CLONE_NEWNS
        | libc::CLONE_NEWPID
        | libc::CLONE_NEWUTS
        | libc::CLONE_NEWIPC
        | libc::CLONE_NEWNET
        | libc::CLONE_NEWCGROUP;
    assert_eq!(plan.namespaces, six as u64);
    let command = plan.explain().command;
    assert_eq!(
        command,
        "unshare --fork --mount --pid --uts --ipc --cgroup --net"
    );
}

#[test]
fn a_spec_that_would_touch_the_host_is_refused() {
    let mut spec = spec_of(&["true"]);
    spec["linux"]["namespaces"] = json!([{ "type": "pid" }]);
    assert!(matches!(
        prepare(spec),
        Err(ProcessError::Incomplete { .. })
    ));
    let mut spec = spec_of(&["true"]);
    spec["linux"]["namespaces"] = json!([{ "type": "mount" }, { "type": "user" }]);
    assert!(matches!(
        prepare(spec.clone()),
        Err(ProcessError::Incomplete { .. })
    ));
    spec["linux"]["namespaces"] = json!([{ "type": "mount" }, { "type": "time" }]);
    assert!(matches!(
        prepare(spec),
        Err(ProcessError::UnsupportedNamespace { .. })
    ));
}

#[test]
fn words_that_no_program_can_be_given_are_refused() {
    let nul = prepare(spec_of(&["true", "a\0b"])).expect_err("a NUL byte");
    assert_eq!(
        nul.to_string(),
        "the argument `a\0b` holds a NUL byte; remove it"
    );
    assert!(matches!(
        prepare(spec_of(&[])),
        Err(ProcessError::EmptyCommand)
    ));
    let mut spec = spec_of(&["true"]);
    spec["mounts"][0]["destination"] = "proc".into();
    assert!(matches!(
        prepare(spec),
        Err(ProcessError::RelativePath { .. })
    ));
}

/// With `fs.suid_dumpable=1` the kernel opens a process to the eyes of others when its user changes (CVE-2016-9962).
#[test]
fn a_process_is_hidden_once_more_when_it_has_changed_its_user() {
    let spec = full_spec();
    let process = serde_json::from_value(spec["process"].clone()).expect("a process");
    let first = prepare(spec).expect("it is prepared");
    let executed = ExecPlan::prepare(&process, None, None).expect("it is prepared");
    for steps in [first.steps(), executed.steps()] {
        let last = |wanted: fn(&InitStep) -> bool| steps.iter().rposition(wanted);
        let changed = last(|step| matches!(step, InitStep::SetCapabilities(_)));
        let changed = changed.max(last(|step| matches!(step, InitStep::BecomeUser(_))));
        let hidden = last(|step| matches!(step, InitStep::HideFromOthers));
        assert!(changed.is_some() && hidden > changed, "{steps:?}");
    }
}
