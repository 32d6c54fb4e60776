//! Containers whose program goes on without its first thread: the kernel lists that as a process which has ended, and shows
//! none of its namespaces.

use std::fs;
use std::io::Write;
use std::net::{SocketAddrV4, TcpStream};

use minirun_integration::probe::{LONG_WAIT, Reach, tcp_connect};
use minirun_integration::{Container, TestHost};

/// Its first thread ends at once; another one listens on port 80, and ends it with code 7 when somebody sends it anything.
const PROGRAM: &str = env!("CARGO_BIN_EXE_main_thread_ends");

/// Starts it on `net1`, and waits until its first thread has ended.
#[track_caller]
fn without_first_thread<'host>(host: &'host TestHost, name: &str) -> Container<'host> {
    let volume = format!("{PROGRAM}:/program:ro");
    host.minirun([
        "run",
        "-d",
        "--name",
        name,
        "--network",
        "net1",
        "-v",
        &volume,
        "demo",
        "/program",
    ])
    .succeeds();
    let container = host.container(name);
    container.awaits_log("ready\n");
    let stat = fs::read_to_string(format!("/proc/{}/stat", container.pid())).expect("it runs");
    assert!(stat.contains(") Z "), "{stat}");
    container
}

fn web(container: &Container<'_>, network: &str) -> SocketAddrV4 {
    SocketAddrV4::new(container.address_on(network), 80)
}

#[test]
fn a_container_whose_first_thread_has_ended_is_connected_and_disconnected() {
    let host = TestHost::create();
    host.network("net1", "");
    host.network("net2", "");
    let container = without_first_thread(&host, "web1");
    let other = host.idles("web2", "--network net2");
    host.minirun("network connect net2 web1").succeeds();
    let target = web(&container, "net2");
    assert_eq!(other.inside(|| tcp_connect(target, LONG_WAIT)), Reach::Open);
    host.minirun("network disconnect net1 web1").succeeds();
    assert_eq!(container.networks(), ["net2"]);
    host.removes("web1 web2");
    host.removes_networks("net1 net2");
    host.finish();
}

#[test]
fn a_container_whose_first_thread_has_ended_runs_until_its_last_one_ends() {
    let host = TestHost::create();
    host.network("net1", "");
    let container = without_first_thread(&host, "web1");
    let other = host.idles("web2", "--network net1");
    let target = web(&container, "net1");
    host.minirun("network update net1 --icc false").succeeds();
    assert_eq!(container.status(), "running");
    host.minirun("network update net1 --icc true").succeeds();
    other
        .inside(|| TcpStream::connect(target)?.write_all(b"end"))
        .expect("it listens");
    host.minirun("wait web1").succeeds().stdout_is("7");
    host.removes("web1 web2");
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn a_container_whose_first_thread_has_ended_is_stopped_though_it_cannot_be_entered() {
    let host = TestHost::create();
    host.network("net1", "");
    let container = without_first_thread(&host, "web1");
    host.minirun("exec web1 true").fails().stderr_is(
        "error: cannot enter the namespaces of the container: No such process\n\
         hint: start the container again if it has ended; one that goes on has lost its first thread, and with it the way in",
    );
    host.minirun("stop -t 0 web1").succeeds();
    assert_eq!(
        (container.status(), container.exit_code()),
        ("exited".to_owned(), 137)
    );
    host.removes("web1");
    host.removes_networks("net1");
    host.finish();
}
