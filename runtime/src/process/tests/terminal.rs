//! A process with a terminal of its container.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;

use serde_json::{Value, json};

use super::super::*;
use super::fixture::*;

fn with_terminal(script: &str) -> Value {
    let mut spec = spec_of_script(script);
    spec["process"]["terminal"] = true.into();
    spec["process"]["consoleSize"] = json!({ "height": 31, "width": 101 });
    spec
}

/// What a process shows on its terminal until it ends.
fn shown(mut held: HeldProcess) -> (Exit, String) {
    held.wait_root_ready().expect("the root is made");
    let master = held.take_terminal().expect("it has a terminal");
    assert!(held.take_terminal().is_none());
    let process = held.release().expect("it runs");
    (process.wait().expect("it ends"), read_rest(master))
}

/// The terminal hangs up when its last process has ended.
fn read_rest(master: OwnedFd) -> String {
    let mut shown = Vec::new();
    let error = File::from(master).read_to_end(&mut shown);
    let error = error.expect_err("a terminal has no end of file");
    assert_eq!(error.raw_os_error(), Some(libc::EIO));
    String::from_utf8(shown).expect("it is text")
}

#[test]
fn the_first_process_has_its_standard_streams_its_session_and_the_console_there() {
    let fixture = Fixture::new();
    let script = "stat -c %t:%T /dev/console; echo out; echo err >&2; echo tty >/dev/tty; \
        ls -1 /proc/$$/fd; exit 3";
    let (held, _output) = fixture.spawn(&with_terminal(script)).expect("spawned");
    let (exit, shown) = shown(held);
    assert_eq!(exit, Exit::Code(3));
    assert_eq!(shown, "88:0\r\nout\r\nerr\r\ntty\r\n0\r\n1\r\n2\r\n");
}

#[test]
fn what_is_written_to_the_other_end_is_typed() {
    let fixture = Fixture::new();
    let (mut held, _output) = fixture.spawn(&with_terminal("exec cat")).expect("spawned");
    held.wait_root_ready().expect("the root is made");
    let master = held.take_terminal().expect("it has a terminal");
    let process = held.release().expect("it runs");
    let mut typed = File::from(master.try_clone().expect("a copy"));
    typed.write_all(b"hi\n\x04").expect("somebody reads");
    assert_eq!(process.wait().expect("it ends"), Exit::Code(0));
    assert_eq!(read_rest(master), "hi\r\nhi\r\n");
}

#[test]
fn without_a_file_system_of_terminals_there_is_none() {
    let fixture = Fixture::new();
    let mut spec = with_terminal("true");
    let mounts = spec["mounts"].as_array_mut().expect("a list");
    mounts.retain(|mount| mount["destination"] != "/dev/pts");
    let (mut held, _output) = fixture.spawn(&spec).expect("spawned");
    let error = held.wait_root_ready().expect_err("no terminal");
    assert!(matches!(error, ProcessError::Terminal { .. }), "{error}");
    assert!(error.hint().is_some());
}
