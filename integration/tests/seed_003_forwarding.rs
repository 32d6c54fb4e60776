//! Seeds 003 and 004: whether the host forwards, whose rules come first, and whose address is seen.

use std::net::{Ipv4Addr, SocketAddrV4};

use minirun_integration::probe::{LONG_WAIT, Reach, SHORT_WAIT, tcp_connect, tcp_listen};
use minirun_integration::{Driver, HOST_ADDRESS, NEIGHBOUR_ADDRESS, TestHost};

const SYSCTL: &str = "net/ipv4/ip_forward";
const PUBLISHED: SocketAddrV4 = SocketAddrV4::new(HOST_ADDRESS, 8080);

fn forwarding(host: &TestHost) -> String {
    host.read_file("/proc/sys/net/ipv4/ip_forward")
        .trim_end()
        .to_owned()
}

fn from_neighbour(host: &TestHost, patience: std::time::Duration) -> Reach {
    host.neighbour().inside(|| tcp_connect(PUBLISHED, patience))
}

#[test]
fn forwarding_is_switched_on_where_it_was_off() {
    let host = TestHost::create();
    host.set_sysctl(SYSCTL, "0");
    host.serves("web1", "-p 8080:80", 80);
    assert_eq!(forwarding(&host), "1");
    assert_eq!(from_neighbour(&host, LONG_WAIT), Reach::Open);
    host.removes("web1");
    host.finish();
}

#[test]
fn with_ip_forward_false_a_host_that_does_not_forward_stays_so() {
    let host = TestHost::create();
    host.configures("ip_forward = false\n");
    host.set_sysctl(SYSCTL, "0");
    host.serves("web1", "-p 8080:80", 80);
    assert_eq!(forwarding(&host), "0");
    assert_eq!(from_neighbour(&host, SHORT_WAIT), Reach::Silent);
    host.removes("web1");
    host.finish();
}

#[test]
fn with_ip_forward_false_a_host_that_forwards_goes_on_doing_so() {
    let host = TestHost::create();
    host.configures("ip_forward = false\n");
    host.set_sysctl(SYSCTL, "1");
    host.serves("web1", "-p 8080:80", 80);
    assert_eq!(forwarding(&host), "1");
    assert_eq!(from_neighbour(&host, LONG_WAIT), Reach::Open);
    host.removes("web1");
    host.finish();
}

#[test]
fn the_world_sees_a_container_under_the_address_of_its_host() {
    let host = TestHost::create();
    let container = host.serves("web1", "", 80);
    let outside = host.neighbour().inside(|| tcp_listen(443));
    let target = SocketAddrV4::new(NEIGHBOUR_ADDRESS, 443);
    assert_eq!(
        container.inside(|| tcp_connect(target, LONG_WAIT)),
        Reach::Open
    );
    assert_eq!(
        outside.next_peer(LONG_WAIT).map(|peer| peer.ip()),
        Some(HOST_ADDRESS.into())
    );
    host.removes("web1");
    host.finish();
}

#[test]
fn containers_see_each_other_under_their_own_addresses() {
    let host = TestHost::create();
    host.minirun("run -d --name web1 --expose 7 demo sleep infinity")
        .succeeds();
    host.minirun("run -d --name web2 --link web1 demo sleep infinity")
        .succeeds();
    let (target, source) = (host.container("web1"), host.container("web2"));
    let listener = target.inside(|| tcp_listen(7));
    let address = SocketAddrV4::new(target.address(), 7);
    for icc in ["true", "false"] {
        host.minirun(format!("network update bridge --icc={icc}"))
            .succeeds();
        assert_eq!(
            source.inside(|| tcp_connect(address, LONG_WAIT)),
            Reach::Open,
            "icc={icc}"
        );
        assert_eq!(
            listener.next_peer(LONG_WAIT).map(|peer| peer.ip()),
            Some(source.address().into()),
            "icc={icc}"
        );
    }
    drop(listener);
    host.removes("web1 web2");
    host.finish();
}

