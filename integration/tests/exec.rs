//! `exec`: one more program in a container that runs.

use minirun_integration::TestHost;
use nix::sys::signal::Signal;

fn host_with_sleeper() -> TestHost {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    host.minirun("run -d --name web1 -e A=container -w /tmp busybox sleep 1000")
        .succeeds();
    host
}

#[test]
fn the_program_is_in_the_namespaces_of_the_container() {
    let host = host_with_sleeper();
    let script = "for kind in mnt pid uts ipc net cgroup; do \
        test \"$(readlink /proc/self/ns/$kind)\" = \"$(readlink /proc/1/ns/$kind)\" || echo $kind; done";
    host.minirun(["exec", "web1", "sh", "-c", script])
        .succeeds()
        .stdout_is("");
    host.minirun("exec web1 cat /proc/1/cmdline")
        .succeeds()
        .stdout_is("sleep\x001000\x00");
    host.removes("web1");
    host.finish();
}

#[test]
fn it_is_confined_as_the_container_is() {
    let host = host_with_sleeper();
    host.minirun("exec web1 grep -h -e CapEff -e CapBnd /proc/self/status")
        .succeeds()
        .stdout_is("CapEff:\t00000000a80425fb\nCapBnd:\t00000000a80425fb");
    host.minirun("exec web1 ls /proc/self/fd")
        .succeeds()
        .stdout_is("0\n1\n2\n3");
    host.minirun("exec web1 cat /proc/self/cgroup")
        .succeeds()
        .stdout_has_line("0::/");
    host.removes("web1");
    host.finish();
}

#[test]
fn environment_directory_and_user_are_the_containers_unless_others_are_given() {
    let host = host_with_sleeper();
    let script = "echo $A $B; pwd; id -u";
    host.minirun(["exec", "web1", "sh", "-c", script])
        .succeeds()
        .stdout_is("container\n/tmp\n0");
    host.minirun([
        "exec", "-e", "A=exec", "-e", "B=too", "-w", "/etc", "-u", "alice", "web1", "sh", "-c",
        script,
    ])
    .succeeds()
    .stdout_is("exec too\n/etc\n1000");
    host.removes("web1");
    host.finish();
}

#[test]
fn input_is_passed_on_only_when_asked_for() {
    let host = host_with_sleeper();
    for (options, expected) in [("-i", "hi"), ("", "")] {
        host.place()
            .program("minirun", format!("exec {options} web1 cat"))
            .input("hi\n")
            .run()
            .succeeds()
            .stdout_is(expected);
    }
    host.removes("web1");
    host.finish();
}

#[test]
fn the_exit_code_is_the_programs_or_126_or_127() {
    let host = host_with_sleeper();
    host.minirun(["exec", "web1", "sh", "-c", "exit 42"])
        .fails_with(42);
    host.minirun(["exec", "web1", "sh", "-c", "kill -9 $$"])
        .fails_with(137);
    host.minirun("exec web1 nosuch")
        .fails_with(127)
        .stderr_contains("`nosuch`");
    host.minirun("exec web1 /etc/passwd")
        .fails_with(126)
        .stderr_contains("`/etc/passwd`");
    host.removes("web1");
    host.finish();
}

#[test]
fn a_container_that_does_not_run_is_refused() {
    let host = TestHost::create();
    host.minirun("create --name web1 demo true").succeeds();
    let refused = host.minirun("exec web1 true").fails();
    refused
        .stderr_contains("error: container `web1` is not running")
        .stderr_contains("hint: start it: `minirun start web1`");
    host.removes("web1");
    host.finish();
}

#[test]
fn outputs_are_kept_apart_and_not_logged() {
    let host = host_with_sleeper();
    host.minirun(["exec", "web1", "sh", "-c", "echo out; echo err >&2"])
        .succeeds()
        .stdout_is("out")
        .stderr_is("err");
    host.minirun("logs web1")
        .succeeds()
        .stdout_is("")
        .stderr_is("");
    host.removes("web1");
    host.finish();
}

#[test]
fn an_interrupt_ends_the_program_and_not_the_container() {
    let host = host_with_sleeper();
    let script = "trap 'exit 6' INT; echo ready; while :; do sleep 1000 & wait $!; done";
    let mut running = host.spawn_minirun(["exec", "web1", "sh", "-c", script]);
    running.read_until("ready\n");
    running.signal(Signal::SIGINT);
    running.finish().fails_with(6);
    assert_eq!(host.container("web1").status(), "running");
    host.removes("web1");
    host.finish();
}

#[test]
fn a_detached_program_goes_on_by_itself() {
    let host = host_with_sleeper();
    host.minirun([
        "exec",
        "-d",
        "web1",
        "sh",
        "-c",
        "echo done >/tmp/new; mv /tmp/new /tmp/result",
    ])
    .succeeds()
    .stdout_is("");
    let script = "while [ ! -e /tmp/result ]; do :; done; cat /tmp/result";
    host.minirun(["exec", "web1", "sh", "-c", script])
        .succeeds()
        .stdout_is("done");
    host.removes("web1");
    host.finish();
}

#[test]
fn programs_end_with_their_container() {
    let host = host_with_sleeper();
    let mut running = host.spawn_minirun(["exec", "web1", "sh", "-c", "echo ready; sleep 1000"]);
    running.read_until("ready\n");
    host.minirun("kill web1").succeeds();
    running.finish().fails_with(137);
    host.removes("web1");
    host.finish();
}
