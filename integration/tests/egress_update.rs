//! Changing what a running container may reach: `minirun update --egress` and `--egress-deny`.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use minirun_integration::probe::{LONG_WAIT, Reach, tcp_connect, tcp_listen};
use minirun_integration::{
    Container, DnsUpstream, Driver, NEIGHBOUR_ADDRESS, NEIGHBOUR_ADDRESS_V6, TestHost, Zone,
};
use serde_json::json;
use simple_dns::{RCODE, TYPE};

const NEIGHBOUR: [IpAddr; 2] = [
    IpAddr::V4(NEIGHBOUR_ADDRESS),
    IpAddr::V6(NEIGHBOUR_ADDRESS_V6),
];

#[track_caller]
fn reaches(container: &Container<'_>, port: u16, expected: Reach) {
    for address in NEIGHBOUR {
        let target = SocketAddr::new(address, port);
        let reach = container.inside(|| tcp_connect(target, LONG_WAIT));
        assert_eq!(reach, expected, "to {target}");
    }
}

fn clear(host: TestHost) {
    host.removes("web1");
    host.removes_networks("net1");
    host.finish();
}

/// A connection from the container to the neighbour, and the neighbour's end of it.
fn connection(host: &TestHost, container: &Container<'_>, address: IpAddr) -> [TcpStream; 2] {
    let listener = host
        .neighbour()
        .inside(|| TcpListener::bind((address, 0)).expect("a port is free"));
    let target = listener.local_addr().expect("it is bound");
    let own = container.inside(|| TcpStream::connect(target).expect("it may be reached"));
    let (other, _) = listener.accept().expect("it was connected");
    for end in [&own, &other] {
        end.set_read_timeout(Some(LONG_WAIT))
            .expect("it is a socket");
    }
    [own, other]
}

