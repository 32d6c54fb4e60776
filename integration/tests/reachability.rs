//! What the policy predicts is what packets do: random hosts, each tried from every container to every other's addresses and to
//! every published port.

#[path = "reachability/random.rs"]
mod random;
#[path = "reachability/script.rs"]
mod script;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::thread;

use minirun_bridge::endpoint::Endpoint;
use minirun_bridge::id::ContainerId;
use minirun_bridge::network::{Icc, Network};
use minirun_bridge::port::ExposedPort;
use minirun_bridge::reachability::{Obstacle, Question, Verdict, World};
use minirun_bridge::settings::Settings;
use minirun_bridge::state::NetworkHost;
use minirun_integration::probe::{LONG_WAIT, Reach, SHORT_WAIT, tcp_connect, tcp_listen};
use minirun_integration::{HOST_ADDRESS, HOST_ADDRESS_V6, Place, TestHost};

use script::{BridgeRules, Script};

/// Each makes another host.
const SEEDS: [u64; 12] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

/// How many verdicts there are: open, and closed for eight reasons. All of them are to be tried.
const VERDICTS: usize = 9;

/// What listens in every container: a port that may be exposed or published, and one that never is.
const LISTENING: [u16; 2] = [80, 81];

/// The records of a host: its networks and who is on them.
type Records = Vec<(Network, Vec<Endpoint>)>;

/// One thing that is tried.
#[derive(Debug, Clone)]
struct Trial {
    caller: String,
    target: SocketAddr,
    predicted: Verdict,
}

#[test]
fn packets_do_what_the_policy_predicts() {
    let tried = thread::scope(|scope| {
        let worlds = SEEDS.map(|seed| scope.spawn(move || try_world(seed)));
        worlds.map(|world| world.join().expect("a world is not as predicted"))
    });
    let kinds: BTreeSet<String> = tried
        .iter()
        .flatten()
        .map(|trial| trial.predicted.to_string())
        .collect();
    assert_eq!(kinds.len(), VERDICTS, "only these were tried: {kinds:#?}");
}

/// Makes a host, and compares what is predicted with what happens on it. What was tried is the result.
fn try_world(seed: u64) -> Vec<Trial> {
    let script = Script::random(seed);
    let host = TestHost::create();
    for family in ["iptables", "ip6tables"] {
        let sysctl = format!("net/bridge/bridge-nf-call-{family}");
        host.set_sysctl(&sysctl, script.bridge_rules.value());
    }
    for command in &script.commands {
        host.minirun(command.as_str()).succeeds();
    }
    let place = |name: &String| (name.clone(), host.container(name).place());
    let places: BTreeMap<String, Place> = script.containers.iter().map(place).collect();
    let listen = |place: &Place| place.inside(|| LISTENING.map(tcp_listen));
    let listeners: Vec<_> = places.values().map(listen).collect();
    let trials = trials(&records(&host, &script.networks), &script);
    let surprises = surprises(&places, &trials);
    assert!(surprises.is_empty(), "seed {seed}:\n{script}\n{surprises}");
    drop((listeners, places));
    host.removes(&script.containers.join(" "));
    host.removes_networks(&script.networks.join(" "));
    host.finish();
    trials
}

/// What does not happen as predicted, one line for each.
fn surprises(places: &BTreeMap<String, Place>, trials: &[Trial]) -> String {
    let answers = thread::scope(|scope| {
        let callers = places.iter().map(|(caller, place)| {
            let own: Vec<&Trial> = trials.iter().filter(|one| one.caller == *caller).collect();
            scope.spawn(move || place.inside(|| call_all(&own)))
        });
        let callers: Vec<_> = callers.collect();
        let joined = callers.into_iter().map(|caller| caller.join());
        joined
            .flat_map(|answers| answers.expect("a caller panicked"))
            .collect::<Vec<_>>()
    });
    answers
        .iter()
        .filter(|(trial, reach)| (trial.predicted == Verdict::Open) != (*reach == Reach::Open))
        .map(|(trial, reach)| {
            let Trial {
                caller,
                target,
                predicted,
            } = trial;
            format!("{caller} to {target} is predicted as {predicted}; packets say {reach:?}\n")
        })
        .collect()
}

