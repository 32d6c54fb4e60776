//! One more process in a running container.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd;

use oci_spec::runtime::Process;
use serde_json::{Value, json};

use super::super::*;
use super::fixture::*;

fn exec(target: i32, process: Value) -> Result<(Exit, String), ProcessError> {
    let process: Process = serde_json::from_value(process).expect("a process");
    let plan = ExecPlan::prepare(&process)?;
    let (output, input) = io::pipe().expect("a pipe");
    let nothing = File::open("/dev/null").expect("/dev/null");
    let held = spawn_exec(target, &plan, stdio(&nothing, &input), None)?;
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
    let (exit, text) = exec(container.pid(), process_of(&["sh", "-c", script])).expect("it runs");
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
    let (_, text) = exec(container.pid(), process_of(&["sh", "-c", script])).expect("it runs");
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
    let (_, text) = exec(container.pid(), process).expect("it runs");
    assert_eq!(text, "7\nhello\n/etc");
    end(&container);
}

#[test]
fn missing_and_refused_commands_have_the_same_codes_as_in_a_first_process() {
    let fixture = Fixture::new();
    fs::write(fixture.path("layer/bin/plain"), "no program").expect("a file");
    let (container, _output) = sleeper(&fixture);
    for (command, code) in [("missing", 127), ("plain", 126)] {
        let error = exec(container.pid(), process_of(&[command])).expect_err("it is refused");
        assert_eq!(error.exit_code(), code);
    }
    end(&container);
}

#[test]
fn an_executed_process_ends_with_the_container() {
    let fixture = Fixture::new();
    let (container, _output) = sleeper(&fixture);
    let process = serde_json::from_value(process_of(&["sleep", "1000"])).expect("a process");
    let plan = ExecPlan::prepare(&process).expect("it is prepared");
    let nothing = File::open("/dev/null").expect("/dev/null");
    let (_reader, input) = io::pipe().expect("a pipe");
    let held = spawn_exec(container.pid(), &plan, stdio(&nothing, &input), None).expect("held");
    let executed = held.release().expect("it runs");
    container.signal(libc::SIGKILL).expect("it is killed");
    assert_eq!(executed.wait().expect("it ends"), Exit::Signal(9));
    container.wait().expect("it ends");
}

#[test]
fn an_executed_process_joins_the_cgroup_that_is_given() {
    let fixture = Fixture::new();
    let cgroup = fixture.cgroup();
    let directory = File::open(&cgroup.directory).expect("a cgroup");
    let (container, _output) = sleeper(&fixture);
    let process = serde_json::from_value(process_of(&["true"])).expect("a process");
    let plan = ExecPlan::prepare(&process).expect("it is prepared");
    let nothing = File::open("/dev/null").expect("/dev/null");
    let (_reader, input) = io::pipe().expect("a pipe");
    let stdio = stdio(&nothing, &input);
    let held = spawn_exec(container.pid(), &plan, stdio, Some(directory.as_fd())).expect("held");
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
    match exec(container.pid(), process_of(&["true"])) {
        Err(ProcessError::Enter { .. }) => {}
        other => panic!("{other:?}"),
    }
}
