//! Names that no container has: who is asked for them, from where, and what becomes of the answers.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::time::{Duration, Instant};

use minirun_integration::probe::{
    DnsAnswer, DnsQuestion, LONG_WAIT, Reach, Transport, dns_ask, tcp_connect,
};
use minirun_integration::{
    Container, DnsUpstream, HOST_ADDRESS, NEIGHBOUR_ADDRESS, TestHost, Zone,
};
use nix::net::if_::if_nametoindex;
use simple_dns::{PacketFlag, RCODE, TYPE};

const RESOLV_CONF: &str = "/etc/resolv.conf";

/// A second address of the neighbour, for a second name server.
const SECOND_ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 3);

/// The network `net1` with the container `web1` on it.
fn furnish<'host>(host: &'host TestHost, options: &str) -> Container<'host> {
    host.neighbour()
        .command("ip", format!("address add {SECOND_ADDRESS}/24 dev lan0"))
        .succeeds();
    host.network("net1", "");
    host.idles("web1", &format!("--network net1 {options}"))
}

fn clear(host: TestHost) {
    host.removes("web1");
    host.removes_networks("net1");
    host.finish();
}

/// A name server on an address of the neighbour.
fn upstream(host: &TestHost, address: Ipv4Addr, zone: Zone) -> DnsUpstream {
    host.neighbour()
        .inside(|| DnsUpstream::start(SocketAddrV4::new(address, 53), zone))
}

/// A zone in which `a.test` has this address.
fn zone_with(address: &str) -> Zone {
    Zone::of(&[("a.test", address)])
}

fn nameservers(addresses: &[&str]) -> String {
    addresses
        .iter()
        .map(|address| format!("nameserver {address}\n"))
        .collect()
}

#[test]
fn other_names_are_asked_of_the_hosts_server_over_the_transport_of_the_question() {
    let host = TestHost::create();
    host.write_file(RESOLV_CONF, &nameservers(&["192.0.2.2"]));
    let zone = Zone::of(&[("a.test", "198.51.100.1"), ("a.test", "2001:db8::1")]);
    let server = upstream(&host, NEIGHBOUR_ADDRESS, zone);
    let web1 = furnish(&host, "");
    for transport in [Transport::Udp, Transport::Tcp] {
        let answer = web1.asks_over(transport, TYPE::A, "A.test");
        answer.is(&["198.51.100.1"]);
        assert_eq!(answer.question, "A.test");
        assert!(answer.has(PacketFlag::RECURSION_AVAILABLE | PacketFlag::RECURSION_DESIRED));
        assert!(!answer.has(PacketFlag::AUTHORITATIVE_ANSWER));
        web1.asks_over(transport, TYPE::AAAA, "a.test")
            .is(&["2001:db8::1"]);
        web1.asks_over(transport, TYPE::MX, "a.test").is(&[]);
        web1.asks_over(transport, TYPE::A, "b.test")
            .fails_with(RCODE::NameError);
        let seen = server.takes_seen();
        assert_eq!(
            seen.len(),
            4,
            "nothing is asked twice, and nothing is remembered"
        );
        assert!(seen.iter().all(|one| one.transport == transport));
    }
    drop(server);
    clear(host);
}

#[test]
fn an_answer_too_long_for_a_datagram_is_cut_and_comes_whole_over_tcp() {
    let host = TestHost::create();
    host.write_file(RESOLV_CONF, &nameservers(&["192.0.2.2"]));
    let addresses: Vec<_> = (0..100).map(|last| format!("198.51.100.{last}")).collect();
    let lines: Vec<_> = addresses
        .iter()
        .map(|address| ("big.test", address.as_str()))
        .collect();
    let server = upstream(&host, NEIGHBOUR_ADDRESS, Zone::of(&lines));
    let web1 = furnish(&host, "");
    assert!(web1.asks(TYPE::A, "big.test").has(PacketFlag::TRUNCATION));
    let whole = web1.asks_over(Transport::Tcp, TYPE::A, "big.test");
    assert_eq!(whole.values.len(), addresses.len());
    drop(server);
    clear(host);
}

/// Asks for the address of `a.test`, and says how long the answer took; looking for the container takes time of its own.
#[track_caller]
fn asks_and_measures(container: &Container<'_>, transport: Transport) -> (DnsAnswer, Duration) {
    let question = DnsQuestion {
        name: "a.test",
        kind: TYPE::A,
    };
    container.inside(|| {
        let began = Instant::now();
        let answer = dns_ask(Container::NAME_SERVER, &question, transport, LONG_WAIT);
        (answer.expect("somebody answers"), began.elapsed())
    })
}

/// What the first of two servers may do, so that the second is asked.
fn failures() -> [Zone; 3] {
    [
        Zone::Silent,
        Zone::Always(RCODE::ServerFailure),
        Zone::Always(RCODE::Refused),
    ]
}

