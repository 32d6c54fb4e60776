//! Networks with more containers than one bridge has ports.
//!
//! Most tests fill a network's bridge with ports that belong to nobody, so that the next containers are on a further one.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};

use minirun_integration::probe::{
    EthernetSocket, LONG_WAIT, Reach, SHORT_WAIT, hardware_address, http_get, tcp_connect,
    tcp_listen,
};
use minirun_integration::{Container, HOST_ADDRESS, NEIGHBOUR_ADDRESS, Network, TestHost};

/// How many ports of a bridge minirun gives to containers.
const MOST_PORTS: usize = 256;

/// The four containers of most tests, two on the main bridge and two on a further one.
const NAMES: [&str; 4] = ["near1", "near2", "far1", "far2"];

/// Makes the ports of a network's bridge so many that there is room for one container more.
fn fill(host: &TestHost, network: &Network<'_>, there: usize) {
    let bridge = network.bridge();
    let lines: String = (there + 1..MOST_PORTS)
        .map(|number| {
            format!(
                "link add full{number} group 77 type veth peer name peer{number}\nlink set full{number} master {bridge}\n"
            )
        })
        .collect();
    host.write_file("/etc/minirun/ports", &lines);
    host.command("ip", "-batch /etc/minirun/ports").succeeds();
}

/// Takes these ports away again, all at once.
fn empty(host: &TestHost) {
    host.command("ip", "link delete group 77").succeeds();
}

/// The names of the host's interfaces, or of those that `ip link show` tells of.
fn links_that(host: &TestHost, selection: &str) -> Vec<String> {
    let shown = host
        .command("ip", format!("-br link show {selection}"))
        .succeeds();
    let name = |line: &str| line.split([' ', '@']).next().map(str::to_owned);
    shown.stdout().lines().filter_map(name).collect()
}

/// How many containers have their ports on a bridge.
fn containers_on(host: &TestHost, bridge: &str) -> usize {
    let ports = links_that(host, &format!("master {bridge}"));
    ports.iter().filter(|port| port.starts_with("veth")).count()
}

/// The bridge of a network's first segment.
fn segment(network: &Network<'_>) -> String {
    format!("mr-{}-1", &network.id()[..7])
}

/// A network with two containers on its main bridge and two on a further one; all serve on port 80.
fn grown<'host>(host: &'host TestHost, options: &str) -> Network<'host> {
    let network = host.network("big", options);
    host.serves("near1", "--network big -p 8080:80", 80);
    fill(host, &network, 1);
    host.serves("near2", "--network big", 80);
    host.serves("far1", "--network big -p 8081:80", 80);
    host.serves("far2", "--network big --link near1:n --link far1:f", 80);
    assert_eq!(containers_on(host, &network.bridge()), 2);
    assert_eq!(containers_on(host, &segment(&network)), 2);
    network
}

/// Takes everything of it away again, and expects that nothing is left.
fn finish(host: TestHost) {
    host.removes(&NAMES.join(" "));
    host.removes_networks("big");
    empty(&host);
    host.finish();
}

/// All ordered pairs of the four.
fn pairs() -> Vec<(&'static str, &'static str)> {
    let all = NAMES
        .iter()
        .flat_map(|source| NAMES.iter().map(move |target| (*source, *target)));
    all.filter(|(source, target)| source != target).collect()
}

