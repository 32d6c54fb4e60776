//! One more process in a running container.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, FromRawFd, OwnedFd, RawFd};
use std::thread;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use oci_spec::runtime::Process;
use serde_json::{Value, json};

use super::super::*;
use super::fixture::*;

fn exec(container: &RunningProcess, process: Value) -> Result<(Exit, String), ProcessError> {
    let process: Process = serde_json::from_value(process).expect("a process");
    let plan = ExecPlan::prepare(&process, None, None)?;
    let (output, input) = io::pipe().expect("a pipe");
    let nothing = File::open("/dev/null").expect("/dev/null");
    let held = spawn_exec(container.pidfd(), &plan, stdio(&nothing, &input), None)?;
    let process = held.release()?;
    drop(input);
    let text = read_all(output);
    Ok((process.wait()?, text))
}

fn process_of(arguments: &[&str]) -> Value {
    spec_of(arguments)["process"].clone()
}

fn sleeper(fixture: &Fixture) -> (RunningProcess, io::PipeReader) {
    let (process, output) = fixture
        .start(&spec_of(&["sleep", "1000"]))
        .expect("it runs");
    (process, output)
}

fn end(process: &RunningProcess) {
    process.signal(libc::SIGKILL).expect("it is killed");
    process.wait().expect("it ends");
}

#[test]
fn an_executed_process_is_in_the_container_and_its_exit_code_is_exact() {
    let fixture = Fixture::new();
    let (container, _output) = sleeper(&fixture);
    let script =
        "hostname; cat /proc/1/comm; ls /proc/$$/fd; pwd; grep CapEff /proc/self/status; exit 43";
    let (exit, text) = exec(&container, process_of(&["sh", "-c", script])).expect("it runs");
    assert_eq!(exit, Exit::Code(43));
    assert_eq!(
        text,
        "fixture\nsleep\n0\n1\n2\n/\nCapEff:\t00000000a80425fb"
    );
    end(&container);
}

#[test]
fn an_executed_process_has_every_namespace_of_the_container() {
    let fixture = Fixture::new();
    let (container, _output) = sleeper(&fixture);
    let script = "for kind in mnt pid net uts ipc cgroup; do stat -L -c %i /proc/self/ns/$kind /proc/1/ns/$kind; done";
    let (_, text) = exec(&container, process_of(&["sh", "-c", script])).expect("it runs");
    let numbers: Vec<&str> = text.lines().collect();
    assert_eq!(numbers.len(), 12, "{text}");
    for pair in numbers.chunks(2) {
        assert_eq!(pair[0], pair[1]);
    }
    end(&container);
}

#[test]
fn an_executed_process_has_its_own_user_environment_and_directory() {
    let fixture = Fixture::new();
    let (container, _output) = sleeper(&fixture);
    let mut process = process_of(&["sh", "-c", "id -u; echo $GREETING; pwd"]);
    process["user"]["uid"] = 7.into();
    process["env"] = json!(["PATH=/bin", "GREETING=hello"]);
    process["cwd"] = "/etc".into();
    let (_, text) = exec(&container, process).expect("it runs");
    assert_eq!(text, "7\nhello\n/etc");
    end(&container);
}

#[test]
fn missing_and_refused_commands_have_the_same_codes_as_in_a_first_process() {
    let fixture = Fixture::new();
    fs::write(fixture.path("layer/bin/plain"), "no program").expect("a file");
    let (container, _output) = sleeper(&fixture);
    for (command, code) in [("missing", 127), ("plain", 126)] {
        let error = exec(&container, process_of(&[command])).expect_err("it is refused");
        assert_eq!(error.exit_code(), code);
    }
    end(&container);
}

#[test]
fn an_executed_process_that_is_killed_says_by_which_signal() {
    let fixture = Fixture::new();
    let (container, _output) = sleeper(&fixture);
    for signal in [libc::SIGSEGV, 64] {
        let script = format!("kill -{signal} $$");
        let (exit, _) = exec(&container, process_of(&["sh", "-c", &script])).expect("it runs");
        assert_eq!(exit, Exit::Signal(signal));
    }
    end(&container);
}

#[test]
fn a_missing_working_directory_is_named() {
    let fixture = Fixture::new();
    let (container, _output) = sleeper(&fixture);
    for (directory, code) in [("/missing", 127), ("/bin/busybox", 126)] {
        let mut process = process_of(&["true"]);
        process["cwd"] = directory.into();
        let error = exec(&container, process).expect_err("it is refused");
        assert_eq!(error.exit_code(), code);
        assert!(error.to_string().contains(directory), "{error}");
        assert!(error.hint().is_some());
    }
    end(&container);
}

/// A process that sleeps in the container.
fn executed(container: &RunningProcess) -> RunningProcess {
    let process = serde_json::from_value(process_of(&["sleep", "1000"])).expect("a process");
    let plan = ExecPlan::prepare(&process, None, None).expect("it is prepared");
    let nothing = File::open("/dev/null").expect("/dev/null");
    let (_reader, input) = io::pipe().expect("a pipe");
    let held = spawn_exec(container.pidfd(), &plan, stdio(&nothing, &input), None).expect("held");
    held.release().expect("it runs")
}

