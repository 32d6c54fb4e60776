//! Published ports: who reaches them, as whom they are seen, and who owns them.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};

use minirun_integration::probe::{
    LONG_WAIT, Reach, SHORT_WAIT, http_get, tcp_connect, tcp_listen, udp_ask, udp_echo,
};
use minirun_integration::{HOST_ADDRESS, NEIGHBOUR_ADDRESS, TestHost};

const FROM_LAN: SocketAddrV4 = SocketAddrV4::new(HOST_ADDRESS, 8080);
const FROM_LOOPBACK: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 8080);

/// The host port in the answer of `minirun port NAME 80`: `0.0.0.0:32768`.
fn published_port(host: &TestHost, name: &str) -> u16 {
    let answer = host.minirun(format!("port {name} 80")).succeeds();
    let port = answer
        .line()
        .strip_prefix("0.0.0.0:")
        .and_then(|text| text.parse().ok());
    port.unwrap_or_else(|| panic!("not an address and a port: {}", answer.line()))
}

#[test]
fn a_published_port_is_open_to_the_host_its_loopback_and_the_lan() {
    let host = TestHost::create();
    host.serves("web1", "-p 8080:80", 80);
    for target in [FROM_LOOPBACK, FROM_LAN] {
        host.inside(|| http_get(target, "/"))
            .unwrap_or_else(|error| panic!("from the host to {target}: {error}"));
    }
    host.neighbour()
        .inside(|| http_get(FROM_LAN, "/"))
        .expect("from the LAN");
    host.minirun("port web1")
        .succeeds()
        .stdout_is("80/tcp -> 0.0.0.0:8080");
    host.minirun("ps")
        .succeeds()
        .stdout_contains("0.0.0.0:8080->80/tcp");
    host.removes("web1");
    host.finish();
}

#[test]
fn a_client_on_the_lan_is_seen_under_its_own_address() {
    let host = TestHost::create();
    host.minirun("run -d --name web1 -p 8080:80 demo sleep infinity")
        .succeeds();
    let listener = host.container("web1").inside(|| tcp_listen(80));
    assert_eq!(
        host.neighbour().inside(|| tcp_connect(FROM_LAN, LONG_WAIT)),
        Reach::Open
    );
    assert_eq!(
        listener.next_peer(LONG_WAIT).map(|peer| peer.ip()),
        Some(NEIGHBOUR_ADDRESS.into())
    );
    drop(listener);
    host.removes("web1");
    host.finish();
}

#[test]
fn a_container_reaches_its_own_published_port() {
    let host = TestHost::create();
    let container = host.serves("web1", "-p 8080:80", 80);
    for (icc, bridge_rules) in [("true", "0"), ("true", "1"), ("false", "0"), ("false", "1")] {
        host.minirun(format!("network update bridge --icc={icc}"))
            .succeeds();
        let present = host.set_sysctl("net/bridge/bridge-nf-call-iptables", bridge_rules);
        // With br_netfilter the kernel translates the address while the packet is still bridged, and then refuses to send it back
        // through the isolated port that it came from; that is a known limit.
        let expected = match (icc, bridge_rules) {
            ("false", "1") if present => Reach::Silent,
            _ => Reach::Open,
        };
        let patience = if expected == Reach::Open {
            LONG_WAIT
        } else {
            SHORT_WAIT
        };
        assert_eq!(
            container.inside(|| tcp_connect(FROM_LAN, patience)),
            expected,
            "icc={icc}, bridge-nf-call-iptables={bridge_rules}"
        );
    }
    host.removes("web1");
    host.finish();
}

#[test]
fn datagrams_come_through_and_go_back() {
    let host = TestHost::create();
    host.minirun("run -d --name dns -p 5353:53/udp demo sleep infinity")
        .succeeds();
    let echo = host.container("dns").inside(|| udp_echo(53));
    let target = SocketAddrV4::new(HOST_ADDRESS, 5353);
    let answer = host
        .neighbour()
        .inside(|| udp_ask(target, "question", LONG_WAIT));
    assert!(answer.is_some_and(|answer| answer.starts_with("question 192.0.2.2:")));
    host.minirun("port dns 53/udp")
        .succeeds()
        .stdout_is("0.0.0.0:5353");
    drop(echo);
    host.removes("dns");
    host.finish();
}

#[test]
fn a_port_without_a_host_port_gets_a_free_one_and_keeps_it_through_a_restart() {
    let host = TestHost::create();
    host.serves("web1", "-p 80", 80);
    let before = published_port(&host, "web1");
    host.neighbour()
        .inside(|| http_get(SocketAddrV4::new(HOST_ADDRESS, before), "/"))
        .expect("the port is open");
    host.minirun("restart web1").succeeds();
    assert_eq!(published_port(&host, "web1"), before);
    host.removes("web1");
    host.finish();
}

