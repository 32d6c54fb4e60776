//! Much output: every byte of it arrives, whoever reads slowly is waited for, and the monitor stays small.

use std::time::Duration;

use minirun_integration::{Finished, Process, TestHost};
use nix::sys::signal::Signal;

/// How much more memory of its own a monitor may have while it is busy, in KiB.
const BUSY_MEMORY: u64 = 512;

/// How much more it may have when it has been busy.
const KEPT_MEMORY: u64 = 64;

/// Makes `/tmp/mixed`, 8 MB of short lines, of long ones and of bytes that are no text.
const MIXED: &str =
    "{ seq 1 100000; seq -s ' ' 1 400000; head -c 4000000 /dev/urandom; } >/tmp/mixed";

/// A host with a shell to run in containers.
fn host() -> TestHost {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    host
}

/// Runs a line of shell on the host.
#[track_caller]
fn shell(host: &TestHost, script: &str) -> Finished {
    host.command("sh", ["-c", script])
}

/// Runs a container `job` whose program writes the mixed file so many times and then tells the checksum of that on standard
/// error; expects that what came out had it.
#[track_caller]
fn mixed_output_arrives(host: &TestHost, options: &str, (times, reader): (u32, &str)) {
    let numbers = format!("for n in $(seq {times}); do cat /tmp/mixed; done");
    let program = format!("{MIXED}; {numbers}; ({numbers}) | md5sum >&2");
    let script = format!(
        "minirun run --name job {options} busybox sh -c \"$0\" 2>/run/expected | {reader} | md5sum; cat /run/expected"
    );
    let shown = host.command("sh", ["-c", &script, &program]).succeeds();
    let sums: Vec<&str> = shown.stdout().lines().collect();
    assert_eq!(sums.len(), 2, "{}", shown.stdout());
    assert_eq!(sums[0], sums[1]);
}

#[test]
fn half_a_gigabyte_comes_through_a_pipe_without_a_log() {
    let host = host();
    mixed_output_arrives(&host, "--log-driver none", (50, "cat"));
    host.removes("job");
    host.finish();
}

#[test]
fn much_output_comes_through_a_pipe_and_is_in_the_log() {
    let host = host();
    mixed_output_arrives(&host, "--log-opt max-size=-1", (4, "cat"));
    // The checksum that went to standard error is that of what went to standard output.
    shell(
        &host,
        "minirun logs job 2>/run/expected | md5sum | cmp - /run/expected",
    )
    .succeeds();
    host.removes("job");
    host.finish();
}

#[test]
fn a_reader_of_small_and_odd_pieces_gets_every_byte() {
    let host = host();
    mixed_output_arrives(&host, "", (2, "dd bs=4097 iflag=fullblock status=none"));
    host.removes("job");
    mixed_output_arrives(&host, "--log-driver none", (2, "dd bs=511 status=none"));
    host.removes("job");
    host.finish();
}

#[test]
fn a_file_a_socket_and_a_device_take_every_byte_too() {
    let host = host();
    let program = format!("{MIXED}; cat /tmp/mixed; md5sum </tmp/mixed >&2");
    let run = "minirun run --rm busybox sh -c \"$0\" 2>/run/expected";
    for script in [
        format!("{run} >/run/out; md5sum </run/out | cmp - /run/expected"),
        format!(
            "echo first >/run/out; {run} >>/run/out; tail -n +2 /run/out | md5sum | cmp - /run/expected"
        ),
        format!("{run} >/dev/null; [ -s /run/expected ]"),
    ] {
        host.command("sh", ["-c", &script, &program]).succeeds();
    }
    host.finish();
}

#[test]
fn both_streams_at_once_arrive_whole() {
    let host = host();
    for options in ["", "--log-driver none"] {
        let program =
            format!("{MIXED}; cat /tmp/mixed /tmp/mixed >&2 & cat /tmp/mixed /tmp/mixed; wait");
        let script = format!(
            "{{ minirun run --name job {options} busybox sh -c \"$0\" 2>&3 | md5sum >/run/out; }} 3>&1 | md5sum; cat /run/out"
        );
        let shown = host.command("sh", ["-c", &script, &program]).succeeds();
        let sums: Vec<&str> = shown.stdout().lines().collect();
        assert_eq!(sums.len(), 2);
        assert_eq!(sums[0], sums[1]);
        host.removes("job");
    }
    host.finish();
}

#[test]
fn a_reader_that_pauses_holds_the_program_back_and_loses_nothing() {
    for options in ["", "--log-driver none"] {
        let host = host();
        let script = format!(
            "mkfifo /run/gate; minirun run --name job {options} busybox sh -c \"$0\" 2>/run/expected | {{ read go </run/gate; md5sum; }}"
        );
        let program = format!(
            "{MIXED}; md5sum </tmp/mixed >&2; mkfifo /tmp/gate; read go </tmp/gate; exec cat /tmp/mixed"
        );
        let running = host
            .place()
            .program("sh", ["-c", &script, &program])
            .spawn();
        shell(
            &host,
            "until minirun exec job test -e /tmp/gate 2>/dev/null; do :; done",
        )
        .succeeds();
        let first = host.container("job").process();
        let before = first.parent().private_memory();
        opens_gate(&host);
        first.awaits_held_back();
        let busy = first.parent().private_memory();
        assert!(busy <= before + BUSY_MEMORY, "{before} KiB became {busy}");
        shell(&host, "echo go >/run/gate").succeeds();
        let sum = running.finish().succeeds();
        assert_eq!(sum.stdout(), host.read_file("/run/expected"));
        host.removes("job");
        host.finish();
    }
}