/// What the kernel says about a process behind such a word.
fn status(pid: i32, word: &str) -> String {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it is there");
    let value = status.lines().find_map(|line| line.strip_prefix(word));
    value.expect("a line").trim().to_owned()
}

/// The parent of a process, by number.
fn parent(process: &RunningProcess) -> i32 {
    let parent = status(process.pid(), "PPid:");
    parent.parse().expect("a number")
}

/// Waits until a process is at rest. The one between closes what it inherited while its child goes on already, and then
/// rests until that ends.
fn await_rest(pid: i32) {
    // Running or ready to run, or in a wait of the kernel's own.
    while status(pid, "State:").starts_with(['R', 'D']) {
        thread::yield_now();
    }
}

/// Waits for a process that is no child of ours, or was reaped.
fn await_end(pid: i32) {
    // SAFETY: pidfd_open takes numbers only.
    let pidfd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    let Ok(pidfd) = Errno::result(pidfd) else {
        return;
    };
    // SAFETY: the kernel has just opened this descriptor for us and nobody else knows of it.
    let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd as RawFd) };
    let mut question = [PollFd::new(pidfd.as_fd(), PollFlags::POLLIN)];
    poll(&mut question, PollTimeout::NONE).expect("it ends");
}

#[test]
fn a_container_ends_though_nobody_waits_for_what_was_executed_in_it() {
    let fixture = Fixture::new();
    let (container, _output) = sleeper(&fixture);
    let executed = executed(&container);
    container.signal(libc::SIGKILL).expect("it is killed");
    container.wait().expect("it ends");
    assert_eq!(executed.wait().expect("it has ended"), Exit::Signal(9));
    executed.wait().expect_err("it was waited for");
}

#[test]
fn an_executed_process_outlives_the_interest_of_its_caller_and_leaves_nothing() {
    let fixture = Fixture::new();
    let (container, _output) = sleeper(&fixture);
    let executed = executed(&container);
    let (pid, between) = (executed.pid(), parent(&executed));
    drop(executed);
    fs::metadata(format!("/proc/{pid}")).expect("it goes on");
    // SAFETY: the process was executed by this test and is not reaped before it is killed, so the number is its own.
    unsafe { libc::kill(pid, libc::SIGKILL) };
    await_end(between);
    fs::metadata(format!("/proc/{pid}")).expect_err("it was reaped");
    end(&container);
}

#[test]
fn an_executed_process_dies_with_the_one_between() {
    let fixture = Fixture::new();
    let (container, _output) = sleeper(&fixture);
    let executed = executed(&container);
    // SAFETY: the process between is a child of ours that was not reaped yet, so the number is its own.
    unsafe { libc::kill(parent(&executed), libc::SIGKILL) };
    assert_eq!(executed.wait().expect("it ends"), Exit::Signal(9));
    end(&container);
}

#[test]
fn the_process_between_keeps_nothing_of_the_caller_or_the_container_open() {
    let fixture = Fixture::new();
    let (container, _output) = sleeper(&fixture);
    let executed = executed(&container);
    let between = parent(&executed);
    await_rest(between);
    let names = fs::read_dir(format!("/proc/{between}/fd")).expect("a list");
    let targets: Vec<String> = names
        .map(|name| fs::read_link(name.expect("a name").path()).expect("a link"))
        .map(|target| target.to_string_lossy().into_owned())
        .collect();
    assert_eq!(targets.len(), 2, "{targets:?}");
    assert!(
        targets.iter().any(|target| target.contains("pidfd")),
        "{targets:?}"
    );
    assert!(
        targets.iter().any(|target| target.starts_with("socket:")),
        "{targets:?}"
    );
    let network = |pid: i32| fs::read_link(format!("/proc/{pid}/ns/net")).expect("a link");
    assert_ne!(network(between), network(container.pid()));
    assert_eq!(network(executed.pid()), network(container.pid()));
    end(&container);
}

#[test]
fn an_executed_process_joins_the_cgroup_that_is_given() {
    let fixture = Fixture::new();
    let cgroup = fixture.cgroup();
    let directory = File::open(&cgroup.directory).expect("a cgroup");
    let (container, _output) = sleeper(&fixture);
    let process = serde_json::from_value(process_of(&["true"])).expect("a process");
    let plan = ExecPlan::prepare(&process, None, None).expect("it is prepared");
    let nothing = File::open("/dev/null").expect("/dev/null");
    let (_reader, input) = io::pipe().expect("a pipe");
    let stdio = stdio(&nothing, &input);
    let held = spawn_exec(container.pidfd(), &plan, stdio, Some(directory.as_fd())).expect("held");
    let members = fs::read_to_string(cgroup.directory.join("cgroup.procs")).expect("a list");
    assert!(
        members
            .lines()
            .any(|member| member == held.pid().to_string())
    );
    drop(held);
    end(&container);
}

#[test]
fn a_container_that_is_gone_cannot_be_entered() {
    let fixture = Fixture::new();
    let (container, _output) = sleeper(&fixture);
    end(&container);
    match exec(&container, process_of(&["true"])) {
        Err(ProcessError::Enter { .. }) => {}
        other => panic!("{other:?}"),
    }
}