/// Expects that whoever goes on with a connection hears that it has ended.
#[track_caller]
fn is_reset(mut connection: TcpStream) {
    connection
        .write_all(b"late")
        .expect("it goes as far as the own kernel");
    let error = connection.read(&mut [0; 4]).expect_err("nothing may come");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[test]
fn what_is_forbidden_is_refused_at_once_and_what_is_allowed_again_works() {
    let host = TestHost::create();
    host.network("net1", "--ipv6");
    let listener = host.neighbour().inside(|| tcp_listen(443));
    let web1 = host.idles("web1", "--network net1");
    for (options, expected) in [
        ("--egress none", Reach::Refused),
        ("--egress 192.0.2.2:443,[2001:db8:0:1::2]:443", Reach::Open),
        (
            "--egress-deny 192.0.2.0/24,2001:db8:0:1::/64",
            Reach::Refused,
        ),
        ("--egress any", Reach::Refused),
        ("--egress-deny none", Reach::Open),
        ("--egress none --egress-deny private", Reach::Refused),
        ("--egress any --egress-deny none", Reach::Open),
    ] {
        host.minirun(format!("update {options} web1")).succeeds();
        reaches(&web1, 443, expected);
    }
    host.rules("filter").lack(&["MINIRUN-EGRESS-"]);
    if host.driver() == Driver::Nftables {
        host.table().lack(&["egress4-"]).lack(&["egress6-"]);
    }
    let guards = host.command("nft", "list table bridge minirun").succeeds();
    guards.stdout_contains("\"veth");
    drop(listener);
    clear(host);
}

#[test]
fn an_open_connection_that_is_not_allowed_any_more_is_cut() {
    let host = TestHost::create();
    host.network("net1", "--ipv6");
    let web1 = host.idles("web1", "--network net1");
    let connections = NEIGHBOUR.map(|address| connection(&host, &web1, address));
    host.minirun("update --egress none web1").succeeds();
    for [own, mut other] in connections {
        // Not from outside: the host does not know the connection any more.
        let _ = other.write_all(b"late");
        is_reset(own);
    }
    clear(host);
}

#[test]
fn a_connection_that_is_still_allowed_and_one_that_came_in_go_on() {
    let host = TestHost::create();
    host.network("net1", "--ipv6");
    let web1 = host.serves("web1", "--network net1 -p 8080:80", 80);
    let connections = NEIGHBOUR.map(|address| connection(&host, &web1, address));
    let listener = web1.inside(|| TcpListener::bind("[::]:81").expect("the port is free"));
    let address = web1.address_on("net1");
    let caller = host.inside(|| TcpStream::connect((address, 81)).expect("it listens"));
    let (called, _) = listener.accept().expect("it was called");
    host.minirun("update --egress 192.0.2.2,2001:db8:0:1::2 --egress-deny private web1")
        .succeeds();
    let incoming = [called, caller];
    for [mut own, mut other] in connections.into_iter().chain([incoming]) {
        for speaks_first in [true, false] {
            let (speaker, hearer) = match speaks_first {
                true => (&mut own, &mut other),
                false => (&mut other, &mut own),
            };
            let mut heard = [0; 5];
            hearer
                .set_read_timeout(Some(LONG_WAIT))
                .expect("it is a socket");
            speaker.write_all(b"still").expect("it is open");
            hearer.read_exact(&mut heard).expect("it arrives");
        }
    }
    // An open socket would keep the container's network.
    drop(listener);
    clear(host);
}

#[test]
fn datagrams_that_come_back_end_as_well() {
    let host = TestHost::create();
    host.network("net1", "--ipv6");
    let web1 = host.idles("web1", "--network net1");
    let bound = |address: IpAddr| {
        let socket = UdpSocket::bind((address, 0)).expect("a port is free");
        let patience = Some(LONG_WAIT);
        socket.set_read_timeout(patience).expect("it is a socket");
        socket
    };
    for (address, own) in NEIGHBOUR.into_iter().zip(web1.addresses_on("net1")) {
        let server = host.neighbour().inside(|| bound(address));
        let client = web1.inside(|| bound(own));
        let target = server.local_addr().expect("it is bound");
        client.send_to(b"hello", target).expect("it is sent");
        let (_, caller) = server.recv_from(&mut [0; 8]).expect("it arrives");
        server.send_to(b"hello", caller).expect("it is sent");
        client.recv_from(&mut [0; 8]).expect("it arrives");
        host.minirun("update --egress none web1").succeeds();
        server.send_to(b"late", caller).expect("it is sent");
        let patience = Some(Duration::from_millis(500));
        client.set_read_timeout(patience).expect("it is a socket");
        client.recv_from(&mut [0; 8]).expect_err("nothing may come");
        host.minirun("update --egress any web1").succeeds();
    }
    clear(host);
}

#[test]
fn names_of_others_follow() {
    let host = TestHost::create();
    host.write_file("/etc/resolv.conf", "nameserver 192.0.2.2\n");
    host.network("net1", "");
    let address = SocketAddr::new(NEIGHBOUR[0], 53);
    let zone = Zone::of(&[("a.test", "198.51.100.1")]);
    let server = host
        .neighbour()
        .inside(|| DnsUpstream::start(address, zone));
    let web1 = host.idles("web1", "--network net1");
    for (options, answers) in [
        ("none", false),
        ("dns", true),
        ("192.0.2.2", false),
        ("any", true),
    ] {
        host.minirun(format!("update --egress {options} web1"))
            .succeeds();
        let answer = web1.asks(TYPE::A, "a.test");
        match answers {
            true => answer.is(&["198.51.100.1"]),
            false => answer.fails_with(RCODE::ServerFailure),
        };
    }
    drop(server);
    clear(host);
}

#[test]
fn it_is_recorded_and_holds_at_the_next_start() {
    let host = TestHost::create();
    host.network("net1", "--ipv6");
    let listener = host.neighbour().inside(|| tcp_listen(443));
    let web1 = host.idles("web1", "--network net1");
    host.minirun("stop -t 0 web1").succeeds();
    host.minirun("update --egress none web1").succeeds();
    assert_eq!(web1.inspect()["HostConfig"]["Egress"], json!("none"));
    host.minirun("start web1").succeeds();
    reaches(&web1, 443, Reach::Refused);
    host.minirun("update --egress elsewhere web1")
        .fails_with(125);
    assert_eq!(web1.inspect()["HostConfig"]["Egress"], json!("none"));
    drop(listener);
    clear(host);
}

#[test]
fn a_change_that_was_recorded_and_killed_is_carried_out_by_the_next_command() {
    let host = TestHost::create();
    host.network("net1", "--ipv6");
    let web1 = host.idles("web1", "--network net1");
    let id = web1.inspect()["Id"]
        .as_str()
        .expect("it has an id")
        .to_owned();
    let directory = format!("/var/lib/minirun/containers/{id}");
    let record = format!("{directory}/container.json");
    let open = host.read_file(&record);
    host.minirun("update --egress none web1").succeeds();
    let closed = host.read_file(&record);
    host.minirun("update --egress any web1").succeeds();
    assert_eq!(host.read_file(&record), open);
    let connections = NEIGHBOUR.map(|address| connection(&host, &web1, address));
    // Killed after the record of the container, and the second time after that of the endpoint.
    for after_endpoint in [false, true] {
        if after_endpoint {
            let endpoint = format!("/run/minirun/networks/net1/endpoints/{id}.json");
            let restricted = host.read_file(&endpoint);
            host.write_file(&record, &open);
            host.minirun("update --egress any web1").succeeds();
            host.write_file(&endpoint, &restricted);
            host.command("rm", "/run/minirun/firewall").succeeds();
        }
        host.write_file(&record, &closed);
        host.write_file(&format!("{directory}/changing"), "");
        host.minirun("ps").succeeds();
        let listener = host.neighbour().inside(|| tcp_listen(443));
        reaches(&web1, 443, Reach::Refused);
        drop(listener);
        match host.driver() {
            Driver::Iptables => {
                host.rules("filter").have(&["-A INPUT -j MINIRUN-EGRESS"]);
            }
            Driver::Nftables => {
                host.table().have(&["jump egress4-"]);
            }
        }
    }
    for [own, _] in connections {
        is_reset(own);
    }
    clear(host);
}

#[test]
fn a_container_without_a_network_of_its_own_is_not_restricted() {
    let host = TestHost::create();
    host.network("net1", "");
    host.idles("web1", "--network host");
    host.minirun("update --egress none web1")
        .fails_with(1)
        .stderr_contains(
            "`--egress` needs a bridge network, and the container has `--network host`",
        );
    clear(host);
}

/// Stands before the programs that write rules, and notes what is guarded when the first of them has written some.
const WITNESS: &str = r#"
real=$(readlink -f "$(command -v iptables-restore)")
mkdir /run/real
cp "$real" /run/real/multi
for name in iptables-restore ip6tables-restore iptables ip6tables; do ln -s multi "/run/real/$name"; done
cat >/run/witness <<'END'
#!/bin/sh
/run/real/"${0##*/}" "$@"
code=$?
[ -e /run/seen ] || nft list table bridge minirun >/run/seen 2>&1
exit $code
END
chmod 755 /run/witness
mount --bind /run/witness "$real"
"#;

/// With the rules everything is known to be as it should. A command that is killed then must not have left the guard for later:
/// nobody would look for it.
#[test]
fn the_guard_of_the_addresses_is_there_before_the_rules_are() {
    let host = TestHost::using(Driver::Iptables);
    host.network("net1", "");
    host.idles("web1", "--network net1");
    host.command("sh", ["-c", WITNESS]).succeeds();
    host.minirun("update --egress none web1").succeeds();
    let seen = host.read_file("/run/seen");
    assert!(seen.contains("\"veth"), "{seen}");
    clear(host);
}
