//! Bytes between two containers, beside bytes between two namespaces that were wired by hand.

use serde_json::Value;

use crate::benchmark::bench::{Bench, Driver};
use crate::benchmark::contest::{Contender, hold};
use crate::benchmark::findings::{Findings, Measurement, Outcome, Side, Trouble, expect};
use crate::benchmark::options::Options;
use crate::benchmark::peers::is_installed;
use crate::benchmark::row::{IPERF, Unit};
use crate::benchmark::starts::both;
use crate::place::Place;
use crate::running::Running;
use crate::statistics::median;

/// Measures the row if it is wanted.
pub fn measure(options: &Options, findings: &mut Findings) {
    if options.want(IPERF) {
        findings.add(IPERF, compare(options.runs));
    }
}

/// Two places on one bridge, with a server in the second. Dropped, the server ends.
struct Wire {
    client: Place,
    address: String,
    _server: Running,
}

impl Wire {
    fn between(client: Place, server: &Place, address: String) -> Self {
        let mut running = server.program("iperf3", "--server --forceflush").spawn();
        running.read_until("Server listening");
        Self {
            client,
            address,
            _server: running,
        }
    }

    /// Gigabits in a second, sent for a second.
    fn throughput(&self) -> Result<f64, Trouble> {
        let line = format!("--client {} --time 1 --json", self.address);
        let answer: Value = expect(self.client.command("iperf3", line))?.json();
        let bits = answer["end"]["sum_received"]["bits_per_second"].as_f64();
        bits.map(|bits| bits / 1e9)
            .ok_or_else(|| Trouble::Failed("iperf3 told no throughput".to_owned()))
    }
}

fn compare(runs: usize) -> Outcome {
    if !is_installed("iperf3") {
        return Err(Trouble::NotHere("`iperf3` is not installed".to_owned()));
    }
    let bench = Bench::create(Driver::Automatic)?;
    let ours = between_containers(&bench)?;
    let holders = ["10.99.0.2", "10.99.0.3"].map(|_| {
        let sleep = "--net sleep infinity";
        bench.host.place().program("unshare", sleep).spawn()
    });
    let bare = by_hand(&bench, &holders)?;
    bench.begin();
    let sample = |wire: &Wire| {
        bench.settle()?;
        wire.throughput()
    };
    let contenders = vec![
        Contender::new(|| sample(&ours)),
        Contender::new(|| sample(&bare)),
    ];
    let [ours, bare] = both(hold(runs, contenders)?)?;
    let side = |name: &str, samples: &[f64]| Side {
        name: name.to_owned(),
        unit: Unit::GigabitsPerSecond,
        samples: samples.to_vec(),
    };
    Ok(Measurement {
        value: median(&ours) / median(&bare),
        sides: vec![side("two containers", &ours), side("wired by hand", &bare)],
        note: None,
    })
}

fn between_containers(bench: &Bench) -> Result<Wire, Trouble> {
    for name in ["near", "far"] {
        bench.minirun(format!("run -d --name {name} demo sleep infinity"))?;
    }
    let [near, far] = ["near", "far"].map(|name| bench.host.container(name));
    let address = far.address().to_string();
    Ok(Wire::between(near.place(), &far.place(), address))
}

/// The namespaces belong to the two processes.
fn by_hand(bench: &Bench, holders: &[Running; 2]) -> Result<Wire, Trouble> {
    bench.host.has_bridge("hand0", "10.99.0.1/24");
    let mut places = Vec::new();
    for (number, holder) in (2..).zip(holders) {
        let pid = holder.process().pid();
        awaits_own_network(pid);
        let place = bench.host.place().network_of(pid);
        let pair =
            format!("link add hand{number} up master hand0 type veth peer name eth0 netns {pid}");
        expect(bench.host.command("ip", pair))?;
        expect(place.command("ip", format!("address add 10.99.0.{number}/24 dev eth0")))?;
        expect(place.command("ip", "link set eth0 up"))?;
        places.push(place);
    }
    let [near, far] = <[Place; 2]>::try_from(places)
        .map_err(|_| Trouble::Failed("two namespaces were wired".to_owned()))?;
    Ok(Wire::between(near, &far, "10.99.0.3".to_owned()))
}

/// `unshare` has its namespace when it has become `sleep`.
fn awaits_own_network(pid: i32) {
    let is_asleep = || {
        std::fs::read_to_string(format!("/proc/{pid}/comm"))
            .is_ok_and(|name| name.trim() == "sleep")
    };
    while !is_asleep() {
        std::thread::yield_now();
    }
}
