//! What a container may open connections to beyond its networks and links: `--egress` and `--egress-deny`.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use minirun_integration::probe::{
    EthernetSocket, LONG_WAIT, Reach, SHORT_WAIT, tcp_connect, tcp_listen, udp_ask, udp_echo,
};
use minirun_integration::{
    Container, Driver, HOST_ADDRESS, HOST_ADDRESS_V6, NEIGHBOUR_ADDRESS, NEIGHBOUR_ADDRESS_V6,
    TestHost,
};

/// The neighbour's addresses.
const NEIGHBOUR: [IpAddr; 2] = [
    IpAddr::V4(NEIGHBOUR_ADDRESS),
    IpAddr::V6(NEIGHBOUR_ADDRESS_V6),
];
/// The host's addresses on its LAN.
const HOST: [IpAddr; 2] = [IpAddr::V4(HOST_ADDRESS), IpAddr::V6(HOST_ADDRESS_V6)];

/// Whether a container can open a connection.
#[track_caller]
fn reaches(container: &Container<'_>, address: IpAddr, port: u16) -> Reach {
    container.inside(|| tcp_connect(SocketAddr::new(address, port), LONG_WAIT))
}

/// Expects what becomes of connections to a port at each of the addresses.
#[track_caller]
fn reaches_all(container: &Container<'_>, (addresses, port): ([IpAddr; 2], u16), expected: Reach) {
    for address in addresses {
        let target = SocketAddr::new(address, port);
        assert_eq!(reaches(container, address, port), expected, "to {target}");
    }
}

/// Whether a container gets an answer from the echo of datagrams, within `patience`.
fn is_echoed(container: &Container<'_>, target: SocketAddr, patience: Duration) -> bool {
    container
        .inside(|| udp_ask(target, "echo", patience))
        .is_some()
}

/// The network `net1` of both families.
fn dual_stack(host: &TestHost) {
    host.network("net1", "--ipv6");
}

fn clear(host: TestHost, containers: &str, networks: &str) {
    host.removes(containers);
    if !networks.is_empty() {
        host.removes_networks(networks);
    }
    host.finish();
}

#[test]
fn a_list_lets_through_what_it_names_and_refuses_the_rest_at_once() {
    let host = TestHost::create();
    dual_stack(&host);
    let listeners = host.neighbour().inside(|| {
        let udp = [udp_echo(53), udp_echo(54)];
        ([443, 444, 8005].map(tcp_listen), udp)
    });
    let allowed = "192.0.2.2:443,[2001:db8:0:1::/64]:443/tcp,192.0.2.0/24:8000-8010/tcp,[2001:db8:0:1::2]:8000-8010,\
                   192.0.2.2:53/udp,[2001:db8:0:1::2]:53/udp";
    let web1 = host.idles("web1", &format!("--network net1 --egress {allowed}"));
    for (port, expected) in [
        (443, Reach::Open),
        (8005, Reach::Open),
        (444, Reach::Refused),
    ] {
        reaches_all(&web1, (NEIGHBOUR, port), expected);
    }
    for address in NEIGHBOUR {
        let [open, closed] = [53, 54].map(|port| SocketAddr::new(address, port));
        assert!(is_echoed(&web1, open, LONG_WAIT), "{address}");
        assert!(!is_echoed(&web1, closed, SHORT_WAIT), "{address}");
        let ping = format!("ping -c 1 -W 1 {address}");
        assert_ne!(web1.command("busybox", ping).code(), Some(0), "{address}");
    }
    drop(listeners);
    clear(host, "web1", "net1");
}