#[test]
fn the_rules_of_the_administrator_come_first_and_are_never_touched() {
    let host = TestHost::using(Driver::Iptables);
    host.command("iptables", "-w -N MINIRUN-USER").succeeds();
    host.command(
        "iptables",
        "-w -A MINIRUN-USER -i uplink0 ! -s 198.51.100.8 -j DROP",
    )
    .succeeds();
    host.serves("web1", "-p 8080:80", 80);
    assert_eq!(from_neighbour(&host, SHORT_WAIT), Reach::Silent);
    host.removes("web1");
    host.minirun("run --rm demo true").succeeds();
    host.rules("filter")
        .have(&["-A MINIRUN-USER ! -s 198.51.100.8/32 -i uplink0 -j DROP"]);
    host.command("iptables", "-w -F MINIRUN-USER").succeeds();
    host.serves("web1", "-p 8080:80", 80);
    assert_eq!(from_neighbour(&host, LONG_WAIT), Reach::Open);
    host.removes("web1");
    host.finish();
}

#[test]
fn the_chain_of_the_administrator_is_made_where_there_is_none() {
    let host = TestHost::using(Driver::Iptables);
    host.serves("web1", "-p 8080:80", 80);
    host.rules("filter")
        .have(&["-N MINIRUN-USER"])
        .have(&["-A FORWARD -j MINIRUN-USER"]);
    host.command("iptables", "-w -I MINIRUN-USER -i uplink0 -j DROP")
        .succeeds();
    assert_eq!(from_neighbour(&host, SHORT_WAIT), Reach::Silent);
    host.command("iptables", "-w -F MINIRUN-USER").succeeds();
    host.removes("web1");
    host.finish();
}

#[test]
fn foreign_rules_and_policies_survive() {
    let host = TestHost::using(Driver::Iptables);
    host.command("iptables", "-w -P FORWARD DROP").succeeds();
    host.command("iptables", "-w -A FORWARD -s 203.0.113.0/24 -j ACCEPT")
        .succeeds();
    host.serves("web1", "-p 8080:80", 80);
    assert_eq!(from_neighbour(&host, LONG_WAIT), Reach::Open);
    host.removes("web1");
    host.rules("filter")
        .have(&["-P FORWARD DROP"])
        .have(&["-A FORWARD -s 203.0.113.0/24 -j ACCEPT"]);
    host.finish();
}

#[test]
fn without_a_firewall_no_rule_is_made_and_closing_is_refused() {
    let host = TestHost::create();
    host.write_file("/etc/minirun/minirun.toml", "firewall = \"none\"\n");
    let container = host.serves("web1", "", 80);
    assert_eq!(
        host.inside(|| tcp_connect(SocketAddrV4::new(container.address(), 80), LONG_WAIT)),
        Reach::Open
    );
    host.rules("filter").lack(&["minirun0"]).lack(&["MINIRUN"]);
    host.rules("nat").lack(&["minirun0"]).lack(&["MINIRUN"]);
    host.minirun("network update bridge --icc=false")
        .fails()
        .stderr_contains("firewall");
    host.removes("web1");
    host.finish();
}

#[test]
fn the_default_gateway_of_a_container_is_the_bridge() {
    let host = TestHost::create();
    let container = host.serves("web1", "", 80);
    container
        .place()
        .command("ip", "route show default")
        .succeeds()
        .stdout_contains(&format!(
            "default via {} dev eth0",
            Ipv4Addr::new(172, 17, 0, 1)
        ));
    host.removes("web1");
    host.finish();
}

#[test]
fn nobody_asks_the_dns_about_the_administrators_rules() {
    let host = TestHost::using(Driver::Iptables);
    host.write_file(
        "/etc/resolv.conf",
        &format!("nameserver {NEIGHBOUR_ADDRESS}\n"),
    );
    let server = host
        .neighbour()
        .inside(|| std::net::UdpSocket::bind((NEIGHBOUR_ADDRESS, 53)))
        .expect("the port is free");
    host.command("iptables", "-w -N MINIRUN-USER").succeeds();
    host.command("iptables", "-w -A MINIRUN-USER -s 198.51.100.8 -j DROP")
        .succeeds();
    host.minirun("run --rm demo true").succeeds();
    server.set_nonblocking(true).expect("a socket");
    assert!(
        server.recv(&mut [0; 512]).is_err(),
        "a name server was asked"
    );
    host.finish();
}
