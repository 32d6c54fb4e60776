//! Tests of forgetting flows, with a host, a client outside and two containers, each in a namespace of its own.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

use super::flow::Family;
use super::flow_messages::list_question;
use super::socket::NetfilterSocket;
use super::*;
use crate::namespace::Namespace;
use crate::scratch::{fresh_namespace, in_fresh_namespace, shell};

/// One address family's view of the little network.
struct Plan {
    iptables: &'static str,
    host: IpAddr,
    client: IpAddr,
    containers: [IpAddr; 2],
    unspecified: IpAddr,
}

/// The network; the test's own thread is in the host's namespace.
struct World {
    plan: Plan,
    client: Namespace,
    containers: [Namespace; 2],
}

fn ipv4() -> Plan {
    let address = |text: &str| text.parse().unwrap();
    Plan {
        iptables: "iptables",
        host: address("10.8.0.1"),
        client: address("10.8.0.2"),
        containers: [address("10.9.0.2"), address("10.9.1.2")],
        unspecified: address("0.0.0.0"),
    }
}

fn ipv6() -> Plan {
    let address = |text: &str| text.parse().unwrap();
    Plan {
        iptables: "ip6tables",
        host: address("fd00:8::1"),
        client: address("fd00:8::2"),
        containers: [address("fd00:9::2"), address("fd00:9:1::2")],
        unspecified: address("::"),
    }
}

/// The first address of a peer's network, which the host has.
fn router(peer: IpAddr) -> String {
    let text = peer.to_string();
    format!("{}1", text.strip_suffix('2').unwrap())
}

/// Ties a new namespace to the host's by a veth pair.
fn attach(name: &str, peer: IpAddr) -> Namespace {
    let namespace = fresh_namespace();
    let path = format!(
        "/proc/{}/fd/{}",
        std::process::id(),
        namespace.as_fd().as_raw_fd()
    );
    let (router, length) = (router(peer), if peer.is_ipv4() { 24 } else { 64 });
    let flags = if peer.is_ipv4() { "" } else { "nodad" };
    shell(&format!(
        "ip link add {name} type veth peer name eth0 netns {path}
         ip link set {name} up
         ip address add {router}/{length} dev {name} {flags}"
    ));
    let inside = format!(
        "ip link set lo up; ip link set eth0 up
         ip address add {peer}/{length} dev eth0 {flags}
         ip route add default via {router}"
    );
    namespace.run(|| shell(&inside)).unwrap();
    namespace
}

fn with_world(plan: Plan, body: impl FnOnce(&World) + Send) {
    in_fresh_namespace(|| {
        shell("ip link set lo up; sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1");
        let world = World {
            client: attach("outside", plan.client),
            containers: [
                attach("first", plan.containers[0]),
                attach("second", plan.containers[1]),
            ],
            plan,
        };
        // A namespace tracks flows as soon as a rule needs it, such as this one, which is never met.
        world.iptables("-A POSTROUTING -o nowhere -j MASQUERADE");
        body(&world);
    });
}

impl World {
    fn iptables(&self, rule: &str) {
        shell(&format!("{} -w -t nat {rule}", self.plan.iptables));
    }

    /// Publishes the host's port 5000 as a port of a container, in place of what was published before.
    fn publish(&self, container: usize, port: u16) {
        self.iptables("-F PREROUTING");
        let destination = SocketAddr::new(self.plan.containers[container], port);
        self.iptables(&format!(
            "-A PREROUTING -p udp --dport 5000 -m addrtype --dst-type LOCAL -j DNAT --to-destination {destination}"
        ));
    }

    fn forget(&self, address: IpAddr) -> usize {
        let port = UdpPort {
            address,
            port: 5000,
        };
        forget_flows(&[port], &[self.plan.host]).unwrap()
    }

    fn client(&self, destination: IpAddr) -> UdpSocket {
        let socket = socket_in(&self.client, self.plan.unspecified, 0);
        socket.connect((destination, 5000)).unwrap();
        socket
    }

    fn server(&self, container: usize, port: u16) -> UdpSocket {
        socket_in(&self.containers[container], self.plan.unspecified, port)
    }
}

fn socket_in(namespace: &Namespace, address: IpAddr, port: u16) -> UdpSocket {
    namespace.run(|| socket(address, port)).unwrap()
}

fn socket(address: IpAddr, port: u16) -> UdpSocket {
    let socket = UdpSocket::bind((address, port)).unwrap();
    let limit = Some(Duration::from_secs(10));
    socket.set_read_timeout(limit).unwrap();
    socket
}

/// Sends words from the client, sees them arrive at the server, and sees the server's answer arrive at the client.
fn talk(client: &UdpSocket, server: &UdpSocket, words: &str) {
    let mut buffer = [0; 64];
    client.send(words.as_bytes()).unwrap();
    let (length, peer) = server.recv_from(&mut buffer).expect(words);
    assert_eq!(&buffer[..length], words.as_bytes());
    server.send_to(b"answer", peer).unwrap();
    let length = client.recv(&mut buffer).expect(words);
    assert_eq!(&buffer[..length], b"answer");
}

