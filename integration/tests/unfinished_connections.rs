//! Connections that are open when a container ends: what was sent by them arrives, and where nobody confirms their end, those of a
//! container whose port is closed keep no link of it on the host.

use std::io::Read;
use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6, TcpStream};
use std::time::Instant;

use minirun_integration::probe::LONG_WAIT;
use minirun_integration::{Container, HOST_ADDRESS, TestHost};
use nix::libc::linger;
use nix::sys::signal::Signal;
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::{Linger, RcvBuf};

/// What a container may have besides: with restricted egress its port is closed at its end.
const RESTRICTED: &str = "-p 8080:80 --egress 192.0.2.2";

const PUBLISHED: SocketAddrV4 = SocketAddrV4::new(HOST_ADDRESS, 8080);

/// A connection that is nobody's any more as soon as it is dropped.
fn connect(target: SocketAddr) -> TcpStream {
    let connection = TcpStream::connect_timeout(&target, LONG_WAIT).expect("it is open");
    let at_once = linger {
        l_onoff: 1,
        l_linger: 0,
    };
    setsockopt(&connection, Linger, &at_once).expect("it is a socket");
    connection
}

/// A connection to what is published, as soon as there is one, that takes in little at once.
fn connect_reluctantly(target: SocketAddr) -> TcpStream {
    let began = Instant::now();
    loop {
        match TcpStream::connect_timeout(&target, LONG_WAIT) {
            Ok(stream) => {
                setsockopt(&stream, RcvBuf, &4096).expect("it is a socket");
                stream
                    .set_read_timeout(Some(LONG_WAIT))
                    .expect("it is a socket");
                return stream;
            }
            Err(error) => assert!(began.elapsed() < LONG_WAIT, "{error}"),
        }
    }
}

/// How long an answer is: more than the kernel takes at once.
const LENGTH: usize = 256 * 1024;

/// A program that answers one connection, and ends as soon as the kernel has taken all of it.
fn answers_once() -> String {
    format!("head -c {LENGTH} /dev/zero >/tmp/answer; exec nc -l -p 80 -e cat /tmp/answer")
}

/// Reads an answer so slowly that its program ends before.
#[track_caller]
fn reads_slowly(container: &Container<'_>, mut stream: TcpStream, options: &str) {
    let mut length = 0;
    while container.status() == "running" {
        length += stream.read(&mut [0; 4096]).expect("it goes on");
    }
    assert!(length < LENGTH, "{options}");
    setsockopt(&stream, RcvBuf, &LENGTH).expect("it is a socket");
    while let Ok(more @ 1..) = stream.read(&mut [0; 4096]) {
        length += more;
    }
    assert_eq!(length, LENGTH, "{options}");
}

/// A connection from the neighbour to what the host publishes, of whose end the neighbour will hear nothing.
fn connection(host: &TestHost) -> TcpStream {
    let connection = host.neighbour().inside(|| connect(PUBLISHED.into()));
    host.neighbour()
        .command("iptables", "-w -I INPUT -p tcp --sport 8080 -j DROP")
        .succeeds();
    connection
}

fn hear_again(host: &TestHost) {
    host.neighbour()
        .command("iptables", "-w -F INPUT")
        .succeeds();
}

/// The links of the host that lead to containers.
fn veths(host: &TestHost) -> Vec<String> {
    let links = host
        .command("ip", "-oneline link show type veth")
        .succeeds();
    let lines = links.stdout().lines();
    lines
        .filter(|line| line.contains(": veth"))
        .map(str::to_owned)
        .collect()
}

/// Expects `count` links that lead to containers, after waiting for those that the kernel is just taking away.
#[track_caller]
fn comes_to_veths(host: &TestHost, count: usize, after: &str) {
    let began = Instant::now();
    while veths(host).len() != count {
        assert!(began.elapsed() < LONG_WAIT, "{after}: {:?}", veths(host));
    }
}

#[test]
fn the_last_of_an_answer_arrives_after_the_program_has_ended() {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    host.network("lan", "");
    let script = answers_once();
    for options in [
        "-p 8080:80",
        RESTRICTED,
        "-p 8080:80 --network bridge --network lan",
    ] {
        let web1 = host.runs_script("web1", options, &script);
        let stream = host
            .neighbour()
            .inside(|| connect_reluctantly(PUBLISHED.into()));
        reads_slowly(&web1, stream, options);
        drop(web1);
        host.removes("web1");
    }
    host.removes_networks("lan");
    host.finish();
}