/// Tries everything at the same time, in the calling thread's network.
fn call_all(trials: &[&Trial]) -> Vec<(Trial, Reach)> {
    thread::scope(|scope| {
        let call = |trial: &Trial| {
            let patience = match trial.predicted {
                Verdict::Open => LONG_WAIT,
                Verdict::Closed(_) => SHORT_WAIT,
            };
            let target = trial.target;
            scope.spawn(move || tcp_connect(target, patience))
        };
        let calls: Vec<_> = trials.iter().map(|trial| (*trial, call(trial))).collect();
        calls
            .into_iter()
            .map(|(trial, call)| (trial.clone(), call.join().expect("a probe panicked")))
            .collect()
    })
}

/// What minirun noted about these networks and who is on them. The default network is recorded, too, but nobody ever joins it
/// here, and so it has no bridge.
fn records(host: &TestHost, names: &[String]) -> Records {
    host.inside(|| {
        let (root, own) = ("/var/lib/minirun", "/run/minirun");
        let state = NetworkHost::new(root.into(), own.into(), Settings::default());
        let mut networks = state.networks().expect("the networks are recorded");
        networks.retain(|network| names.contains(&network.name.to_string()));
        let with_endpoints = |network: Network| {
            let endpoints = state.network(&network.name).all();
            (network, endpoints.expect("the endpoints are recorded"))
        };
        networks.into_iter().map(with_endpoints).collect()
    })
}

/// Every container to every other's addresses on every network, and to every published port at every address of the host, as far
/// as the outcome is no known limit.
fn trials(records: &Records, script: &Script) -> Vec<Trial> {
    let mut host_addresses: Vec<IpAddr> = vec![HOST_ADDRESS.into(), HOST_ADDRESS_V6.into()];
    let world = World::new(records.clone(), host_addresses.clone());
    host_addresses.extend(records.iter().flat_map(|(network, _)| network.gateways()));
    let everybody: BTreeMap<&str, ContainerId> = endpoints(records)
        .map(|endpoint| (endpoint.name.as_str(), endpoint.container))
        .collect();
    let mut trials = Vec::new();
    for (caller, id) in &everybody {
        let others = endpoints(records).filter(|endpoint| endpoint.container != *id);
        let direct = sockets(others.flat_map(Endpoint::addresses), &LISTENING);
        let direct = direct.into_iter().map(|target| (target, None));
        let published = script.published.iter().flat_map(|(owner, port)| {
            let targets = sockets(host_addresses.iter().copied(), &[*port]);
            targets.into_iter().map(move |target| (target, Some(owner)))
        });
        for (target, owner) in direct.chain(published) {
            let predicted = world.predict(&Question {
                caller: *id,
                address: target.ip(),
                port: tcp(target.port()),
            });
            let limit = script.bridge_rules == BridgeRules::Heeded
                && owner.is_some_and(|owner| {
                    is_known_limit(predicted, are_kept_apart(records, caller, owner))
                });
            if !limit {
                trials.push(Trial {
                    caller: (*caller).to_owned(),
                    target,
                    predicted,
                });
            }
        }
    }
    trials
}

fn sockets(addresses: impl Iterator<Item = IpAddr>, ports: &[u16]) -> Vec<SocketAddr> {
    addresses
        .flat_map(|address| {
            ports
                .iter()
                .map(move |port| SocketAddr::new(address, *port))
        })
        .collect()
}

/// What ARCHITECTURE.md names known limits: with `br_netfilter` on, a packet that the host translates on a bridge is bridged on at
/// once. So an isolated port refuses it where ICC is off, and an answer that is given past the host is translated back all the same.
fn is_known_limit(predicted: Verdict, are_kept_apart: bool) -> bool {
    match predicted {
        Verdict::Open => are_kept_apart,
        Verdict::Closed(obstacle) => obstacle == Obstacle::AnswersAstray,
    }
}

/// Whether two containers, or a container and itself, are on one network that has ICC off.
fn are_kept_apart(records: &Records, one: &str, other: &str) -> bool {
    records.iter().any(|(network, endpoints)| {
        let is_on = |name: &str| endpoints.iter().any(|place| place.name.as_str() == name);
        network.icc == Icc::Disabled && is_on(one) && is_on(other)
    })
}

fn endpoints(records: &Records) -> impl Iterator<Item = &Endpoint> {
    records.iter().flat_map(|(_, endpoints)| endpoints)
}

fn tcp(port: u16) -> ExposedPort {
    format!("{port}/tcp").parse().expect("a port")
}