/// Who reaches whom, if those in `expected` should.
fn open_pairs(
    host: &TestHost,
    address: fn(&Container<'_>) -> IpAddr,
    expected: &[(&'static str, &'static str)],
) -> Vec<(&'static str, &'static str)> {
    let at_port_80 = |container: &Container<'_>| SocketAddr::new(address(container), 80);
    let matrix = host.reach_matrix_at(&NAMES, expected, at_port_80);
    let mut pairs = pairs();
    pairs.retain(|(source, target)| {
        matrix[&((*source).to_owned(), (*target).to_owned())] == Reach::Open
    });
    pairs
}

fn ipv4(container: &Container<'_>) -> IpAddr {
    container.address_on("big").into()
}

fn ipv6(container: &Container<'_>) -> IpAddr {
    container.ipv6_on("big").into()
}

/// Runs `look` without and with `br_netfilter`, of which a network must not depend.
fn with_and_without_bridge_rules(host: &TestHost, look: impl Fn(&str)) {
    for value in ["0", "1"] {
        for family in ["iptables", "ip6tables"] {
            host.set_sysctl(&format!("net/bridge/bridge-nf-call-{family}"), value);
        }
        look(&format!("bridge-nf-call={value}"));
    }
}

const LINKS: [(&str, &str); 2] = [("far2", "near1"), ("far2", "far1")];

#[test]
fn containers_reach_each_other_across_bridges_as_on_one() {
    let host = TestHost::create();
    grown(&host, "--ipv6");
    with_and_without_bridge_rules(&host, |occasion| {
        for address in [ipv4, ipv6] {
            assert_eq!(open_pairs(&host, address, &pairs()), pairs(), "{occasion}");
        }
    });
    // All of them are known by name.
    for target in NAMES {
        host.minirun(format!("exec far1 wget -q -O - http://{target}/"))
            .succeeds();
    }
    finish(host);
}

#[test]
fn with_icc_off_only_links_lead_from_one_to_another_whatever_bridges_they_are_on() {
    let host = TestHost::create();
    grown(
        &host,
        "--ipv6 -o com.docker.network.bridge.enable_icc=false",
    );
    with_and_without_bridge_rules(&host, |occasion| {
        for address in [ipv4, ipv6] {
            assert_eq!(open_pairs(&host, address, &LINKS), LINKS, "{occasion}");
        }
    });
    host.minirun("exec far2 wget -q -O - http://n/").succeeds();
    host.minirun("exec far2 wget -q -O - http://f/").succeeds();
    finish(host);
}

#[test]
fn icc_is_switched_for_all_bridges_while_containers_run() {
    let host = TestHost::create();
    grown(&host, "--ipv6");
    assert_eq!(open_pairs(&host, ipv4, &pairs()), pairs());
    host.minirun("network update big --icc=false").succeeds();
    with_and_without_bridge_rules(&host, |occasion| {
        for address in [ipv4, ipv6] {
            assert_eq!(open_pairs(&host, address, &LINKS), LINKS, "{occasion}");
        }
    });
    host.minirun("network update big --icc=true").succeeds();
    assert_eq!(open_pairs(&host, ipv6, &pairs()), pairs());
    finish(host);
}

#[test]
fn published_ports_lead_to_containers_on_every_bridge() {
    let host = TestHost::create();
    let network = grown(&host, "");
    let gateway = network.gateway();
    for port in [8080, 8081] {
        host.neighbour()
            .inside(|| http_get((HOST_ADDRESS, port), "/"))
            .expect("the neighbour reaches it");
        host.inside(|| http_get((Ipv4Addr::LOCALHOST, port), "/"))
            .expect("the host reaches it");
        for caller in NAMES {
            host.container(caller)
                .inside(|| http_get((gateway, port), "/"))
                .unwrap_or_else(|error| panic!("{caller} to port {port}: {error}"));
        }
    }
    finish(host);
}

#[test]
fn whatever_was_deleted_of_a_segment_is_made_again_by_the_next_start() {
    let host = TestHost::create();
    let network = grown(&host, "");
    let segment = segment(&network);
    for device in [segment.clone(), format!("{segment}m"), network.bridge()] {
        host.command("ip", format!("link delete {device}"))
            .succeeds();
        host.minirun("run --rm --network big demo true").succeeds();
        assert_eq!(
            open_pairs(&host, ipv4, &pairs()),
            pairs(),
            "`{device}` was deleted"
        );
    }
    finish(host);
}

#[test]
fn ports_that_became_free_are_used_again() {
    let host = TestHost::create();
    let network = grown(&host, "");
    let room = "/run/minirun/networks/big/room";
    assert_eq!(
        host.read_file(room),
        "{\n  \"segment\": 1,\n  \"free\": 254\n}\n"
    );
    empty(&host);
    // Whoever comes next takes what is known; when that is used up, bridges are counted.
    host.write_file(room, "{\"segment\": 1, \"free\": 1}");
    host.idles("later1", "--network big");
    host.idles("later2", "--network big");
    assert_eq!(containers_on(&host, &network.bridge()), 3);
    assert_eq!(containers_on(&host, &segment(&network)), 3);
    assert!(!host.inside(|| std::path::Path::new(room).exists()));
    host.removes(&NAMES.join(" "));
    host.removes("later1 later2");
    host.removes_networks("big");
    host.finish();
}

#[test]
fn a_bridge_that_was_full_of_the_ports_of_others_is_grown_as_well() {
    let host = TestHost::create();
    host.has_bridge("mine", "10.77.0.1/24");
    let network = host.network("big", "-o com.docker.network.bridge.name=mine");
    let lines: String = (1..=1022)
        .map(|number| {
            format!(
                "link add full{number} group 77 type veth peer name peer{number}\nlink set full{number} master mine\n"
            )
        })
        .collect();
    host.write_file("/etc/minirun/ports", &lines);
    host.command("ip", "-batch /etc/minirun/ports").succeeds();
    let one = host.serves("one", "--network big", 80);
    // Now there is not even a port for a cable.
    host.minirun("run -d --name two --network big demo sleep infinity")
        .fails_with(125)
        .stderr_contains("a bridge has 1023 ports at most");
    host.command("ip", "link delete full1").succeeds();
    let two = host.idles("two", "--network big");
    assert_eq!(containers_on(&host, &segment(&network)), 1);
    let target = SocketAddrV4::new(one.address_on("big"), 80);
    assert_eq!(two.inside(|| tcp_connect(target, LONG_WAIT)), Reach::Open);
    host.removes("one two");
    host.removes_networks("big");
    empty(&host);
    host.command("ip", "link delete mine").succeeds();
    host.finish();
}

#[test]
fn the_bridge_of_a_segment_leads_nowhere_by_itself() {
    let host = TestHost::create();
    let network = grown(&host, "--internal");
    let _outside = host.neighbour().inside(|| tcp_listen(443));
    let segment = segment(&network);
    let mac = host.inside(|| hardware_address(&segment));
    let mac = mac.map(|byte| format!("{byte:02x}")).join(":");
    let far = host.container("far1");
    // As a container could with frames that it makes itself.
    let gateway = network.gateway();
    for command in [
        format!("route add default via {gateway} dev eth0"),
        format!("neighbour replace {gateway} lladdr {mac} dev eth0"),
    ] {
        far.command("ip", command).succeeds();
    }
    let outside = SocketAddrV4::new(NEIGHBOUR_ADDRESS, 443);
    with_and_without_bridge_rules(&host, |occasion| {
        assert_eq!(
            far.inside(|| tcp_connect(outside, SHORT_WAIT)),
            Reach::Silent,
            "{occasion}"
        );
    });
    finish(host);
}

#[test]
fn nobody_on_a_segment_speaks_for_another_or_reaches_more_than_it_may() {
    let host = TestHost::create();
    let network = grown(
        &host,
        "--ipv6 -o com.docker.network.bridge.enable_icc=false",
    );
    host.idles("thief", "--network big --link near1 --egress none");
    assert_eq!(containers_on(&host, &segment(&network)), 3);
    let thief = host.container("thief");
    let _outside = host.neighbour().inside(|| tcp_listen(443));
    let outside = SocketAddrV4::new(NEIGHBOUR_ADDRESS, 443);
    let (near1, far1) = (host.container("near1"), host.container("far1"));
    let targets = [
        SocketAddr::new(ipv4(&far1), 80),
        SocketAddr::new(ipv6(&far1), 80),
    ];
    let linked = SocketAddr::new(ipv4(&near1), 80);
    with_and_without_bridge_rules(&host, |occasion| {
        let tries = |target: SocketAddr, patience| thief.inside(|| tcp_connect(target, patience));
        assert_eq!(tries(linked, LONG_WAIT), Reach::Open, "{occasion}");
        assert_eq!(
            tries(outside.into(), LONG_WAIT),
            Reach::Refused,
            "{occasion}"
        );
        for (target, taken) in targets
            .iter()
            .zip(host.container("far2").addresses_on("big"))
        {
            let (prefix, flag) = match taken {
                IpAddr::V4(_) => (32, ""),
                IpAddr::V6(_) => (128, " nodad"),
            };
            let address = format!("{taken}/{prefix} dev eth0");
            let route = format!("{} dev eth0 src {taken}", target.ip());
            for command in [
                format!("address add {address}{flag}"),
                format!("route replace {route}"),
            ] {
                thief.command("ip", command).succeeds();
            }
            // Whom it passes for is linked to the target.
            assert_ne!(
                tries(*target, SHORT_WAIT),
                Reach::Open,
                "{occasion}: as {taken}"
            );
            for command in [
                format!("route delete {route}"),
                format!("address delete {address}"),
            ] {
                thief.command("ip", command).succeeds();
            }
        }
    });
    host.removes("thief");
    finish(host);
}

#[test]
fn nobody_on_a_segment_is_robbed_of_frames() {
    let host = TestHost::create();
    grown(&host, "");
    let thief = host.container("far1");
    let victims = ["near1", "near2"];
    let gateway = host.inside(|| hardware_address(&host.network_called("big").bridge()));
    let addresses = victims.map(|name| {
        let victim = host.container(name);
        victim.inside(|| hardware_address("eth0"))
    });
    thief.inside(|| {
        let socket = EthernetSocket::open("eth0");
        for address in addresses.iter().chain([&gateway]) {
            for _ in 0..3 {
                socket.send_as(*address, [0xff; 6], b"it is me");
            }
        }
    });
    let expected = [("far2", "near1"), ("far2", "near2")];
    let open = open_pairs(&host, ipv4, &expected);
    assert!(expected.iter().all(|pair| open.contains(pair)), "{open:?}");
    host.container("far2")
        .inside(|| http_get((HOST_ADDRESS, 8080), "/"))
        .expect("the gateway is reached");
    finish(host);
}