#[test]
fn random_ports_of_many_containers_differ() {
    let host = TestHost::create();
    let names: Vec<_> = (0..5).map(|number| format!("web{number}")).collect();
    for name in &names {
        host.minirun(format!("run -d --name {name} -p 80 demo httpd -p 80"))
            .succeeds();
    }
    let ports: BTreeSet<_> = names
        .iter()
        .map(|name| published_port(&host, name))
        .collect();
    assert_eq!(ports.len(), names.len());
    host.removes(&names.join(" "));
    host.finish();
}

#[test]
fn publish_all_publishes_every_exposed_port() {
    let host = TestHost::create();
    host.serves("web1", "-P --expose 80 --expose 5353/udp", 80);
    let ports = host
        .minirun("port web1")
        .succeeds()
        .stdout_contains("80/tcp -> 0.0.0.0:")
        .stdout_contains("5353/udp -> 0.0.0.0:");
    assert_eq!(ports.stdout().lines().count(), 2);
    let target = SocketAddrV4::new(HOST_ADDRESS, published_port(&host, "web1"));
    host.neighbour()
        .inside(|| http_get(target, "/"))
        .expect("the port is open");
    host.removes("web1");
    host.finish();
}

#[test]
fn a_second_container_cannot_claim_the_port_and_is_told_who_owns_it() {
    let host = TestHost::create();
    host.serves("web1", "-p 8080:80", 80);
    host.minirun("run -d --name web2 -p 8080:80 demo httpd -p 80")
        .fails_with(125)
        .stderr_contains("8080")
        .stderr_contains("`web1`");
    host.minirun("ps -a").succeeds().stdout_lacks("web2");
    host.inside(|| http_get(FROM_LOOPBACK, "/"))
        .expect("the first is still served");
    host.removes("web1");
    host.finish();
}

#[test]
fn of_two_containers_that_want_one_port_at_once_one_gets_it() {
    let host = TestHost::create();
    let both = ["web1", "web2"].map(|name| {
        host.spawn_minirun(format!("run -d --name {name} -p 8080:80 demo httpd -p 80"))
    });
    let codes: BTreeSet<_> = both
        .into_iter()
        .map(|running| running.finish().code())
        .collect();
    assert_eq!(codes, BTreeSet::from([Some(0), Some(125)]));
    let winner = host.minirun(["ps", "-aq"]).succeeds().line().to_owned();
    host.removes(&winner);
    host.finish();
}

#[test]
fn a_port_that_a_foreign_program_owns_is_refused() {
    let host = TestHost::create();
    let listener = host.inside(|| tcp_listen(8080));
    host.minirun("run -d --name web1 -p 8080:80 demo httpd -p 80")
        .fails_with(125)
        .stderr_contains("8080");
    host.minirun("ps -a").succeeds().stdout_lacks("web1");
    drop(listener);
    host.serves("web1", "-p 8080:80", 80);
    host.removes("web1");
    host.finish();
}

#[test]
fn a_published_port_is_taken_for_foreign_programs_until_its_container_is_gone() {
    let host = TestHost::create();
    host.serves("web1", "-p 8080:80", 80);
    let bound = host
        .inside(|| TcpListener::bind((Ipv4Addr::UNSPECIFIED, 8080)))
        .map_err(|error| error.kind());
    assert_eq!(bound.map(drop), Err(ErrorKind::AddrInUse));
    host.removes("web1");
    // Dropped, this one listens no more. A plain socket would go on in a program that another test starts in this moment, until
    // that is executed, and would take the connection below.
    drop(host.inside(|| tcp_listen(8080)));
    assert_eq!(
        host.neighbour().inside(|| tcp_connect(FROM_LAN, LONG_WAIT)),
        Reach::Refused
    );
    host.finish();
}

#[test]
fn a_stopped_container_frees_its_port_and_takes_it_again() {
    let host = TestHost::create();
    host.serves("web1", "-p 8080:80", 80);
    host.minirun("stop web1").succeeds();
    assert_eq!(
        host.neighbour().inside(|| tcp_connect(FROM_LAN, LONG_WAIT)),
        Reach::Refused
    );
    host.minirun("start web1").succeeds();
    host.container("web1").awaits_tcp(80);
    assert_eq!(
        host.neighbour().inside(|| tcp_connect(FROM_LAN, LONG_WAIT)),
        Reach::Open
    );
    host.removes("web1");
    host.finish();
}

#[test]
fn an_exposed_port_is_shown_but_not_published() {
    let host = TestHost::create();
    host.serves("web1", "--expose 80", 80);
    host.minirun("ps")
        .succeeds()
        .stdout_contains("80/tcp")
        .stdout_lacks("->80/tcp");
    host.minirun("port web1").succeeds().stdout_is("");
    host.removes("web1");
    host.finish();
}