#[test]
fn the_next_server_is_asked_when_one_fails_or_is_silent() {
    let host = TestHost::create();
    host.write_file(RESOLV_CONF, &nameservers(&["192.0.2.2", "192.0.2.3"]));
    let web1 = furnish(&host, "");
    let second = upstream(&host, SECOND_ADDRESS, zone_with("198.51.100.1"));
    for failure in failures() {
        let first = upstream(&host, NEIGHBOUR_ADDRESS, failure.clone());
        for transport in [Transport::Udp, Transport::Tcp] {
            let (answer, time) = asks_and_measures(&web1, transport);
            answer.is(&["198.51.100.1"]);
            assert!(time.as_secs() < 5, "{failure:?}, {transport:?}");
        }
        assert!(!first.takes_names().is_empty(), "{failure:?}");
    }
    // Nobody listens on the first at all.
    web1.asks(TYPE::A, "a.test").is(&["198.51.100.1"]);
    drop(second);
    clear(host);
}

#[test]
fn a_name_that_does_not_exist_is_not_asked_of_the_next_server() {
    let host = TestHost::create();
    host.write_file(RESOLV_CONF, &nameservers(&["192.0.2.2", "192.0.2.3"]));
    let web1 = furnish(&host, "");
    let first = upstream(&host, NEIGHBOUR_ADDRESS, Zone::of(&[]));
    let second = upstream(&host, SECOND_ADDRESS, zone_with("198.51.100.1"));
    web1.asks(TYPE::A, "a.test").fails_with(RCODE::NameError);
    assert_eq!(second.takes_names(), [""; 0]);
    drop((first, second));
    clear(host);
}

#[test]
fn when_no_server_can_answer_the_question_fails_soon() {
    let host = TestHost::create();
    let web1 = furnish(&host, "");
    for (configuration, zones) in [
        (nameservers(&["192.0.2.2", "192.0.2.3"]), failures()),
        (String::from("# no server at all\n"), failures()),
        (nameservers(&["127.0.0.11"]), failures()),
    ] {
        host.write_file(RESOLV_CONF, &configuration);
        for zone in zones {
            let servers = [NEIGHBOUR_ADDRESS, SECOND_ADDRESS]
                .map(|address| upstream(&host, address, zone.clone()));
            let (answer, time) = asks_and_measures(&web1, Transport::Udp);
            let code = answer.code;
            assert!(
                [RCODE::ServerFailure, RCODE::Refused].contains(&code),
                "{configuration}{zone:?}: {code:?}"
            );
            assert!(time.as_secs() < 8, "{configuration}{zone:?}");
            drop(servers);
        }
    }
    web1.finds(&["web1"], &[web1.address_on("net1")]);
    clear(host);
}

#[test]
fn a_server_on_the_loopback_of_the_host_is_asked_there() {
    let host = TestHost::create();
    host.write_file(
        RESOLV_CONF,
        "nameserver 127.0.0.53\noptions edns0 trust-ad\nsearch .\n",
    );
    let stub = SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, 53), 53);
    let server = host.inside(|| DnsUpstream::start(stub, zone_with("198.51.100.1")));
    let web1 = furnish(&host, "");
    for transport in [Transport::Udp, Transport::Tcp] {
        web1.asks_over(transport, TYPE::A, "a.test")
            .is(&["198.51.100.1"]);
    }
    let seen = server.takes_seen();
    assert!(seen.iter().all(|one| one.peer.is_loopback()), "{seen:?}");
    drop(server);
    clear(host);
}

#[test]
fn a_server_with_a_link_local_address_is_asked_through_its_link() {
    let host = TestHost::create();
    let index = host
        .neighbour()
        .inside(|| if_nametoindex("lan0"))
        .expect("there is a wire");
    host.neighbour()
        .command("ip", "address add fe80::53/64 dev lan0 nodad")
        .succeeds();
    host.command("ip", "address add fe80::1/64 dev uplink0 nodad")
        .succeeds();
    let address = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0x53);
    let address = SocketAddr::from(SocketAddrV6::new(address, 53, 0, index));
    let server = host
        .neighbour()
        .inside(|| DnsUpstream::start(address, zone_with("198.51.100.1")));
    host.write_file(RESOLV_CONF, "nameserver fe80::53%uplink0\n");
    let web1 = furnish(&host, "");
    web1.asks(TYPE::A, "a.test").is(&["198.51.100.1"]);
    drop(server);
    clear(host);
}

