//! Closed means closed: below IP, and from the LAN.

use std::fs::File;
use std::net::{SocketAddr, SocketAddrV4};
use std::time::Duration;

use minirun_integration::TestHost;
use minirun_integration::probe::{
    EthernetSocket, LONG_WAIT, Reach, SHORT_WAIT, hardware_address, http_get, tcp_connect,
};

const BROADCAST: [u8; 6] = [0xff; 6];

/// Shorter than the five seconds after which the kernel doubts what it knows of a neighbour, and asks anew.
const TRUSTED_WAIT: Duration = Duration::from_secs(3);

fn two_containers(host: &TestHost) {
    for name in ["web1", "web2"] {
        host.minirun(format!("run -d --name {name} demo sleep infinity"))
            .succeeds();
    }
}

/// Takes away what keeps containers to their own addresses, until the next command, which a look at a container is: what is closed
/// is so without it.
fn without_source_checks(host: &TestHost) {
    host.command("nft", "delete table bridge minirun")
        .succeeds();
}

#[test]
fn a_raw_frame_between_isolated_containers_does_not_arrive() {
    let host = TestHost::create();
    host.minirun("network update bridge --icc=false").succeeds();
    two_containers(&host);
    let (first, second) = (host.container("web1"), host.container("web2"));
    let receiver = second.inside(|| EthernetSocket::open("eth0"));
    let own = second.inside(|| hardware_address("eth0"));
    let sender = first.inside(|| EthernetSocket::open("eth0"));
    without_source_checks(&host);
    sender.send(own, b"to one");
    sender.send(BROADCAST, b"to all");
    assert_eq!(receiver.receive(SHORT_WAIT), None);
    drop((receiver, sender));
    host.removes("web1 web2");
    host.finish();
}

#[test]
fn a_raw_frame_arrives_while_communication_is_on() {
    let host = TestHost::create();
    two_containers(&host);
    let (first, second) = (host.container("web1"), host.container("web2"));
    let receiver = second.inside(|| EthernetSocket::open("eth0"));
    let sender = first.inside(|| EthernetSocket::open("eth0"));
    without_source_checks(&host);
    // The kernel opens a new port of a bridge in the background, a moment after the link is up, and nothing repeats a frame
    // that came too early.
    let arrives = (0..30).any(|_| {
        sender.send(BROADCAST, b"to all");
        receiver
            .receive(SHORT_WAIT)
            .is_some_and(|payload| payload.starts_with(b"to all"))
    });
    assert!(arrives);
    drop((receiver, sender));
    host.removes("web1 web2");
    host.finish();
}

#[test]
fn switching_communication_off_isolates_containers_that_already_run() {
    let host = TestHost::create();
    two_containers(&host);
    let receiver = host
        .container("web2")
        .inside(|| EthernetSocket::open("eth0"));
    host.minirun("network update bridge --icc=false").succeeds();
    let first = host.container("web1");
    let sender = first.inside(|| EthernetSocket::open("eth0"));
    without_source_checks(&host);
    sender.send(BROADCAST, b"to all");
    assert_eq!(receiver.receive(SHORT_WAIT), None);
    drop((receiver, sender));
    host.removes("web1 web2");
    host.finish();
}

#[test]
fn a_neighbour_with_a_route_to_the_containers_reaches_none_of_them() {
    let host = TestHost::create();
    let published = host.serves("web1", "-p 8080:80", 80);
    let hidden = host.serves("web2", "--expose 80", 80);
    host.neighbour()
        .command("ip", "route add 172.17.0.0/16 via 192.0.2.1")
        .succeeds();
    for icc in ["true", "false"] {
        host.minirun(format!("network update bridge --icc={icc}"))
            .succeeds();
        for container in [&published, &hidden] {
            let target = SocketAddrV4::new(container.address(), 80);
            assert_eq!(
                host.neighbour().inside(|| tcp_connect(target, SHORT_WAIT)),
                Reach::Silent,
                "icc={icc}"
            );
        }
    }
    let published_port = SocketAddrV4::new(minirun_integration::HOST_ADDRESS, 8080);
    host.neighbour()
        .inside(|| http_get(published_port, "/"))
        .expect("the published port is open");
    host.removes("web1 web2");
    host.finish();
}

