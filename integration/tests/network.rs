//! The default network: what it begins with, what is told about it, and what happens to connections when it changes.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream};
use std::time::Duration;

use minirun_integration::probe::{LONG_WAIT, Reach, SHORT_WAIT, tcp_connect, tcp_listen};
use minirun_integration::{NEIGHBOUR_ADDRESS, TestHost};
use nix::sys::socket::{setsockopt, sockopt};

#[test]
fn networks_are_listed() {
    let host = TestHost::create();
    let listed = host.minirun("network ls").succeeds();
    let words: Vec<Vec<_>> = listed
        .stdout()
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(words[0], ["NETWORK", "ID", "NAME", "DRIVER", "SCOPE"]);
    let names: Vec<_> = words[1..].iter().map(|line| (line[1], line[2])).collect();
    assert_eq!(
        names,
        [("bridge", "bridge"), ("host", "host"), ("none", "null")]
    );
    host.minirun("network update nosuch --icc=false")
        .fails_with(1)
        .stderr_contains("no network is called `nosuch`");
    host.minirun("network inspect nosuch")
        .fails_with(1)
        .stderr_contains("`nosuch`");
    host.minirun("network update bridge --icc=maybe")
        .fails_with(125)
        .stderr_contains("maybe");
    host.finish();
}

#[test]
fn inspecting_it_shows_who_is_on_it() {
    let host = TestHost::create();
    let id = host
        .minirun("run -d --name web1 demo sleep infinity")
        .succeeds()
        .line()
        .to_owned();
    host.minirun("create --name web2 demo true").succeeds();
    let network = host.minirun("network inspect bridge").succeeds().json()[0].take();
    let containers = network["Containers"].as_object().expect("an object");
    assert_eq!(containers.len(), 1, "{containers:?}");
    assert_eq!(containers[&id]["Name"], "web1");
    assert_eq!(containers[&id]["IPv4Address"], "172.17.0.2/16");
    assert_eq!(network["IPAM"]["Config"][0]["Gateway"], "172.17.0.1");
    assert_eq!(network["Options"]["com.docker.network.driver.mtu"], "1500");
    let container = host.container("web1").inspect();
    let settings = &container["NetworkSettings"]["Networks"]["bridge"];
    assert_eq!(settings["Gateway"], "172.17.0.1");
    assert_eq!(settings["MacAddress"], "02:42:ac:11:00:02");
    assert_eq!(settings["IPPrefixLen"], 16);
    host.removes("web1 web2");
    host.finish();
}

#[test]
fn info_and_version_say_what_is_here() {
    let host = TestHost::create();
    host.minirun("version")
        .succeeds()
        .stdout_contains("minirun ");
    host.minirun("--version")
        .succeeds()
        .stdout_contains("minirun ");
    host.minirun("run -d --name web1 demo sleep infinity")
        .succeeds();
    host.minirun("info")
        .succeeds()
        .stdout_has_line("Running containers: 1")
        .stdout_has_line("Paused containers: 0")
        .stdout_has_line("Stopped containers: 0")
        .stdout_has_line("Volumes: 0")
        .stdout_has_line("Firewall driver: iptables")
        .stdout_has_line("IPv4 forwarding: on")
        .stdout_has_line("Default bridge: minirun0 172.17.0.1/16");
    host.removes("web1");
    host.finish();
}

#[test]
fn a_subnet_that_the_host_has_a_route_to_is_not_taken() {
    let host = TestHost::create();
    host.command("ip", "route add 172.17.5.0/24 via 192.0.2.2 table 100")
        .succeeds();
    let container = host.serves("web1", "", 80);
    let address = container.address();
    assert_ne!(address.octets()[..2], [172, 17], "{address}");
    assert_eq!(
        host.inside(|| tcp_connect(SocketAddrV4::new(address, 80), LONG_WAIT)),
        Reach::Open
    );
    host.removes("web1");
    host.finish();
}

#[test]
fn the_configuration_file_says_what_it_begins_with() {
    let host = TestHost::create();
    host.configures(
        "bip = \"10.9.8.1/24\"\nmtu = 1380\nicc = false\npublish_address = \"127.0.0.1\"\n",
    );
    host.serves("web1", "-p 8080:80", 80);
    assert_eq!(host.container("web1").address(), Ipv4Addr::new(10, 9, 8, 2));
    host.minirun("port web1")
        .succeeds()
        .stdout_is("80/tcp -> 127.0.0.1:8080");
    host.minirun("network inspect bridge")
        .succeeds()
        .stdout_contains("enable_icc\": \"false\"")
        .stdout_contains("mtu\": \"1380\"");
    host.removes("web1");
    host.write_file("/etc/minirun/minirun.toml", "nosuch = 1\n");
    host.minirun("run --rm demo true")
        .fails_with(125)
        .stderr_contains("nosuch")
        .stderr_contains("/etc/minirun/minirun.toml");
    host.configures("");
    host.finish();
}

#[test]
fn without_masquerade_the_world_sees_the_containers_own_address() {
    let host = TestHost::create();
    host.configures("ip_masquerade = false\n");
    host.neighbour()
        .command("ip", "route add 172.17.0.0/16 via 192.0.2.1")
        .succeeds();
    let container = host.serves("web1", "", 80);
    let outside = host.neighbour().inside(|| tcp_listen(443));
    let target = SocketAddrV4::new(NEIGHBOUR_ADDRESS, 443);
    assert_eq!(
        container.inside(|| tcp_connect(target, LONG_WAIT)),
        Reach::Open
    );
    assert_eq!(
        outside.next_peer(LONG_WAIT).map(|peer| peer.ip()),
        Some(container.address().into())
    );
    let inwards = SocketAddrV4::new(container.address(), 80);
    assert_eq!(
        host.neighbour().inside(|| tcp_connect(inwards, SHORT_WAIT)),
        Reach::Silent
    );
    host.removes("web1");
    host.finish();
}

