//! More containers on one network than a bridge of the kernel has ports.

use std::net::{Ipv4Addr, SocketAddrV4};

use minirun_integration::TestHost;
use minirun_integration::probe::{LONG_WAIT, Reach, SHORT_WAIT, http_get, tcp_connect};

/// How many are started and removed at a time.
const AT_ONCE: usize = 8;

/// The containers in the middle, that do nothing.
const IDLE: usize = 1197;

/// Runs a command of minirun for each of `names`, some at a time.
fn each(host: &TestHost, names: &[String], command: impl Fn(&str) -> String) {
    for some in names.chunks(AT_ONCE) {
        let started: Vec<_> = some
            .iter()
            .map(|name| host.spawn_minirun(command(name)))
            .collect();
        for running in started {
            running.finish().succeeds();
        }
    }
}

/// How many containers have their ports on a bridge.
fn containers_on(host: &TestHost, bridge: &str) -> usize {
    let shown = host
        .command("ip", format!("-br link show master {bridge}"))
        .succeeds();
    let ports = shown.stdout().lines();
    ports.filter(|port| port.starts_with("veth")).count()
}

#[test]
#[ignore = "takes minutes; `.ci/run` asks for it"]
fn twelve_hundred_containers_are_on_one_network() {
    let host = TestHost::create();
    let network = host.network("big", "--subnet 10.99.0.0/16");
    let first = host.serves("first", "--network big -p 8001:80", 80);
    let idle: Vec<String> = (0..IDLE).map(|number| format!("idle{number}")).collect();
    each(&host, &idle, |name| {
        format!("run -d --name {name} --network big demo sleep infinity")
    });
    let linked = host.serves("linked", "--network big --link first:web", 80);
    let last = host.serves("last", "--network big -p 8002:80", 80);
    let ps = host.minirun("ps -q").succeeds();
    assert_eq!(ps.stdout().lines().count(), 1200);
    let segments = (1..=4).map(|number| format!("mr-{}-{number}", &network.id()[..7]));
    let bridges: Vec<String> = [network.bridge()].into_iter().chain(segments).collect();
    let counts: Vec<usize> = bridges
        .iter()
        .map(|bridge| containers_on(&host, bridge))
        .collect();
    assert_eq!(counts, [256, 256, 256, 256, 176]);

    let to_first = SocketAddrV4::new(first.address_on("big"), 80);
    let to_last = SocketAddrV4::new(last.address_on("big"), 80);
    let reach = |patience| {
        (
            first.inside(|| tcp_connect(to_last, patience)),
            last.inside(|| tcp_connect(to_first, patience)),
            linked.inside(|| tcp_connect(to_last, patience)),
        )
    };
    assert_eq!(reach(LONG_WAIT), (Reach::Open, Reach::Open, Reach::Open));
    host.minirun("exec first wget -q -O - http://last/")
        .succeeds();
    host.minirun("network update big --icc=false").succeeds();
    assert_eq!(
        reach(SHORT_WAIT),
        (Reach::Silent, Reach::Silent, Reach::Silent)
    );
    host.minirun("exec linked wget -q -O - http://web/")
        .succeeds();
    for port in [8001, 8002] {
        host.inside(|| http_get((Ipv4Addr::LOCALHOST, port), "/"))
            .unwrap_or_else(|error| panic!("port {port}: {error}"));
    }

    let batches: Vec<String> = idle.chunks(50).map(|names| names.join(" ")).collect();
    for two in batches.chunks(2) {
        each(&host, two, |names| format!("rm -f {names}"));
    }
    host.removes("first linked last");
    host.removes_networks("big");
    host.finish();
}
