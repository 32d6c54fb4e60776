//! The name server of a container: it is in nobody's way, nothing is in its way, and nothing brings it down.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream, UdpSocket};

use minirun_integration::probe::{
    DnsQuestion, LONG_WAIT, Reach, SHORT_WAIT, Transport, dns_ask, dns_ask_several, tcp_connect,
    tcp_listen, udp_ask, udp_echo,
};
use minirun_integration::{Container, TestHost};
use simple_dns::TYPE;

#[test]
fn a_container_may_have_a_name_server_of_its_own_on_port_53() {
    let host = TestHost::create();
    host.network("net1", "");
    host.idles("web1", "--network net1");
    host.idles("dns", "--network net1");
    let (web1, dns) = (host.container("web1"), host.container("dns"));
    let (echo, listener) = dns.inside(|| (udp_echo(53), tcp_listen(53)));
    dns.finds(&["web1"], &[web1.address_on("net1")]);
    dns.asks_over(Transport::Tcp, TYPE::A, "web1")
        .is(&[&web1.address_on("net1").to_string()]);
    for address in [Ipv4Addr::LOCALHOST, dns.address_on("net1")] {
        let own = SocketAddrV4::new(address, 53);
        let answer = dns.inside(|| udp_ask(own, "own", LONG_WAIT));
        assert!(answer.is_some_and(|answer| answer.starts_with("own ")));
        assert_eq!(dns.inside(|| tcp_connect(own, LONG_WAIT)), Reach::Open);
    }
    let from_peer = SocketAddrV4::new(dns.address_on("net1"), 53);
    assert_eq!(
        web1.inside(|| tcp_connect(from_peer, LONG_WAIT)),
        Reach::Open
    );
    drop((echo, listener));
    host.removes("web1 dns");
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn a_host_with_a_name_server_on_every_address_is_not_in_the_way() {
    let host = TestHost::create();
    let taken = host.inside(|| (udp_echo(53), tcp_listen(53)));
    host.network("net1", "");
    host.idles("web1", "--network net1");
    let web1 = host.container("web1");
    web1.finds(&["web1"], &[web1.address_on("net1")]);
    drop(taken);
    host.removes("web1");
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn names_resolve_where_the_host_drops_whatever_comes_in() {
    let host = TestHost::create();
    for chain in ["INPUT", "FORWARD"] {
        host.command("iptables", format!("-w -P {chain} DROP"))
            .succeeds();
    }
    for (network, options) in [
        ("net1", ""),
        ("net2", "--internal"),
        ("net3", "--icc=false"),
    ] {
        host.network(network, options);
        host.idles("web1", &format!("--network {network}"));
        host.idles("web2", &format!("--network {network}"));
        let address = host.container("web1").address_on(network);
        host.container("web2").finds(&["web1"], &[address]);
        host.removes("web1 web2");
    }
    host.removes_networks("net1 net2 net3");
    host.finish();
}

#[test]
fn the_default_network_has_hosts_files_and_no_name_server() {
    let host = TestHost::create();
    host.idles("web1", "");
    host.idles("web2", "--link web1:web");
    let question = DnsQuestion {
        name: "web1",
        kind: TYPE::A,
    };
    let answer = host.container("web2").inside(|| {
        dns_ask(
            Container::NAME_SERVER,
            &question,
            Transport::Udp,
            SHORT_WAIT,
        )
    });
    assert_eq!(answer, None);
    host.minirun("exec web2 cat /etc/resolv.conf")
        .succeeds()
        .stdout_has_line("nameserver 192.0.2.53")
        .stdout_lacks("127.0.0.11");
    host.minirun("exec web2 cat /etc/hosts")
        .succeeds()
        .stdout_contains("\tweb ");
    host.removes("web1 web2");
    host.finish();
}

#[test]
fn a_network_may_do_without_a_name_server() {
    let host = TestHost::create();
    host.network("net1", "-o dns=false");
    host.idles("web1", "--network net1");
    host.idles("web2", "--network net1 --link web1:web");
    host.minirun("exec web2 cat /etc/resolv.conf")
        .succeeds()
        .stdout_lacks("127.0.0.11");
    let line = format!("{}\tweb ", host.container("web1").address_on("net1"));
    host.minirun("exec web2 cat /etc/hosts")
        .succeeds()
        .stdout_contains(&line);
    host.removes("web1 web2");
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn who_shares_a_network_namespace_shares_its_names() {
    let host = TestHost::create();
    host.network("net1", "");
    host.idles("web1", "--network net1");
    host.idles("web2", "--network net1");
    let own = host.minirun("exec web1 cat /etc/resolv.conf").succeeds();
    host.minirun("run --rm --network container:web1 demo cat /etc/resolv.conf")
        .succeeds()
        .stdout_is(own.line());
    host.idles("sharer", "--network container:web1");
    host.container("sharer")
        .finds(&["web2"], &[host.container("web2").address_on("net1")]);
    host.removes("sharer web1 web2");
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn garbage_does_the_name_server_no_harm() {
    let host = TestHost::create();
    host.network("net1", "");
    host.idles("web1", "--network net1");
    let web1 = host.container("web1");
    let address = web1.address_on("net1");
    let monitor = web1.process().parent();
    let server = SocketAddr::from(Container::NAME_SERVER);
    let socket = web1
        .inside(|| UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)))
        .expect("a port is free");
    // Nothing, one byte, a header that promises more than there is, a name that points to itself, and noise.
    let mut packets = vec![vec![], vec![0], vec![0xff; 12], vec![0xff; 1500]];
    packets.push(
        [
            &[0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0][..],
            &[0xc0, 0x0c, 0, 1, 0, 1],
        ]
        .concat(),
    );
    packets.push(
        [
            &[0, 1, 0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0][..],
            &[1, b'a', 0, 0, 1, 0, 1],
        ]
        .concat(),
    );
    let mut noise: u32 = 1;
    packets.extend((0..500).map(|length| {
        let mut byte = || {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            noise.to_be_bytes()[0]
        };
        (0..length).map(|_| byte()).collect()
    }));
    for packet in &packets {
        socket.send_to(packet, server).expect("the server is there");
    }
    // More may be in line than there is room for, and then the kernel would lose a good question, too. The server takes 64
    // datagrams before it turns to connections, so when it has answered as many of them, it has met all the garbage.
    for _ in packets.chunks(64) {
        web1.asks_over(Transport::Tcp, TYPE::A, "web1")
            .is(&[&address.to_string()]);
    }
    web1.finds(&["web1"], &[address]);
    drop(socket);
    assert_eq!(web1.process().parent().pid(), monitor.pid());
    host.removes("web1");
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn half_a_message_on_a_connection_does_not_keep_others_waiting() {
    let host = TestHost::create();
    host.network("net1", "");
    let web1 = host.idles("web1", "--network net1");
    let address = web1.address_on("net1");
    let server = SocketAddr::from(Container::NAME_SERVER);
    let held: Vec<_> = [&[][..], &[0], &[0, 40, 1, 2, 3], &[0xff, 0xff, 0], &[0, 0]]
        .into_iter()
        .cycle()
        .take(40)
        .map(|start| {
            let mut stream = web1
                .inside(|| TcpStream::connect_timeout(&server, LONG_WAIT))
                .expect("the server is there");
            // A server that has had enough of us may have hung up already.
            stream.write_all(start).ok();
            stream
        })
        .collect();
    web1.finds(&["web1"], &[address]);
    drop(held);
    web1.asks_over(Transport::Tcp, TYPE::A, "web1")
        .is(&[&address.to_string()]);
    host.removes("web1");
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn several_questions_on_one_connection_are_all_answered() {
    let host = TestHost::create();
    host.network("net1", "");
    let web1 = host.idles("web1", "--network net1");
    let question = DnsQuestion {
        name: "web1",
        kind: TYPE::A,
    };
    let questions = vec![question; 20];
    let answers = web1.inside(|| dns_ask_several(Container::NAME_SERVER, &questions, LONG_WAIT));
    let answers = answers.expect("the server answers");
    assert_eq!(answers.len(), questions.len());
    for answer in answers {
        answer.is(&[&web1.address_on("net1").to_string()]);
    }
    host.removes("web1");
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn a_network_with_a_very_long_name_has_names_too() {
    let host = TestHost::create();
    let long = "n".repeat(100);
    host.network(&long, "");
    let web1 = host.idles("web1", &format!("--network {long}"));
    web1.finds(&["web1"], &[web1.address_on(&long)]);
    host.removes("web1");
    host.removes_networks(&long);
    host.finish();
}

#[test]
fn the_rules_of_the_name_server_are_in_the_container_and_track_no_connections() {
    let host = TestHost::create();
    host.network("net1", "");
    let web1 = host.idles("web1", "--network net1");
    web1.finds(&["web1"], &[web1.address_on("net1")]);
    let listed = web1.command("nft", "list ruleset").succeeds();
    let listed = listed.stdout_contains("127.0.0.11").stdout_lacks(" nat ");
    assert!(!listed.stdout().contains("ct "), "{}", listed.stdout());
    host.command("nft", "list ruleset")
        .succeeds()
        .stdout_lacks("127.0.0.11");
    host.removes("web1");
    host.removes_networks("net1");
    host.finish();
}