#[test]
fn with_none_a_container_answers_and_reaches_peers_but_opens_nothing_beyond() {
    let host = TestHost::create();
    dual_stack(&host);
    host.network("net2", "--ipv6");
    host.serves("other", "--network net2 -p 9090:80", 80);
    let peer = host.serves("peer", "--network net1", 80);
    let web1 = host.serves("web1", "--network net1 --egress none -p 8080:80", 80);
    let listeners = (
        host.inside(|| tcp_listen(7000)),
        host.neighbour().inside(|| tcp_listen(443)),
    );
    for address in HOST {
        let published = SocketAddr::new(address, 8080);
        let answer = host
            .neighbour()
            .inside(|| tcp_connect(published, LONG_WAIT));
        assert_eq!(answer, Reach::Open, "{published}");
    }
    reaches_all(&web1, (NEIGHBOUR, 443), Reach::Refused);
    let network = host.network_called("net1");
    for host_addresses in [HOST, [network.gateway(), network.gateway_v6()]] {
        reaches_all(&web1, (host_addresses, 7000), Reach::Refused);
        for address in host_addresses {
            // The kernel cannot refuse what it has translated already.
            let published = SocketAddr::new(address, 9090);
            let reach = web1.inside(|| tcp_connect(published, SHORT_WAIT));
            assert_ne!(reach, Reach::Open, "{published}");
        }
    }
    for address in peer.addresses_on("net1") {
        assert_eq!(reaches(&web1, address, 80), Reach::Open, "{address}");
    }
    for address in web1.addresses_on("net1") {
        assert_eq!(reaches(&peer, address, 80), Reach::Open, "{address}");
    }
    reaches_all(&peer, (NEIGHBOUR, 443), Reach::Open);
    drop(listeners);
    clear(host, "web1 peer other", "net1 net2");
}

#[test]
fn private_addresses_are_denied_even_if_they_are_allowed_and_others_are_not() {
    let host = TestHost::create();
    for address in ["169.254.169.254/32", "10.9.8.7/32", "fd00:9::7/128 nodad"] {
        let add = format!("address add {address} dev lan0");
        host.neighbour().command("ip", add).succeeds();
    }
    host.neighbour()
        .command("sysctl", "-w net.ipv4.conf.all.rp_filter=0")
        .code();
    dual_stack(&host);
    let listeners = (
        host.inside(|| tcp_listen(7000)),
        host.neighbour().inside(|| tcp_listen(80)),
    );
    let denied = "--network net1 --egress 0.0.0.0/0,::/0 --egress-deny private,192.0.2.3";
    let web1 = host.idles("web1", denied);
    let free = host.idles("free", "--network net1");
    for private in ["169.254.169.254", "10.9.8.7", "fd00:9::7"] {
        let address: IpAddr = private.parse().expect("an address");
        assert_eq!(reaches(&free, address, 80), Reach::Open, "{address}");
        assert_eq!(reaches(&web1, address, 80), Reach::Refused, "{address}");
    }
    reaches_all(&web1, (NEIGHBOUR, 80), Reach::Open);
    let network = host.network_called("net1");
    let gateways = [network.gateway(), network.gateway_v6()];
    reaches_all(&web1, (gateways, 7000), Reach::Refused);
    reaches_all(&web1, (HOST, 7000), Reach::Open);
    assert_eq!(reaches(&web1, [192, 0, 2, 3].into(), 80), Reach::Refused);
    drop(listeners);
    clear(host, "web1 free", "net1");
}

#[test]
fn with_icc_off_links_are_all_that_none_leaves() {
    let host = TestHost::create();
    host.network("net1", "--ipv6 --icc=false");
    let db = host.serves("db", "--network net1 --expose 80", 80);
    let stranger = host.serves("stranger", "--network net1 --expose 80", 80);
    let web1 = host.idles("web1", "--network net1 --link db --egress none");
    for address in db.addresses_on("net1") {
        assert_eq!(reaches(&web1, address, 80), Reach::Open, "{address}");
    }
    for address in stranger.addresses_on("net1") {
        let target = SocketAddr::new(address, 80);
        let reach = web1.inside(|| tcp_connect(target, SHORT_WAIT));
        assert_ne!(reach, Reach::Open, "{address}");
    }
    clear(host, "web1 db stranger", "net1");
}