#[test]
fn a_port_published_on_loopback_is_closed_to_the_neighbour() {
    let host = TestHost::create();
    host.serves("web1", "-p 127.0.0.1:8080:80", 80);
    let target = SocketAddrV4::new(minirun_integration::HOST_ADDRESS, 8080);
    assert_eq!(
        host.neighbour().inside(|| tcp_connect(target, LONG_WAIT)),
        Reach::Refused
    );
    host.removes("web1");
    host.finish();
}

#[test]
fn a_neighbour_that_sends_to_loopback_over_the_wire_gets_no_answer() {
    let host = TestHost::create();
    host.serves("web1", "-p 127.0.0.1:8080:80", 80);
    // The neighbour gives up its own 127.0.0.1 and sends packets for it to the host.
    for command in [
        "address del 127.0.0.1/8 dev lo",
        "route add 127.0.0.1/32 via 192.0.2.1 src 192.0.2.2",
    ] {
        host.neighbour().command("ip", command).succeeds();
    }
    host.neighbour()
        .command(
            "sh",
            ["-c", "echo 1 >/proc/sys/net/ipv4/conf/all/route_localnet"],
        )
        .succeeds();
    let target = SocketAddrV4::new(std::net::Ipv4Addr::LOCALHOST, 8080);
    assert_eq!(
        host.neighbour().inside(|| tcp_connect(target, SHORT_WAIT)),
        Reach::Silent
    );
    host.removes("web1");
    host.finish();
}

/// CAP_NET_RAW, which is a usual one, is enough to send a frame under any address.
#[test]
fn the_hardware_address_of_another_draws_nothing_to_whoever_sends_under_it() {
    let host = TestHost::create();
    for (name, options) in [("open", "--ipv6"), ("closed", "--icc=false")] {
        host.network(name, options);
        let network = format!("--network {name}");
        let victim = host.serves("web1", &network, 80);
        let thief = host.idles("web2", &network);
        let networks = victim.networks();
        let target = SocketAddr::new(victim.address_on(&networks[0]).into(), 80);
        let is_reached = || {
            assert_eq!(
                host.inside(|| tcp_connect(target, TRUSTED_WAIT)),
                Reach::Open,
                "{name}"
            );
        };
        let steal = || {
            let address = victim.inside(|| hardware_address("eth0"));
            let mouth = thief.inside(|| EthernetSocket::open("eth0"));
            without_source_checks(&host);
            mouth.send_as(address, BROADCAST, b"mine");
        };
        is_reached();
        steal();
        is_reached();
        for icc in ["true", "false"] {
            let update = format!("network update {name} --icc {icc}");
            host.minirun(update).succeeds();
            steal();
            is_reached();
        }
        host.removes("web1 web2");
        host.removes_networks(name);
    }
    host.finish();
}

/// Regression test: the lock on the records is released while the kernel makes a container's devices, and a port that was made by what
/// they had said before would have stayed open.
#[test]
fn switching_communication_off_waits_for_ports_that_are_just_being_made() {
    let host = TestHost::create();
    host.idles("web1", "");
    let making = host.inside(|| {
        let file = File::open("/run/minirun/networks/bridge/devices.lock")
            .expect("a container has a port");
        file.lock_shared().expect("nobody changes devices");
        file
    });
    // Others make theirs meanwhile, and come and go.
    host.idles("web2", "");
    host.minirun("run --rm demo true").succeeds();
    let update = host.spawn_minirun("network update bridge --icc=false");
    update.process().awaits_open_file("devices.lock");
    update.process().awaits_sleep();
    // Nothing has changed yet.
    let record = || host.read_file("/var/lib/minirun/networks/bridge.json");
    let before = record();
    assert!(before.contains("\"icc\": \"enabled\""), "{before}");
    drop(making);
    update.finish().succeeds();
    assert!(record().contains("\"icc\": \"disabled\""), "{}", record());
    host.removes("web1 web2");
    host.finish();
}