#[test]
fn addresses_are_handed_out_in_turn_and_kept_for_stopped_containers() {
    let host = TestHost::create();
    let run = |name: &str| {
        host.minirun(format!("run -d --name {name} demo sleep infinity"))
            .succeeds();
        host.container(name).address().octets()[3]
    };
    assert_eq!([run("web1"), run("web2")], [2, 3]);
    host.removes("web2");
    assert_eq!(run("web3"), 4, "one that was just freed is not taken");
    host.minirun("stop -t 0 web1").succeeds();
    assert_eq!(run("web4"), 5);
    host.minirun("start web1").succeeds();
    assert_eq!(host.container("web1").address().octets()[3], 2);
    host.removes("web1 web3 web4");
    host.finish();
}

#[test]
fn the_state_can_be_moved_elsewhere() {
    let host = TestHost::create();
    let moved = "--root /var/lib/elsewhere --state /run/elsewhere";
    host.minirun(format!("{moved} run -d --name web1 demo sleep infinity"))
        .succeeds();
    host.minirun("ps -aq").succeeds().stdout_is("");
    host.minirun(format!("{moved} ps"))
        .succeeds()
        .stdout_contains("web1");
    host.command(
        "env",
        "MINIRUN_ROOT=/var/lib/elsewhere MINIRUN_STATE=/run/elsewhere minirun rm -f web1",
    )
    .succeeds();
    host.command("ls", "/var/lib/elsewhere/containers")
        .succeeds()
        .stdout_is("");
    host.finish();
}

/// A connection from one container to a server in the other that is not closed.
fn open_connection(host: &TestHost, from: &str, to: &str) -> (TcpStream, TcpStream) {
    let target = SocketAddrV4::new(host.container(to).address(), 80);
    let listener = host
        .container(to)
        .inside(|| TcpListener::bind((Ipv4Addr::UNSPECIFIED, 80)))
        .expect("the port is free");
    let client = host
        .container(from)
        .inside(|| TcpStream::connect_timeout(&target.into(), LONG_WAIT))
        .expect("the way is open");
    let (server, _) = listener.accept().expect("a client has connected");
    let hang_up = libc::linger {
        l_onoff: 1,
        l_linger: 0,
    };
    for stream in [&client, &server] {
        // A closed connection that still has something to send would keep the network of its container alive.
        setsockopt(stream, sockopt::Linger, &hang_up).expect("a socket can hang up");
    }
    (client, server)
}

/// Whether a byte written at one end arrives at the other within `patience`. One that is to arrive may be sent again first.
fn passes(mut from: &TcpStream, mut to: &TcpStream, patience: Duration) -> bool {
    to.set_read_timeout(Some(patience))
        .expect("a wait is longer than nothing");
    from.write_all(b"x")
        .expect("the connection has room for a byte");
    to.read(&mut [0]).is_ok_and(|length| length == 1)
}

#[test]
fn open_connections_end_when_communication_is_switched_off() {
    let host = TestHost::create();
    for name in ["web1", "web2"] {
        host.minirun(format!("run -d --name {name} demo sleep infinity"))
            .succeeds();
    }
    let (client, server) = open_connection(&host, "web1", "web2");
    assert!(passes(&client, &server, LONG_WAIT) && passes(&server, &client, LONG_WAIT));
    host.minirun("network update bridge --icc=false").succeeds();
    assert!(!passes(&client, &server, SHORT_WAIT), "client to server");
    assert!(!passes(&server, &client, SHORT_WAIT), "server to client");
    drop((client, server));
    host.removes("web1 web2");
    host.finish();
}

#[test]
fn an_open_connection_of_a_link_survives_that_communication_is_switched_off() {
    let host = TestHost::create();
    host.minirun("run -d --name web1 --expose 80 demo sleep infinity")
        .succeeds();
    host.minirun("run -d --name web2 --link web1 demo sleep infinity")
        .succeeds();
    let (client, server) = open_connection(&host, "web2", "web1");
    host.minirun("network update bridge --icc=false").succeeds();
    assert!(passes(&client, &server, LONG_WAIT) && passes(&server, &client, LONG_WAIT));
    drop((client, server));
    host.removes("web1 web2");
    host.finish();
}

#[test]
fn a_network_that_outlives_its_container_does_not_answer_for_the_next() {
    let host = TestHost::create();
    let container = host.serves("web1", "", 80);
    let target = SocketAddrV4::new(container.address(), 80);
    // In practice it is a connection with something left to send that keeps a network alive, and that goes on sending.
    let kept = container
        .inside(|| std::net::UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)))
        .expect("a port is free");
    host.minirun("restart -t 0 web1").succeeds();
    container.awaits_tcp(80);
    assert_eq!(target, SocketAddrV4::new(container.address(), 80));
    // The old network may not know any way out any more, which is just as good.
    kept.send_to(b"still here", (Ipv4Addr::new(172, 17, 0, 1), 9))
        .ok();
    assert_eq!(host.inside(|| tcp_connect(target, LONG_WAIT)), Reach::Open);
    drop(kept);
    host.removes("web1");
    host.finish();
}
