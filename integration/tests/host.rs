//! The test host itself: what every other test stands on.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use minirun_integration::probe::{
    EthernetSocket, LONG_WAIT, Reach, SHORT_WAIT, tcp_connect, tcp_connect_from, tcp_listen,
    udp_ask, udp_echo,
};
use minirun_integration::{
    HOST_ADDRESS, HOST_ADDRESS_V6, NEIGHBOUR_ADDRESS, NEIGHBOUR_ADDRESS_V6, TestHost,
};

const BROADCAST: [u8; 6] = [0xff; 6];

#[test]
fn an_untouched_host_has_nothing_left_behind() {
    let host = TestHost::create();
    host.finish();
}

#[test]
fn two_hosts_do_not_see_each_other() {
    let (first, second) = (TestHost::create(), TestHost::create());
    let _listener = first.inside(|| tcp_listen(80));
    let target = SocketAddrV4::new(HOST_ADDRESS, 80);
    assert_eq!(
        first.neighbour().inside(|| tcp_connect(target, LONG_WAIT)),
        Reach::Open
    );
    assert_eq!(
        second.neighbour().inside(|| tcp_connect(target, LONG_WAIT)),
        Reach::Refused
    );
    first.write_file("/run/mark", "first");
    assert!(!second.inside(|| fs::exists("/run/mark").expect("/run is there")));
    first.finish();
    second.finish();
}

#[test]
fn the_neighbour_and_the_host_see_each_other_under_their_own_addresses() {
    let host = TestHost::create();
    let listener = host.inside(|| tcp_listen(80));
    let target = SocketAddrV4::new(HOST_ADDRESS, 80);
    assert_eq!(
        host.neighbour()
            .inside(|| tcp_connect_from(4321, target, LONG_WAIT)),
        Reach::Open
    );
    let peer = listener
        .next_peer(LONG_WAIT)
        .expect("the neighbour connected");
    assert_eq!(peer, SocketAddrV4::new(NEIGHBOUR_ADDRESS, 4321).into());
    let _echo = host.neighbour().inside(|| udp_echo(53));
    let answer =
        host.inside(|| udp_ask(SocketAddrV4::new(NEIGHBOUR_ADDRESS, 53), "hello", LONG_WAIT));
    assert!(answer.is_some_and(|answer| answer.starts_with("hello 192.0.2.1:")));
    host.finish();
}

#[test]
fn the_neighbour_and_the_host_see_each_other_over_ipv6() {
    let host = TestHost::create();
    let listener = host.inside(|| tcp_listen(80));
    let target = SocketAddr::from((HOST_ADDRESS_V6, 80));
    assert_eq!(
        host.neighbour()
            .inside(|| tcp_connect_from(4321, target, LONG_WAIT)),
        Reach::Open
    );
    let peer = listener
        .next_peer(LONG_WAIT)
        .expect("the neighbour connected");
    assert_eq!(peer, SocketAddr::from((NEIGHBOUR_ADDRESS_V6, 4321)));
    let _echo = host.neighbour().inside(|| udp_echo(53));
    let echo = SocketAddr::from((NEIGHBOUR_ADDRESS_V6, 53));
    let answer = host.inside(|| udp_ask(echo, "hello", LONG_WAIT));
    assert!(answer.is_some_and(|answer| answer.starts_with("hello [2001:db8:0:1::1]:")));
    host.command("ip6tables", "-w -A INPUT -p tcp --dport 80 -j DROP")
        .succeeds();
    assert_eq!(
        host.neighbour().inside(|| tcp_connect(target, SHORT_WAIT)),
        Reach::Silent
    );
    host.rules6("filter")
        .have(&["-A INPUT", "--dport 80", "-j DROP"]);
    host.command("ip6tables", "-w -F INPUT").succeeds();
    host.finish();
}

#[test]
fn a_connection_that_the_firewall_drops_is_silent() {
    let host = TestHost::create();
    let _listener = host.inside(|| tcp_listen(80));
    host.command("iptables", "-w -A INPUT -p tcp -m tcp --dport 80 -j DROP")
        .succeeds();
    let target = SocketAddrV4::new(HOST_ADDRESS, 80);
    assert_eq!(
        host.neighbour().inside(|| tcp_connect(target, SHORT_WAIT)),
        Reach::Silent
    );
    host.rules("filter")
        .have(&["-A INPUT", "--dport 80", "-j DROP"]);
    host.command("iptables", "-w -F INPUT").succeeds();
    host.finish();
}