/// What stands in the way of a program that is held back fits into the pipe of the command that does not read.
#[test]
fn a_reader_that_never_reads_does_not_keep_a_container_from_ending() {
    for options in ["", "--log-driver none"] {
        let host = host();
        let words = format!("run --name job {options} busybox yes");
        let mut running = host.spawn_minirun(words);
        running.read_until("y\n");
        host.container("job").process().awaits_held_back();
        host.minirun("stop -t 0 job").succeeds();
        host.minirun("rm job").succeeds();
        drop(running);
        host.finish();
    }
}

#[test]
fn a_reader_that_goes_away_does_not_stop_the_program() {
    for options in ["--log-opt max-size=-1", "--log-driver none"] {
        let host = host();
        let program =
            format!("{MIXED}; md5sum </tmp/mixed >/tmp/sum; cat /tmp/mixed; echo the end");
        let script = format!(
            "minirun run --name job {options} busybox sh -c \"$0\" | head -c 100000 | wc -c"
        );
        host.command("sh", ["-c", &script, &program])
            .succeeds()
            .stdout_is("100000");
        host.minirun("wait job").succeeds().stdout_is("0");
        if options.contains("max-size") {
            shell(&host, "minirun logs job | tail -n 1")
                .succeeds()
                .stdout_contains("the end");
        }
        host.removes("job");
        host.finish();
    }
}

/// Starts a container `job` whose program waits for [`opens_gate`] before it writes; gives its first process.
#[track_caller]
fn starts_job(host: &TestHost, options: &str, script: &str) -> Process {
    let program = format!(
        "mkfifo /tmp/gate; {{ read go </tmp/gate; {script}; echo >/tmp/done; }} & exec sleep 1000"
    );
    let mut words = vec!["run", "-d", "--name", "job"];
    words.extend(options.split_whitespace());
    words.extend(["busybox", "sh", "-c", &program]);
    host.minirun(words.as_slice()).succeeds();
    shell(host, "until minirun exec job test -e /tmp/gate; do :; done").succeeds();
    host.container("job").process()
}

/// Lets the program of container `job` go on.
#[track_caller]
fn opens_gate(host: &TestHost) {
    host.minirun(["exec", "job", "sh", "-c", "echo go >/tmp/gate"])
        .succeeds();
}

/// Waits until the burst is over and the monitor has given back what it needed, which takes a moment in which nothing comes.
#[track_caller]
fn becomes_small(host: &TestHost, monitor: &Process, before: u64) {
    shell(host, "until minirun exec job test -e /tmp/done; do :; done").succeeds();
    for _ in 0..200 {
        if monitor.private_memory() <= before + KEPT_MEMORY {
            return;
        }
        assert!(!monitor.ends_within(Duration::from_millis(50)), "it runs");
    }
    panic!("{before} KiB became {}", monitor.private_memory());
}

#[test]
fn a_monitor_is_small_again_after_much_output() {
    let host = host();
    for (options, script) in [
        ("", "seq 1 300000"),
        ("", "head -c 20000000 /dev/zero"),
        ("", "head -c 20000000 /dev/urandom >&2"),
        ("--log-driver none", "head -c 20000000 /dev/urandom"),
    ] {
        let monitor = starts_job(&host, options, script).parent();
        let before = monitor.private_memory();
        opens_gate(&host);
        becomes_small(&host, &monitor, before);
        host.removes("job");
    }
    host.finish();
}

#[test]
fn a_burst_widens_the_pipes_for_its_time_only() {
    let host = host();
    let first = starts_job(&host, "", "head -c 20000000 /dev/zero");
    let before = first.parent().private_memory();
    opens_gate(&host);
    becomes_small(&host, &first.parent(), before);
    let output = std::fs::File::open(format!("/proc/{}/fd/1", first.pid()))
        .expect("its standard output is a pipe");
    let size = || nix::fcntl::fcntl(&output, nix::fcntl::FcntlArg::F_GETPIPE_SZ);
    // Memory is given back first, and it also is small while the last of the burst still waits in the pipe.
    for _ in 0..200 {
        if size() == Ok(64 * 1024) {
            break;
        }
        assert!(!first.ends_within(Duration::from_millis(50)), "it runs");
    }
    assert_eq!(size(), Ok(64 * 1024));
    drop(output);
    host.removes("job");
    host.finish();
}

#[test]
fn killing_the_command_in_the_middle_loses_nothing_of_the_log() {
    let host = host();
    let program =
        format!("{MIXED}; md5sum </tmp/mixed >&2; echo ready; read go </tmp/gate; cat /tmp/mixed");
    let program = format!("mkfifo /tmp/gate; {program}");
    let words = [
        "run",
        "--name",
        "job",
        "--log-opt",
        "max-size=-1",
        "busybox",
        "sh",
        "-c",
        &program,
    ];
    let mut running = host.spawn_minirun(words);
    running.read_until("ready\n");
    host.minirun(["exec", "-d", "job", "sh", "-c", "echo go >/tmp/gate"])
        .succeeds();
    running.read_until(" ");
    running.signal(Signal::SIGKILL);
    drop(running);
    host.minirun("wait job").succeeds();
    let compare = "minirun logs job >/run/shown 2>/run/expected && \
                   tail -n +2 /run/shown | md5sum | cmp - /run/expected";
    shell(&host, compare).succeeds();
    host.removes("job");
    host.finish();
}
