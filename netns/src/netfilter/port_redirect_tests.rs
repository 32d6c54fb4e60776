//! Tests of redirected ports, in namespaces of their own.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use super::*;
use crate::endpoint::bring_up_loopback;
use crate::explain::Explain;
use crate::netlink::Netlink;
use crate::scratch::{in_fresh_namespace, shell};

const RESOLVER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 11);
/// More than the buffers of a loopback connection segment by segment, so that many segments are rewritten both ways.
const LARGE: usize = 1 << 20;

fn redirect(to: u16) -> PortRedirect {
    PortRedirect {
        address: RESOLVER,
        from: 53,
        to,
    }
}

/// How many flows the namespace tracks.
fn tracked() -> String {
    let path = "/proc/sys/net/netfilter/nf_conntrack_count";
    let count = std::fs::read_to_string(path).unwrap_or_else(|_| "0".to_string());
    count.trim().to_string()
}

/// Runs the body in a namespace whose loopback is up.
fn with_loopback(body: impl FnOnce() + Send) {
    in_fresh_namespace(|| {
        bring_up_loopback(&mut Netlink::open().unwrap()).unwrap();
        body();
    });
}

fn udp(address: impl Into<IpAddr>, port: u16) -> UdpSocket {
    let socket = UdpSocket::bind(SocketAddr::new(address.into(), port)).unwrap();
    let limit = Some(Duration::from_secs(10));
    socket.set_read_timeout(limit).unwrap();
    socket
}

/// Sends a datagram from a connected socket, lets `server` answer it, and gives what the client hears.
fn ask_udp(server: &UdpSocket, destination: Ipv4Addr, question: &[u8]) -> Vec<u8> {
    let client = udp(destination, 0);
    client.connect((destination, 53)).unwrap();
    client.send(question).unwrap();
    let mut buffer = vec![0; 65536];
    let (length, peer) = server.recv_from(&mut buffer).unwrap();
    assert_eq!(peer, client.local_addr().unwrap());
    buffer[..length].reverse();
    server.send_to(&buffer[..length], peer).unwrap();
    let length = client.recv(&mut buffer).unwrap();
    buffer[..length].to_vec()
}

/// Sends everything, lets `server` send it back reversed, and gives what the client hears.
fn ask_tcp(server: &TcpListener, destination: Ipv4Addr, question: &[u8]) -> Vec<u8> {
    let mut client = TcpStream::connect((destination, 53)).unwrap();
    assert_eq!(client.peer_addr().unwrap(), (destination, 53).into());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut stream = server.accept().unwrap().0;
            let mut bytes = Vec::new();
            stream.read_to_end(&mut bytes).unwrap();
            bytes.reverse();
            stream.write_all(&bytes).unwrap();
        });
        client.write_all(question).unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).unwrap();
        answer
    })
}

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index % 251) as u8).collect()
}

fn reversed(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().rev().copied().collect()
}

#[test]
fn the_ruleset_is_one_table_with_one_chain_of_four_rules() {
    in_fresh_namespace(|| {
        redirect(40053).install().unwrap();
        let expected = "table ip minirun {\n\
            \tchain output {\n\
            \t\ttype filter hook output priority raw; policy accept;\n\
            \t\tip daddr 127.0.0.11 udp dport 53 udp dport set 40053\n\
            \t\tip daddr 127.0.0.11 tcp dport 53 tcp dport set 40053\n\
            \t\tip saddr 127.0.0.11 udp sport 40053 udp sport set 53\n\
            \t\tip saddr 127.0.0.11 tcp sport 40053 tcp sport set 53\n\
            \t}\n}\n";
        assert_eq!(shell("nft list ruleset"), expected);
    });
}

#[test]
fn the_printed_commands_do_the_same() {
    let of_commands = in_fresh_namespace(|| {
        shell(&redirect(40053).explain().command);
        shell("nft --debug=netlink list ruleset")
    });
    let of_messages = in_fresh_namespace(|| {
        redirect(40053).install().unwrap();
        shell("nft --debug=netlink list ruleset")
    });
    assert_eq!(of_commands, of_messages);
}

#[test]
fn installing_again_replaces_and_leaves_other_tables_alone() {
    in_fresh_namespace(|| {
        shell("nft add table ip mine; nft add table ip6 minirun");
        redirect(40053).install().unwrap();
        redirect(40054).install().unwrap();
        let ruleset = shell("nft list ruleset");
        assert_eq!(ruleset.matches("40054").count(), 4, "{ruleset}");
        assert!(!ruleset.contains("40053"), "{ruleset}");
        assert!(ruleset.contains("table ip mine {"), "{ruleset}");
        assert!(ruleset.contains("table ip6 minirun {"), "{ruleset}");
    });
}

#[test]
fn datagrams_of_any_size_reach_the_server_and_answers_come_from_the_port_asked() {
    with_loopback(|| {
        let server = udp(RESOLVER, 0);
        redirect(server.local_addr().unwrap().port())
            .install()
            .unwrap();
        for length in [0, 1, 512, 4096, 65507] {
            let question = pattern(length);
            let answer = ask_udp(&server, RESOLVER, &question);
            assert!(answer == reversed(&question), "{length} bytes");
        }
        assert_eq!(tracked(), "0");
    });
}

#[test]
fn long_connections_reach_the_server() {
    with_loopback(|| {
        let server = TcpListener::bind((RESOLVER, 0)).unwrap();
        redirect(server.local_addr().unwrap().port())
            .install()
            .unwrap();
        for length in [1, LARGE] {
            let question = pattern(length);
            let answer = ask_tcp(&server, RESOLVER, &question);
            assert!(answer == reversed(&question), "{length} bytes");
        }
        assert_eq!(tracked(), "0");
    });
}

#[test]
fn packets_with_whole_checksums_are_rewritten_as_well() {
    with_loopback(|| {
        shell("ip link set lo mtu 1500");
        let datagrams = udp(RESOLVER, 0);
        let port = datagrams.local_addr().unwrap().port();
        let connections = TcpListener::bind((RESOLVER, port)).unwrap();
        redirect(port).install().unwrap();
        let question = pattern(20_000);
        assert!(ask_udp(&datagrams, RESOLVER, &question) == reversed(&question));
        assert!(ask_tcp(&connections, RESOLVER, &question) == reversed(&question));
    });
}

#[test]
fn another_program_may_have_the_port_on_every_address() {
    with_loopback(|| {
        let datagrams = udp(Ipv4Addr::UNSPECIFIED, 53);
        let connections = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 53)).unwrap();
        let server = udp(RESOLVER, 0);
        let port = server.local_addr().unwrap().port();
        let listener = TcpListener::bind((RESOLVER, port)).unwrap();
        redirect(port).install().unwrap();
        let question = pattern(300);
        let answer = reversed(&question);
        assert_eq!(ask_udp(&datagrams, Ipv4Addr::LOCALHOST, &question), answer);
        assert_eq!(
            ask_tcp(&connections, Ipv4Addr::LOCALHOST, &question),
            answer
        );
        assert_eq!(ask_udp(&server, RESOLVER, &question), answer);
        assert_eq!(ask_tcp(&listener, RESOLVER, &question), answer);
        assert_eq!(tracked(), "0");
    });
}

#[test]
fn a_refused_connection_is_refused_at_once() {
    with_loopback(|| {
        redirect(40053).install().unwrap();
        let error = TcpStream::connect((RESOLVER, 53)).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
    });
}