#[test]
fn everything_beyond_the_neighbour_is_unreachable_from_it() {
    let host = TestHost::create();
    let nowhere = SocketAddrV4::new(Ipv4Addr::new(198, 51, 100, 1), 80);
    assert_eq!(
        host.neighbour().inside(|| tcp_connect(nowhere, LONG_WAIT)),
        Reach::Unreachable
    );
    host.finish();
}

#[test]
fn raw_frames_cross_the_uplink() {
    let host = TestHost::create();
    let receiver = host.inside(|| EthernetSocket::open("uplink0"));
    // An end of the wire that was set up before the other drops what is sent until a thread of the kernel has seen the other.
    // Nobody repeats a frame; so a connection, which the kernel does repeat, goes first.
    let target = SocketAddrV4::new(HOST_ADDRESS, 80);
    assert_eq!(
        host.neighbour().inside(|| tcp_connect(target, LONG_WAIT)),
        Reach::Refused
    );
    host.neighbour()
        .inside(|| EthernetSocket::open("lan0").send(BROADCAST, b"over the wire"));
    let payload = receiver.receive(LONG_WAIT).expect("the frame arrives");
    assert!(payload.starts_with(b"over the wire"));
    assert_eq!(receiver.receive(SHORT_WAIT), None);
    host.finish();
}

#[test]
fn the_files_of_a_host_are_its_own() {
    let host = TestHost::create();
    host.write_file("/etc/minirun/minirun.toml", "icc = false\n");
    assert_eq!(
        host.command("cat", "/etc/minirun/minirun.toml")
            .succeeds()
            .line(),
        "icc = false"
    );
    host.command("ls", "-A /var/lib").succeeds().stdout_is("");
    let shown = host.command("ls", "/sys/class/net").succeeds();
    let links = host.command("ip", "-oneline link show").succeeds();
    assert_eq!(
        shown.stdout().lines().count(),
        links.stdout().lines().count(),
        "/sys shows the network of the host"
    );
    assert!(
        !host
            .command("cat", "/etc/passwd")
            .succeeds()
            .line()
            .is_empty(),
        "the rest of /etc is the machine's"
    );
    host.finish();
}

#[test]
fn a_program_gets_its_input_and_no_environment() {
    let host = TestHost::create();
    host.place()
        .program("cat", "")
        .input("some text")
        .run()
        .succeeds()
        .stdout_is("some text");
    let environment = host.command("env", "").succeeds();
    assert!(
        environment
            .stdout()
            .lines()
            .all(|line| line.starts_with("PATH=")),
        "{environment:?}"
    );
    host.finish();
}

#[test]
fn output_can_be_followed_while_a_program_runs() {
    let host = TestHost::create();
    let mut running = host
        .place()
        .program("sh", ["-c", "echo ready; exec cat /dev/zero"])
        .spawn();
    assert!(running.read_until("ready\n").starts_with("ready\n"));
    drop(running);
    host.finish();
}

#[test]
fn what_a_program_leaves_behind_is_named() {
    let host = TestHost::create();
    host.command(
        "sh",
        [
            "-c",
            "mkdir -p /run/minirun/ports; touch /run/minirun/ports/80",
        ],
    )
    .succeeds();
    host.command("ip", "link add veth0 type veth peer name veth1")
        .succeeds();
    host.command("mkdir", "/sys/fs/cgroup/forgotten").succeeds();
    let left = host.leftovers_after(SHORT_WAIT).join("\n");
    for expected in [
        "link `veth0`",
        "link `veth1`",
        "control group `forgotten`",
        "file `/run/minirun/ports/80`",
    ] {
        assert!(
            left.contains(expected),
            "`{expected}` should be among\n{left}"
        );
    }
}

#[test]
fn a_program_that_outlives_its_command_is_killed_with_the_host() {
    let host = TestHost::create();
    let command = "setsid sleep 1000 </dev/null >/dev/null 2>&1 & echo $!";
    let pid = host
        .command("sh", ["-c", command])
        .succeeds()
        .line()
        .to_owned();
    drop(host);
    assert!(
        !fs::exists(format!("/proc/{pid}/exe")).expect("/proc is there"),
        "process {pid} still runs"
    );
}
