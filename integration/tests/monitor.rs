//! The monitor: what outlives the command, what happens when either is killed, and what the next command cleans up.

use std::fs;
use std::net::SocketAddrV4;
use std::time::{Duration, Instant};

use minirun_integration::probe::{LONG_WAIT, Reach, http_get, tcp_connect};
use minirun_integration::{Container, HOST_ADDRESS, Process, TestHost};
use nix::sys::signal::Signal;

const PUBLISHED: SocketAddrV4 = SocketAddrV4::new(HOST_ADDRESS, 8080);

/// Kills the monitor of a container and waits until the kernel has taken the container with it.
#[track_caller]
fn kill_monitor(container: &Container) {
    let first = container.process();
    first.parent().signal(Signal::SIGKILL);
    assert!(
        first.ends_within(LONG_WAIT),
        "the container should die with its monitor"
    );
}

#[test]
fn killing_the_command_kills_nothing_and_output_still_goes_to_the_log() {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    let script = "trap 'echo second' USR1; echo first; while :; do sleep 1000 & wait $!; done";
    let words = ["run", "--name", "web1", "busybox", "sh", "-c", script];
    let mut running = host.spawn_minirun(words);
    running.read_until("first\n");
    running.signal(Signal::SIGKILL);
    assert_eq!(running.finish().code(), None);
    assert_eq!(host.container("web1").status(), "running");
    host.minirun("kill -s USR1 web1").succeeds();
    host.container("web1").awaits_log("second\n");
    host.minirun("logs web1")
        .succeeds()
        .stdout_is("first\nsecond");
    host.removes("web1");
    host.finish();
}

#[test]
fn a_monitor_belongs_to_nobody_and_minds_no_polite_signal() {
    let host = TestHost::create();
    let container = host.serves("web1", "", 80);
    let monitor = container.process().parent();
    assert_ne!(monitor.session(), Process::open(1).session());
    let own = i32::try_from(std::process::id()).expect("process numbers fit");
    assert_ne!(monitor.session(), Process::open(own).session());
    let directory = fs::read_link(format!("/proc/{}/cwd", monitor.pid()));
    assert_eq!(
        directory.expect("the monitor runs"),
        std::path::Path::new("/")
    );
    for signal in [Signal::SIGHUP, Signal::SIGINT, Signal::SIGTERM] {
        monitor.signal(signal);
    }
    host.inside(|| http_get(SocketAddrV4::new(container.address(), 80), "/"))
        .expect("it still serves");
    assert_eq!(container.process().parent().pid(), monitor.pid());
    host.removes("web1");
    host.finish();
}

/// Whoever lists many containers asks for it; `/proc` says the same, and takes longer.
#[test]
fn a_monitor_shows_by_a_lock_that_it_lives() {
    let host = TestHost::create();
    let container = host.idles("web1", "");
    let is_shown = |monitor: &Process| {
        let locks = fs::read_to_string("/proc/locks").expect("the kernel lists locks");
        locks.contains(&format!("POSIX  ADVISORY  WRITE {} ", monitor.pid()))
    };
    let first = container.process().parent();
    assert!(is_shown(&first));
    host.minirun("restart -t 0 web1").succeeds();
    let second = container.process().parent();
    assert_ne!(second.pid(), first.pid());
    assert!(is_shown(&second) && !is_shown(&first));
    second.signal(Signal::SIGKILL);
    assert!(second.ends_within(LONG_WAIT));
    host.minirun("ps --format {{.Names}}")
        .succeeds()
        .stdout_is("");
    assert_eq!(container.status(), "exited");
    host.removes("web1");
    host.finish();
}

#[test]
fn no_descriptor_of_the_caller_is_held() {
    let host = TestHost::create();
    // `cat` ends when nobody holds the other end of its pipe any more.
    let script =
        "minirun run -d --name web1 demo sleep infinity 7>&1 9</etc/passwd | cat; echo the end";
    host.command("sh", ["-c", script])
        .succeeds()
        .stdout_contains("the end");
    let first = host.container("web1").process();
    for process in [&first, &first.parent()] {
        let directory = format!("/proc/{}/fd", process.pid());
        let open = fs::read_dir(directory).expect("the process runs");
        for entry in open.flatten() {
            let target = fs::read_link(entry.path()).unwrap_or_default();
            assert!(!target.ends_with("passwd"), "{}", target.display());
        }
    }
    host.removes("web1");
    host.finish();
}

#[test]
fn a_container_dies_with_its_monitor_and_the_next_command_cleans_up() {
    let host = TestHost::create();
    let container = host.serves("web1", "-p 8080:80", 80);
    let address = container.address();
    let id = container.inspect()["Id"]
        .as_str()
        .expect("it has an id")
        .to_owned();
    kill_monitor(&container);
    host.minirun("ps").succeeds().stdout_lacks("web1");
    host.minirun("ps -a")
        .succeeds()
        .stdout_contains("Exited (137)");
    assert_eq!(container.exit_code(), 137);
    for table in ["filter", "nat", "raw"] {
        host.rules(table)
            .lack(&[&address.to_string()])
            .lack(&["8080"]);
    }
    host.command("find", ["/sys/fs/cgroup", "-name", &id])
        .succeeds()
        .stdout_is("");
    host.command(
        "find",
        [
            "/run/minirun/ports",
            "/run/minirun/networks/bridge/endpoints",
            "-type",
            "l",
            "-o",
            "-type",
            "f",
        ],
    )
    .succeeds()
    .stdout_is("");
    host.minirun("start web1").succeeds();
    container.awaits_tcp(80);
    host.neighbour()
        .inside(|| http_get(PUBLISHED, "/"))
        .expect("it serves again");
    host.removes("web1");
    host.finish();
}