#[test]
fn a_port_that_is_closed_goes_with_its_container_whoever_ends_it() {
    let host = TestHost::create();
    for command in ["rm -f", "stop -t 0", "kill"] {
        host.serves("web1", RESTRICTED, 80);
        let connection = connection(&host);
        host.minirun(format!("{command} web1")).succeeds();
        comes_to_veths(&host, 0, command);
        host.removes("web1");
        hear_again(&host);
        drop(connection);
    }
    host.finish();
}

#[test]
fn after_a_restart_there_is_one_port() {
    let host = TestHost::create();
    for options in [RESTRICTED, "-p 8080:80"] {
        host.serves("web1", options, 80);
        let connection = connection(&host);
        host.minirun("restart -t 0 web1").succeeds();
        comes_to_veths(&host, 1, options);
        hear_again(&host);
        drop(connection);
        host.removes("web1");
    }
    host.finish();
}

#[test]
fn the_last_of_an_answer_passes_by_a_link() {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    host.minirun("network update bridge --icc=false").succeeds();
    let script = answers_once();
    let web1 = host.runs_script("web1", "--expose 80", &script);
    let target = SocketAddrV4::new(web1.address(), 80);
    let source = host.idles("source", "--link web1:web");
    let stream = source.inside(|| connect_reluctantly(target.into()));
    reads_slowly(&web1, stream, "a link");
    drop((web1, source));
    host.removes("web1 source");
    host.finish();
}

#[test]
fn what_was_linked_goes_as_well() {
    let host = TestHost::create();
    host.minirun("network update bridge --icc=false").succeeds();
    let web1 = host.serves("web1", "--expose 80", 80);
    let target = SocketAddrV4::new(web1.address(), 80);
    let source = host.idles("source", "--link web1:web");
    let connection = source.inside(|| connect(target.into()));
    source
        .command("iptables", "-w -I INPUT -p tcp --sport 80 -j DROP")
        .succeeds();
    host.removes("web1");
    comes_to_veths(&host, 1, "rm");
    drop((connection, source));
    host.removes("source");
    host.finish();
}

#[test]
fn with_a_network_go_the_ports_that_were_left_on_it() {
    let host = TestHost::create();
    host.network("lan", "");
    host.serves("web1", "--network lan -p 8080:80", 80);
    let connection = connection(&host);
    host.removes("web1");
    host.removes_networks("lan");
    comes_to_veths(&host, 0, "network rm");
    drop(connection);
    host.finish();
}

#[test]
fn connections_over_ipv6_keep_no_port_either() {
    let host = TestHost::create();
    host.network("lan", "--ipv6");
    let web1 = host.serves("web1", "--network lan --egress none", 80);
    let target = SocketAddrV6::new(web1.ipv6_on("lan"), 80, 0, 0);
    let source = host.idles("source", "--network lan");
    let connection = source.inside(|| connect(target.into()));
    source
        .command("ip6tables", "-w -I INPUT -p tcp --sport 80 -j DROP")
        .succeeds();
    host.removes("web1");
    comes_to_veths(&host, 1, "rm");
    drop((connection, source));
    host.removes("source");
    host.removes_networks("lan");
    host.finish();
}

#[test]
fn what_a_killed_monitor_left_goes_with_the_next_command() {
    let host = TestHost::create();
    for (next, left) in [
        ("rm -f web1", 0),
        ("run -d --name heir -p 8080:80 demo sleep infinity", 1),
    ] {
        let web1 = host.serves("web1", RESTRICTED, 80);
        let connection = connection(&host);
        let first = web1.process();
        first.parent().signal(Signal::SIGKILL);
        assert!(first.ends_within(LONG_WAIT));
        drop(web1);
        host.minirun(next).succeeds();
        comes_to_veths(&host, left, next);
        hear_again(&host);
        drop(connection);
    }
    host.removes("web1 heir");
    host.finish();
}

#[test]
fn for_whoever_shares_the_network_the_port_stays_but_down() {
    let host = TestHost::create();
    host.idles("web1", RESTRICTED);
    let sharer = host.serves("sharer", "--network container:web1", 90);
    host.removes("web1");
    let left = veths(&host);
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(left[0].contains("state DOWN"), "{left:?}");
    sharer
        .command("ip", "-oneline link show eth0")
        .succeeds()
        .stdout_lacks("LOWER_UP");
    drop(sharer);
    host.removes("sharer");
    host.finish();
}