/// Sends a datagram from an address that the container has given itself; whether it arrives within `patience`.
fn arrives(
    container: &Container<'_>,
    (server, patience): (&UdpSocket, Duration),
    (from, to): (&str, IpAddr),
) -> bool {
    server
        .set_read_timeout(Some(patience))
        .expect("it is a socket");
    let port = server.local_addr().expect("it is bound").port();
    container.inside(|| {
        let socket = UdpSocket::bind((from, 0)).expect("it has the address");
        socket.send_to(b"spoofed", (to, port)).expect("it is sent");
    });
    server.recv_from(&mut [0; 16]).is_ok()
}

#[test]
fn another_source_address_does_not_get_around_it() {
    let host = TestHost::create();
    host.network(
        "net1",
        "--ipv6 --subnet 172.30.0.0/16 --subnet fd00:30::/64",
    );
    let web1 = host.idles("web1", "--network net1 --egress none");
    let free = host.idles("free", "--network net1");
    for address in ["172.30.9.99/16", "fd00:30::9:99/64 nodad"] {
        let add = format!("address add {address} dev eth0");
        web1.command("ip", add).succeeds();
    }
    let listen = |address: IpAddr| UdpSocket::bind((address, 0)).expect("a port is free");
    let silence = Duration::from_millis(500);
    let spoofed = ["172.30.9.99", "fd00:30::9:99"];
    let own = free.addresses_on("net1");
    for family in [0, 1] {
        let (spoofed, own) = (spoofed[family], &own[family].to_string());
        let server = host.neighbour().inside(|| listen(NEIGHBOUR[family]));
        let neighbour = NEIGHBOUR[family];
        assert!(
            arrives(&free, (&server, LONG_WAIT), (own, neighbour)),
            "{own}"
        );
        assert!(
            !arrives(&web1, (&server, silence), (spoofed, neighbour)),
            "{spoofed}"
        );
        let local = host.inside(|| listen(HOST[family]));
        assert!(
            !arrives(&web1, (&local, silence), (spoofed, HOST[family])),
            "{spoofed}"
        );
    }
    clear(host, "web1 free", "net1");
}