#[test]
fn the_port_of_a_container_whose_monitor_was_killed_is_free_at_once() {
    let host = TestHost::create();
    kill_monitor(&host.serves("web1", "-p 8080:80", 80));
    host.imports_busybox(&[]);
    let script = "mkdir /www; echo heir >/www/index.html; exec httpd -f -p 80 -h /www";
    host.runs_script("heir", "-p 8080:80", script);
    host.container("heir").awaits_tcp(80);
    for place in [host.place(), host.neighbour()] {
        let page = place
            .inside(|| http_get(PUBLISHED, "/"))
            .expect("it is served");
        assert_eq!(page, "heir\n");
    }
    let stale: Vec<_> = host
        .rules("nat")
        .with(&["--dport 8080", "DNAT"])
        .into_iter()
        .map(str::to_owned)
        .collect();
    assert_eq!(stale.len(), 1, "{stale:?}");
    host.removes("web1 heir");
    host.finish();
}

#[test]
fn a_container_that_removes_itself_is_gone_after_its_monitor_was_killed() {
    let host = TestHost::create();
    let container = host.serves("web1", "--rm -p 8080:80", 80);
    kill_monitor(&container);
    host.minirun("ps -aq").succeeds().stdout_is("");
    host.minirun("run --rm --name web1 -p 8080:80 demo true")
        .succeeds();
    host.finish();
}

#[test]
fn every_command_copes_with_a_container_whose_monitor_was_killed() {
    let host = TestHost::create();
    for command in ["stop", "restart", "start", "rm", "rm -f", "wait", "inspect"] {
        let container = host.serves("web1", "-p 8080:80", 80);
        kill_monitor(&container);
        host.minirun(format!("{command} web1")).succeeds();
        host.minirun("rm -f web1").succeeds();
    }
    let container = host.serves("web1", "-p 8080:80", 80);
    kill_monitor(&container);
    host.minirun("exec web1 true")
        .fails()
        .stderr_contains("container `web1` is not running");
    host.minirun("kill web1")
        .fails_with(1)
        .stderr_contains("container `web1` is not running");
    host.removes("web1");
    host.finish();
}

#[test]
fn a_foreground_command_tells_that_the_monitor_was_killed() {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    let script = "echo ready; exec sleep 1000";
    let mut running = host.spawn_minirun([
        "run", "--rm", "--name", "web1", "-p", "8080:80", "busybox", "sh", "-c", script,
    ]);
    running.read_until("ready\n");
    kill_monitor(&host.container("web1"));
    running
        .finish()
        .fails_with(137)
        .stderr_contains("error: the monitor of container `web1` was killed");
    host.minirun("ps -aq").succeeds().stdout_is("");
    host.finish();
}

#[test]
fn a_link_follows_a_target_whose_monitor_was_killed() {
    let host = TestHost::create();
    host.minirun("network update bridge --icc=false").succeeds();
    let target = host.serves("web1", "--expose 80", 80);
    host.minirun("run -d --name web2 --link web1:web demo sleep infinity")
        .succeeds();
    kill_monitor(&target);
    host.minirun("ps -a").succeeds();
    host.minirun("exec web2 cat /etc/hosts")
        .succeeds()
        .stdout_lacks("\tweb ");
    host.minirun("start web1").succeeds();
    target.awaits_tcp(80);
    let address = SocketAddrV4::new(target.address(), 80);
    assert_eq!(
        host.container("web2")
            .inside(|| tcp_connect(address, LONG_WAIT)),
        Reach::Open
    );
    host.removes("web1 web2");
    host.finish();
}

#[test]
fn everything_is_taken_down_however_the_program_ends() {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    for script in [
        "true",
        "exit 3",
        "sleep 1000 & true",
        "(setsid sleep 1000 &)",
    ] {
        let words = [
            "run", "--name", "web1", "-p", "8080:80", "busybox", "sh", "-c", script,
        ];
        let ended = host.minirun(words);
        assert!(ended.code().is_some_and(|code| code < 125), "{ended:?}");
        // Taking down goes on behind the command's back; whoever touches the container next waits for it.
        host.removes("web1");
        host.rules("nat").lack(&["8080"]);
    }
    host.finish();
}

/// Lets some time pass, to meet a program at no moment in particular.
fn spin(time: Duration) {
    let end = Instant::now() + time;
    while Instant::now() < end {
        std::hint::spin_loop();
    }
}

#[test]
fn whatever_moment_everything_is_killed_at_the_next_commands_clean_up() {
    let host = TestHost::create();
    host.minirun("run --rm demo true").succeeds();
    for step in 0..20 {
        let running = host.spawn_minirun("run -d --name web1 -p 8080:80 demo httpd -p 80");
        spin(Duration::from_millis(2) * step);
        host.kills_everything();
        drop(running);
        host.minirun("ps -a").succeeds();
        let again = "run --rm --name web2 -p 8080:80 demo true";
        host.minirun(again).succeeds();
        host.minirun("rm -f web1").succeeds();
    }
    host.minirun("run --rm --name web1 demo true").succeeds();
    host.finish();
}

#[test]
fn whatever_moment_a_command_is_killed_at_the_next_ones_clean_up() {
    let host = TestHost::create();
    host.minirun("run --rm demo true").succeeds();
    for step in 0..20 {
        let running = host.spawn_minirun("run -d --name web1 -p 8080:80 demo httpd -p 80");
        spin(Duration::from_millis(2) * step);
        running.signal(Signal::SIGKILL);
        drop(running);
        host.minirun("ps -a").succeeds();
        host.minirun("rm -f web1").succeeds();
        host.minirun("run --rm --name web1 -p 8080:80 demo true")
            .succeeds();
    }
    host.finish();
}