fn a_client_meets_each_change(plan: Plan) {
    with_world(plan, |world| {
        // The host's own socket stands for the one that reserves the port.
        let reserved = socket(world.plan.unspecified, 5000);
        let (first, second) = (world.server(0, 53), world.server(1, 7000));
        let client = world.client(world.plan.host);
        talk(&client, &reserved, "before it was published");
        world.publish(0, 53);
        talk(&client, &reserved, "still the old flow");
        assert_eq!(world.forget(world.plan.unspecified), 1);
        talk(&client, &first, "published");
        world.publish(1, 7000);
        talk(&client, &first, "still the first container");
        assert_eq!(world.forget(world.plan.host), 1);
        talk(&client, &second, "published by the second container");
        assert_eq!(world.forget(world.plan.client), 0);
    });
}

#[test]
fn a_client_that_keeps_sending_meets_each_change_of_an_ipv4_port() {
    a_client_meets_each_change(ipv4());
}

#[test]
fn a_client_that_keeps_sending_meets_each_change_of_an_ipv6_port() {
    a_client_meets_each_change(ipv6());
}

fn a_foreign_flow_survives(plan: Plan) {
    with_world(plan, |world| {
        let (published, foreign) = (world.server(0, 53), world.server(1, 5000));
        world.publish(0, 53);
        let to_host = world.client(world.plan.host);
        let through_host = world.client(world.plan.containers[1]);
        talk(&to_host, &published, "to the host");
        talk(&through_host, &foreign, "through the host");
        // Were the foreign flow forgotten, its next datagram would meet this rule.
        world.iptables(&format!(
            "-I PREROUTING -p udp -d {} --dport 5000 -j DNAT --to-destination {}",
            world.plan.containers[1],
            SocketAddr::new(world.plan.containers[0], 53)
        ));
        assert_eq!(world.forget(world.plan.unspecified), 1);
        talk(&through_host, &foreign, "the same flow");
        // Forgetting by the address itself shows that the rule above would have been met.
        assert_eq!(world.forget(world.plan.containers[1]), 1);
        talk(&through_host, &published, "another flow");
    });
}

#[test]
fn a_foreign_ipv4_flow_to_a_port_of_the_same_number_survives() {
    a_foreign_flow_survives(ipv4());
}

#[test]
fn a_foreign_ipv6_flow_to_a_port_of_the_same_number_survives() {
    a_foreign_flow_survives(ipv6());
}

#[test]
fn many_flows_to_several_ports_of_both_families_are_forgotten_and_others_stay() {
    with_world(ipv4(), |world| {
        let clients: Vec<UdpSocket> = (0..200).map(|_| world.client(world.plan.host)).collect();
        let other = world.client(world.plan.host);
        let sinks = [5000, 5001, 5002].map(|port| (port, socket(world.plan.unspecified, port)));
        // A flow is tracked for certain when its first datagram has arrived.
        let begin_flow = |client: &UdpSocket, (port, sink): &(u16, UdpSocket)| {
            client.connect((world.plan.host, *port)).unwrap();
            client.send(b"hello").unwrap();
            sink.recv(&mut [0; 8]).expect("it arrives");
        };
        for client in &clients {
            begin_flow(client, &sinks[0]);
            begin_flow(client, &sinks[1]);
        }
        begin_flow(&other, &sinks[2]);
        let port = |address: &str, port| UdpPort {
            address: address.parse().unwrap(),
            port,
        };
        let ports = [
            port("0.0.0.0", 5000),
            port("10.8.0.1", 5001),
            port("::", 5000),
        ];
        let local = [world.plan.host, "fd00:8::1".parse().unwrap()];
        assert_eq!(forget_flows(&ports, &local).unwrap(), 400);
        assert_eq!(forget_flows(&ports, &local).unwrap(), 0);
        assert_eq!(forget_flows(&[port("0.0.0.0", 5002)], &local).unwrap(), 1);
    });
}

#[test]
fn the_kernel_understands_the_filters() {
    in_fresh_namespace(|| {
        let mut socket = NetfilterSocket::open().unwrap().unwrap();
        for plan in [ipv4(), ipv6()] {
            let family = match plan.host {
                IpAddr::V4(_) => Family::V4,
                IpAddr::V6(_) => Family::V6,
            };
            let ports = [5000, 5000, 5001].map(|port| UdpPort {
                address: plan.unspecified,
                port,
            });
            for wanted in [&ports[..1], &ports[..2], &ports] {
                assert!(
                    socket
                        .dump(list_question(family, wanted))
                        .unwrap()
                        .is_empty()
                );
            }
        }
    });
}

#[test]
fn where_nothing_is_tracked_nothing_is_forgotten() {
    in_fresh_namespace(|| {
        let port = UdpPort {
            address: IpAddr::from([0, 0, 0, 0]),
            port: 5000,
        };
        assert_eq!(forget_flows(&[port], &[]).unwrap(), 0);
    });
}