#[test]
fn a_running_container_follows_the_servers_of_its_host() {
    let host = TestHost::create();
    host.write_file(RESOLV_CONF, &nameservers(&["192.0.2.2"]));
    let first = upstream(&host, NEIGHBOUR_ADDRESS, zone_with("198.51.100.1"));
    let web1 = furnish(&host, "");
    let second = upstream(&host, SECOND_ADDRESS, zone_with("198.51.100.2"));
    web1.asks(TYPE::A, "a.test").is(&["198.51.100.1"]);
    // Written in place.
    host.write_file(RESOLV_CONF, &nameservers(&["192.0.2.3"]));
    web1.asks(TYPE::A, "a.test").is(&["198.51.100.2"]);
    // Replaced by a file of the same length.
    host.write_file("/etc/resolv.conf.new", &nameservers(&["192.0.2.2"]));
    host.command("mv", "/etc/resolv.conf.new /etc/resolv.conf")
        .succeeds();
    web1.asks(TYPE::A, "a.test").is(&["198.51.100.1"]);
    // Gone, and there again as a symbolic link.
    host.command("rm", RESOLV_CONF).succeeds();
    web1.finds(&["web1"], &[web1.address_on("net1")]);
    host.write_file("/run/resolver/resolv.conf", &nameservers(&["192.0.2.3"]));
    host.command("ln", "-s /run/resolver/resolv.conf /etc/resolv.conf")
        .succeeds();
    web1.asks(TYPE::A, "a.test").is(&["198.51.100.2"]);
    drop((first, second));
    clear(host);
}

#[test]
fn the_servers_of_a_container_are_asked_from_its_own_network() {
    let host = TestHost::create();
    host.network("net2", "");
    let own = host.idles("own", "--network net2");
    let address = own.address_on("net2");
    let server = own
        .inside(|| DnsUpstream::start(SocketAddrV4::new(address, 53), zone_with("198.51.100.1")));
    let hosts = upstream(&host, NEIGHBOUR_ADDRESS, zone_with("198.51.100.2"));
    host.write_file(RESOLV_CONF, &nameservers(&["192.0.2.2"]));
    let web1 = furnish(&host, &format!("--network net2 --dns {address}"));
    // A bridge lets a new port take part a moment after its link is up, and nobody repeats a datagram that comes before.
    let server_socket = SocketAddrV4::new(address, 53);
    let reach = web1.inside(|| tcp_connect(server_socket, LONG_WAIT));
    assert_eq!(reach, Reach::Open);
    for transport in [Transport::Udp, Transport::Tcp] {
        web1.asks_over(transport, TYPE::A, "a.test")
            .is(&["198.51.100.1"]);
    }
    let seen = server.takes_seen();
    assert!(
        seen.iter().all(|one| one.peer == web1.address_on("net2")),
        "{seen:?}"
    );
    assert_eq!(hosts.takes_names(), [""; 0], "they replace the host's");
    drop((server, hosts));
    host.removes("own web1");
    host.removes_networks("net1 net2");
    host.finish();
}

#[test]
fn a_container_that_is_told_to_ask_itself_asks_the_next_server() {
    let host = TestHost::create();
    let server = upstream(&host, NEIGHBOUR_ADDRESS, zone_with("198.51.100.1"));
    let web1 = furnish(&host, "--dns 127.0.0.11 --dns 192.0.2.2");
    web1.asks(TYPE::A, "a.test").is(&["198.51.100.1"]);
    let seen = server.takes_seen();
    assert!(seen.iter().all(|one| one.peer == HOST_ADDRESS), "{seen:?}");
    let alone = host.idles("alone", "--network net1 --dns 127.0.0.11");
    alone
        .asks(TYPE::A, "a.test")
        .fails_with(RCODE::ServerFailure);
    alone.finds(&["web1"], &[web1.address_on("net1")]);
    drop(server);
    host.removes("alone");
    clear(host);
}

#[test]
fn on_an_internal_network_names_resolve_and_nothing_is_asked_of_anybody_outside() {
    let host = TestHost::create();
    host.write_file(RESOLV_CONF, &nameservers(&["192.0.2.2", "127.0.0.53"]));
    let outside = upstream(&host, NEIGHBOUR_ADDRESS, zone_with("198.51.100.1"));
    let stub = SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, 53), 53);
    let local = host.inside(|| DnsUpstream::start(stub, zone_with("198.51.100.2")));
    host.network("inner", "--internal --ipv6");
    let web1 = host.idles("web1", "--network inner");
    let web2 = host.idles("web2", "--network inner");
    web2.finds(&["web1", "web1.inner"], &[web1.address_on("inner")]);
    for transport in [Transport::Udp, Transport::Tcp] {
        let answer = web2.asks_over(transport, TYPE::A, "a.test");
        assert_ne!(answer.code, RCODE::NoError, "{answer:?}");
        assert!(answer.values.is_empty());
    }
    web2.asks_whose(Ipv4Addr::new(198, 51, 100, 1));
    for server in [&outside, &local] {
        assert_eq!(server.takes_names(), [""; 0], "names are a way out, too");
    }
    host.network("net1", "");
    host.minirun("network connect net1 web2").succeeds();
    web2.asks(TYPE::A, "a.test").is(&["198.51.100.1"]);
    drop((outside, local));
    host.removes("web1 web2");
    host.removes_networks("inner net1");
    host.finish();
}
