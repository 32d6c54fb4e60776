//! Twelve hundred containers on one network of a throw-away host: more than a bridge of the kernel has ports. Stops with a message
//! if anything is not as with two of them. It is a program of its own, because it takes longer than anybody wants to wait for at
//! each run of the tests.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Instant;

use minirun_integration::probe::{LONG_WAIT, Reach, SHORT_WAIT, http_get, tcp_connect};
use minirun_integration::{Container, Network, Running, TestHost};

/// How many commands run at a time.
const AT_ONCE: usize = 8;

/// The containers in the middle, that do nothing.
const IDLE: usize = 1197;

/// How many containers one command removes.
const REMOVED_AT_ONCE: usize = 150;

fn main() {
    let host = TestHost::create();
    let network = host.network("big", "--subnet 10.99.0.0/16");
    let first = host.serves("first", "--network big -p 8001:80", 80);
    let idle: Vec<String> = (0..IDLE).map(|number| format!("idle{number}")).collect();
    timed("1,197 containers started, eight at a time", || {
        let run = |name| format!("run -d --name {name} --network big demo sleep infinity");
        all_of(&host, AT_ONCE, idle.iter().map(run));
    });
    let linked = host.serves("linked", "--network big --link first:web", 80);
    let last = host.serves("last", "--network big -p 8002:80", 80);

    timed("listed", || {
        let listed = host.minirun("ps -q").succeeds();
        assert_eq!(listed.stdout().lines().count(), IDLE + 3);
    });
    let spread = spread(&host, &network);
    assert_eq!(spread.iter().sum::<usize>(), IDLE + 3, "{spread:?}");
    // Whoever makes a port while another finds the bridge full still gets it there.
    let full = 256..256 + AT_ONCE;
    assert!(
        spread[..4].iter().all(|ports| full.contains(ports)),
        "{spread:?}"
    );
    timed("reached each other, and could be closed", || {
        can_be_closed(&host, &first, &linked, &last)
    });

    timed("removed", || {
        let batches = idle.chunks(REMOVED_AT_ONCE);
        all_of(
            &host,
            2,
            batches.map(|names| format!("rm -f {}", names.join(" "))),
        );
        host.removes("first linked last");
    });
    host.removes_networks("big");
    host.finish();
}

/// Does something and says how long it took. Nothing is expected of the time: that is the benchmark's to say.
fn timed(what: &str, work: impl FnOnce()) {
    let began = Instant::now();
    work();
    println!("{what}: {:.1} s", began.elapsed().as_secs_f64());
}

/// Runs commands of minirun, of which `at_once` run at any time. All must succeed.
fn all_of(host: &TestHost, at_once: usize, commands: impl Iterator<Item = String>) {
    let mut running = VecDeque::new();
    for command in commands {
        if running.len() == at_once {
            finish_first(&mut running);
        }
        running.push_back(host.spawn_minirun(command));
    }
    while !running.is_empty() {
        finish_first(&mut running);
    }
}

fn finish_first(running: &mut VecDeque<Running>) {
    if let Some(command) = running.pop_front() {
        command.finish().succeeds();
    }
}

/// How many containers have their ports on each bridge of a network.
fn spread(host: &TestHost, network: &Network<'_>) -> Vec<usize> {
    let segments = (1..=4).map(|number| format!("mr-{}-{number}", &network.id()[..7]));
    let bridges = [network.bridge()].into_iter().chain(segments);
    let containers_on = |bridge| {
        let shown = host.command("ip", format!("-br link show master {bridge}"));
        let shown = shown.succeeds();
        let ports = shown.stdout().lines();
        ports.filter(|port| port.starts_with("veth")).count()
    };
    bridges.map(containers_on).collect()
}

/// The first, the last, and one that is linked to the first reach each other until the network is closed; then the link is what
/// still leads somewhere. Names and published ports work all the time.
fn can_be_closed(host: &TestHost, first: &Container, linked: &Container, last: &Container) {
    let to_first = SocketAddrV4::new(first.address_on("big"), 80);
    let to_last = SocketAddrV4::new(last.address_on("big"), 80);
    let reach = |patience| {
        [
            first.inside(|| tcp_connect(to_last, patience)),
            last.inside(|| tcp_connect(to_first, patience)),
            linked.inside(|| tcp_connect(to_last, patience)),
        ]
    };
    assert_eq!(reach(LONG_WAIT), [Reach::Open; 3]);
    host.minirun("exec first wget -q -O - http://last/")
        .succeeds();
    host.minirun("network update big --icc=false").succeeds();
    assert_eq!(reach(SHORT_WAIT), [Reach::Silent; 3]);
    host.minirun("exec linked wget -q -O - http://web/")
        .succeeds();
    for port in [8001, 8002] {
        host.inside(|| http_get((Ipv4Addr::LOCALHOST, port), "/"))
            .unwrap_or_else(|error| panic!("port {port}: {error}"));
    }
}
