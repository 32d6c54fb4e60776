//! How processes begin and end.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::thread;

use nix::errno::Errno;

use super::super::*;
use super::fixture::*;

#[test]
fn a_program_runs_and_its_exit_code_comes_back() {
    let fixture = Fixture::new();
    let (exit, _) = fixture.run(&spec_of(&["true"])).expect("it runs");
    assert_eq!(exit, Exit::Code(0));
    let fixture = Fixture::new();
    let (exit, _) = fixture.run(&spec_of_script("exit 42")).expect("it runs");
    assert_eq!((exit, exit.exit_code()), (Exit::Code(42), 42));
}

#[test]
fn a_killed_program_ends_with_its_signal() {
    let fixture = Fixture::new();
    let (process, _output) = fixture
        .start(&spec_of(&["sleep", "1000"]))
        .expect("it runs");
    process.signal(libc::SIGKILL).expect("it is killed");
    let exit = process.wait().expect("it ends");
    assert_eq!((exit, exit.exit_code()), (Exit::Signal(9), 137));
}

#[test]
fn a_command_that_is_nowhere_gives_127() {
    for command in ["missing", "/bin/missing", "/etc/missing/sh", ""] {
        let fixture = Fixture::new();
        let error = fixture
            .run(&spec_of(&[command]))
            .expect_err("it is missing");
        assert!(
            matches!(error, ProcessError::CommandNotFound { .. }),
            "{error}"
        );
        assert_eq!(error.exit_code(), 127);
        assert!(error.hint().is_some());
    }
}

#[test]
fn a_command_that_the_kernel_refuses_gives_126() {
    let fixture = Fixture::new();
    fs::write(fixture.path("layer/bin/plain"), "no program").expect("a file");
    let broken = fixture.path("layer/bin/broken");
    fs::write(&broken, "no program").expect("a file");
    fs::set_permissions(&broken, fs::Permissions::from_mode(0o755)).expect("a mode");
    for (command, reason) in [
        ("plain", Errno::EACCES),
        ("/etc", Errno::EACCES),
        ("broken", Errno::ENOEXEC),
    ] {
        let error = fixture
            .run(&spec_of(&[command]))
            .expect_err("it is refused");
        assert_eq!(error.exit_code(), 126);
        match error {
            ProcessError::CommandNotExecutable { errno, .. } => assert_eq!(errno, reason),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn a_container_dies_with_the_thread_that_spawned_it() {
    for uid in [0, 1000] {
        let spawner = thread::spawn(move || {
            let fixture = Fixture::new();
            let mut spec = spec_of(&["sleep", "1000"]);
            spec["process"]["user"]["uid"] = uid.into();
            fixture.start(&spec).expect("it runs")
        });
        let (process, _output) = spawner.join().expect("the thread ends");
        assert_eq!(process.wait().expect("it ends"), Exit::Signal(9));
    }
}

#[test]
fn a_process_notes_when_each_step_was_done_if_it_is_asked_to() {
    let fixture = Fixture::new();
    let plan = fixture.plan(&spec_of(&["true"])).expect("a plan");
    assert!(plan.done_before_gate().all(|(_, age)| age.is_none()));
    let plan = plan.timed().expect("there is memory");
    let (mut held, _output) = fixture.spawn_plan(&plan).expect("it is spawned");
    held.wait_root_ready().expect("its root is ready");
    let ages: Vec<_> = plan.done_before_gate().filter_map(|(_, age)| age).collect();
    assert_eq!(ages.len(), plan.steps_before_gate().len());
    assert!(plan.done_after_gate().all(|(_, age)| age.is_none()));
}

#[test]
fn a_held_process_that_is_dropped_is_gone() {
    let fixture = Fixture::new();
    let (mut held, output) = fixture.spawn(&spec_of(&["true"])).expect("it is spawned");
    held.wait_root_ready().expect("its root is ready");
    held.wait_root_ready().expect("and stays ready");
    let pid = held.pid();
    drop(held);
    assert_eq!(read_all(output), "");
    // SAFETY: signal 0 only asks whether the process is there.
    let result = Errno::result(unsafe { libc::kill(pid, 0) });
    assert_eq!(result, Err(Errno::ESRCH));
}

#[test]
fn a_process_that_is_killed_before_its_program_says_so() {
    let fixture = Fixture::new();
    let (mut held, _output) = fixture.spawn(&spec_of(&["true"])).expect("it is spawned");
    // SAFETY: the process is our child and not reaped yet, so the number is its own.
    unsafe { libc::kill(held.pid(), libc::SIGKILL) };
    // It may have come as far as its gate; then the release finds a program that was killed.
    let exit = match held.wait_root_ready() {
        Ok(()) => held.release().and_then(|process| process.wait()),
        Err(ProcessError::Died { exit }) => Ok(exit),
        Err(other) => Err(other),
    };
    assert_eq!(exit.expect("it ends"), Exit::Signal(9));
}

#[test]
fn the_network_namespace_of_a_held_process_is_not_ours() {
    use std::os::unix::fs::MetadataExt;
    let fixture = Fixture::new();
    let (held, _output) = fixture.spawn(&spec_of(&["true"])).expect("it is spawned");
    let namespace = held.network_namespace().expect("it opens");
    let theirs = fs::File::from(namespace).metadata().expect("its number");
    let ours = fs::metadata("/proc/thread-self/ns/net").expect("its number");
    assert_ne!(theirs.ino(), ours.ino());
}

#[test]
fn a_program_starts_with_default_signals_whatever_the_parent_ignores() {
    let fixture = Fixture::new();
    let command = spec_of(&["grep", "-E", "Sig(Blk|Ign)", "/proc/self/status"]);
    let (_, text) = fixture.run(&command).expect("it runs");
    assert_eq!(text, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000");
}

#[test]
fn a_working_directory_that_is_none_is_named() {
    let fixture = Fixture::new();
    let mut spec = spec_of(&["true"]);
    spec["process"]["cwd"] = "/bin/busybox".into();
    let error = fixture.run(&spec).expect_err("it is no directory");
    assert_eq!(
        error.to_string(),
        "cannot start in the working directory `/bin/busybox`: Not a directory"
    );
    assert_eq!(error.exit_code(), 126);
    let fixture = Fixture::new();
    spec["process"]["cwd"] = "/bin/busybox/below".into();
    let error = fixture.run(&spec).expect_err("it cannot be made");
    assert_eq!(error.exit_code(), 126);
    assert!(
        error.to_string().contains("`/bin/busybox/below`"),
        "{error}"
    );
}