#[test]
fn neither_another_address_nor_another_protocol_is_spoken_on_the_bridge() {
    let host = TestHost::create();
    dual_stack(&host);
    let web1 = host.idles("web1", "--network net1 --egress none");
    let peer = host.idles("peer", "--network net1");
    let heard = |sender: &Container<'_>, receiver: &Container<'_>, patience: Duration| {
        let ears = receiver.inside(|| EthernetSocket::open("eth0"));
        let mouth = sender.inside(|| EthernetSocket::open("eth0"));
        let end = Instant::now() + patience;
        loop {
            mouth.send([0xff; 6], b"hello");
            if ears.receive(SHORT_WAIT).is_some() {
                return true;
            }
            if Instant::now() >= end {
                return false;
            }
        }
    };
    assert!(!heard(&web1, &peer, SHORT_WAIT));
    // An announcement of the host's own address, which would lead everybody's packets here.
    let gateway = host.network_called("net1").gateway();
    let before = peer.command("busybox", format!("arping -c 1 -w 5 -I eth0 {gateway}"));
    let before = before.succeeds().stdout().to_owned();
    web1.command("ip", format!("address add {gateway}/32 dev eth0"))
        .succeeds();
    let announce = format!("arping -U -c 1 -w 1 -s {gateway} -I eth0 {gateway}");
    web1.command("busybox", announce).code();
    let after = peer.command("busybox", format!("arping -c 1 -w 5 -I eth0 {gateway}"));
    let hardware = |text: &str| {
        let replies = text.lines().filter(|line| line.contains("reply from"));
        let words = replies.flat_map(|line| line.split('[').nth(1).map(str::to_owned));
        words
            .map(|word| word.split(']').next().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(hardware(after.succeeds().stdout()), hardware(&before));
    clear(host, "web1 peer", "net1");
}

#[test]
fn what_was_flushed_is_made_again_by_the_next_command() {
    let host = TestHost::create();
    dual_stack(&host);
    let listener = host.neighbour().inside(|| tcp_listen(443));
    let web1 = host.idles("web1", "--network net1 --egress none");
    for flush in [
        "iptables -F; ip6tables -F",
        match host.driver() {
            Driver::Iptables => "iptables -D INPUT -j MINIRUN-EGRESS; ip6tables -F MINIRUN-EGRESS",
            Driver::Nftables => {
                "nft flush chain inet minirun input; nft flush map inet minirun restricted6"
            }
        },
        "nft flush ruleset",
        "nft delete table bridge minirun",
    ] {
        host.command("sh", ["-c", flush]).succeeds();
        host.minirun("ps").succeeds();
        reaches_all(&web1, (NEIGHBOUR, 443), Reach::Refused);
        let guards = host.command("nft", "list table bridge minirun").succeeds();
        let elements = guards.stdout().matches("\"veth").count();
        assert_eq!(elements, 7, "after {flush}");
        match host.driver() {
            Driver::Iptables => {
                host.rules("filter").have(&["-A INPUT -j MINIRUN-EGRESS"]);
                host.rules6("filter").have(&["-A INPUT -j MINIRUN-EGRESS"]);
            }
            Driver::Nftables => {
                host.table()
                    .have(&["jump egress4-"])
                    .have(&["jump egress6-"]);
            }
        }
    }
    drop(listener);
    clear(host, "web1", "net1");
}

#[test]
fn it_holds_on_every_network_and_through_every_change_of_the_container() {
    let host = TestHost::create();
    dual_stack(&host);
    host.network("net2", "--ipv6");
    let listener = host.neighbour().inside(|| tcp_listen(443));
    host.idles("web1", "--network net1 --egress none");
    let keeps = |name: &str, after: &str| {
        let container = host.container(name);
        for address in NEIGHBOUR {
            assert_eq!(
                reaches(&container, address, 443),
                Reach::Refused,
                "after {after}"
            );
        }
    };
    for (command, name) in [
        ("network connect net2 web1", "web1"),
        ("network disconnect net1 web1", "web1"),
        ("rename web1 web2", "web2"),
        ("restart -t 0 web2", "web2"),
        ("network reload", "web2"),
        ("network update net2 --icc=false", "web2"),
    ] {
        host.minirun(command).succeeds();
        keeps(name, command);
    }
    drop(listener);
    host.removes("web2");
    host.rules("filter").lack(&["MINIRUN-EGRESS-"]);
    host.rules6("filter").lack(&["MINIRUN-EGRESS-"]);
    if host.driver() == Driver::Nftables {
        host.table().lack(&["egress4-"]).lack(&["egress6-"]);
    }
    let guards = host.command("nft", "list table bridge minirun").succeeds();
    guards.stdout_lacks("\"veth");
    host.removes_networks("net1 net2");
    host.finish();
}

#[test]
fn internal_and_routed_networks_have_it_as_well() {
    let host = TestHost::create();
    let listeners = (
        host.inside(|| tcp_listen(7000)),
        host.neighbour().inside(|| tcp_listen(443)),
    );
    host.network("inner", "--internal");
    let routed = host.network("outer", "-o gateway_mode=routed");
    let back = format!("route add {} via {HOST_ADDRESS}", routed.subnet());
    host.neighbour().command("ip", back).succeeds();
    for (name, network) in [("web1", "inner"), ("web2", "outer")] {
        let container = host.idles(name, &format!("--network {network} --egress 192.0.2.2:444"));
        let gateway = host.network_called(network).gateway();
        assert_eq!(reaches(&container, gateway, 7000), Reach::Refused, "{name}");
    }
    let web2 = host.container("web2");
    assert_eq!(reaches(&web2, NEIGHBOUR[0], 443), Reach::Refused);
    host.minirun("update --egress 192.0.2.2:443 web2")
        .succeeds();
    assert_eq!(reaches(&web2, NEIGHBOUR[0], 443), Reach::Open);
    drop(listeners);
    clear(host, "web1 web2", "inner outer");
}
