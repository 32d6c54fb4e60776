//! Containers, a network and an image for the tests of this module, all made of the same few values.

use std::path::PathBuf;

use jiff::Timestamp;
use minirun_bridge::addressing::Addressing;
use minirun_bridge::endpoint::{DefaultRoute, Endpoint, EndpointPorts, HostsRecord};
use minirun_bridge::network::{Icc, Masquerade, Network, Ownership};
use minirun_bridge::network_options::{GatewayMode, Names, Reach};
use minirun_bridge::publish::parse_publish;
use minirun_runtime::condition::Condition;
use minirun_runtime::config::{
    ContainerConfig, LinkEnvironment, Membership, NetworkConfig, NetworkMode, ProcessConfig,
};
use minirun_runtime::container_state::{
    ContainerPaths, ContainerState, EndCause, ExitRecord, Restarting, RunningRecord,
};
use minirun_runtime::details::{ContainerDetails, Place};
use minirun_runtime::image::{Image, ImageConfig, Origin};
use minirun_runtime::process_identity::ProcessIdentity;
use minirun_runtime::restart_policy::Restarts;
use minirun_runtime::signal::StopSignal;
use minirun_runtime::stop_timeout::StopTimeout;
use minirun_runtime::storage::VolumeKind;
use minirun_runtime::summary::ContainerSummary;
use minirun_runtime::volumes::{Volume, VolumeUse};

/// When the listings of the tests are made: containers were created a minute before, and started five seconds before.
pub const NOW: &str = "2026-11-21T09:30:00Z";

pub fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A container `…N` that runs; its identifier is the digit `N`, its address `172.17.0.(N+1)`. Port 80 is published on 8080.
pub fn running(name: &str) -> ContainerDetails {
    ContainerDetails {
        config: config(name),
        condition: Condition {
            state: running_state(),
            health: None,
            is_paused: false,
        },
        places: vec![Place {
            membership: membership(),
            network: Some(network()),
            endpoint: Some(endpoint(name)),
            linked: Vec::new(),
            default_route: DefaultRoute {
                ipv4: true,
                ipv6: false,
            },
        }],
        paths: ContainerPaths {
            root: PathBuf::from("/root").join(name),
            state: PathBuf::from("/state").join(name),
        },
    }
}

/// The same container after it ended with 3.
pub fn stopped(name: &str) -> ContainerDetails {
    let mut details = running(name);
    details.condition.state = exited_state();
    details.places[0].endpoint = None;
    details.places[0].default_route.ipv4 = false;
    details
}

/// What listings show of a container.
pub fn summarized(details: ContainerDetails) -> ContainerSummary {
    let record = serde_json::to_string(&details.config).unwrap();
    let mut ports = EndpointPorts::default();
    let mut networks = Vec::new();
    for place in details.places {
        networks.extend(place.network.map(|network| network.id));
        if let Some(endpoint) = place.endpoint {
            ports.exposed = endpoint.exposed;
            ports.publications.extend(endpoint.publications);
        }
    }
    ContainerSummary {
        outline: serde_json::from_str(&record).unwrap(),
        condition: details.condition,
        ports,
        networks,
    }
}

pub fn running_state() -> ContainerState {
    ContainerState::Running(running_record())
}

pub fn running_record() -> RunningRecord {
    let process = |pid| ProcessIdentity {
        pid,
        start_ticks: 1,
        boot: "boot".into(),
    };
    RunningRecord {
        monitor: process(4710),
        init: Some(process(4711)),
        started: moment("2026-11-21T09:29:55Z"),
        guardian: None,
        restarts: Restarts::default(),
        restarting: None,
    }
}

pub fn exited_state() -> ContainerState {
    ContainerState::Exited(exit_record())
}

/// It ended with 3 two seconds ago, and is started again in a second.
pub fn restarting_state() -> ContainerState {
    ContainerState::Restarting(Restarting {
        last: exit_record(),
        until: moment("2026-11-21T09:30:01Z"),
    })
}

fn exit_record() -> ExitRecord {
    ExitRecord {
        started: moment("2026-11-21T09:29:55Z"),
        finished: moment("2026-11-21T09:29:58Z"),
        exit_code: 3,
        error: None,
        cause: EndCause::Program,
        restarts: 0,
        boot: "boot".into(),
        oom_killed: false,
        signal: None,
        usage: None,
    }
}

pub fn process(words: &[&str]) -> ProcessConfig {
    ProcessConfig {
        entrypoint: Vec::new(),
        command: words.iter().map(|word| (*word).to_owned()).collect(),
        environment: vec!["GREETING=hello there".parse().unwrap()],
        working_directory: String::new(),
        user: String::new(),
        no_new_privileges: false,
        open_stdin: false,
        terminal: false,
        init: false,
    }
}

pub fn network() -> Network {
    Network {
        id: "b".repeat(64).parse().unwrap(),
        name: "bridge".parse().unwrap(),
        created_seconds: moment("2026-11-21T09:00:00Z").as_second().unsigned_abs(),
        bridge: "minirun0".into(),
        segments: 0,
        bridge_mac: "02:42:ac:11:00:01".parse().unwrap(),
        ownership: Ownership::Own,
        ipv4: addressing("172.17.0.0/16", "172.17.0.1"),
        ipv6: None,
        mtu: 1500,
        icc: Icc::Disabled,
        masquerade: Masquerade::Enabled,
        gateway_mode: GatewayMode::Nat,
        reach: Reach::External,
        names: Names::HostsFile,
        publish_address: None,
        labels: [].into(),
        options: [].into(),
    }
}

pub fn addressing(subnet: &str, gateway: &str) -> Addressing {
    Addressing {
        subnet: subnet.parse().unwrap(),
        gateway: gateway.parse().unwrap(),
        range: None,
        auxiliary: [].into(),
    }
}

/// `cache`, which nobody named and nobody uses, and `db`, which `web1` has.
pub fn volumes() -> Vec<VolumeUse> {
    let volume = |name: &str, kind| Volume {
        name: name.parse().unwrap(),
        created: moment("2026-11-21T09:00:00Z"),
        kind,
        labels: [].into(),
    };
    let mut db = volume("db", VolumeKind::Named);
    db.labels = [("tier".to_owned(), "back".to_owned())].into();
    vec![
        VolumeUse {
            volume: volume("cache", VolumeKind::Anonymous),
            users: Vec::new(),
        },
        VolumeUse {
            volume: db,
            users: vec!["web1".parse().unwrap()],
        },
    ]
}

/// A network of a user with both families, `lan`; its identifier is all `c`.
pub fn lan() -> Network {
    Network {
        id: "c".repeat(64).parse().unwrap(),
        name: "lan".parse().unwrap(),
        bridge: "mr-lan".into(),
        ipv4: addressing("10.5.0.0/24", "10.5.0.1"),
        ipv6: Some(addressing("fd00:5::/64", "fd00:5::1")),
        names: Names::Dns,
        ..network()
    }
}

/// Being on the default network with nothing said about it.
pub fn membership() -> Membership {
    Membership {
        network: network().name,
        aliases: Vec::new(),
        address: None,
        ipv6_address: None,
        mac_address: None,
        gateway_priority: 0,
    }
}

pub fn image(names: &[&str]) -> Image {
    let layer = |name: String| PathBuf::from("/images/layers").join(name);
    Image {
        id: format!("sha256:{}", "a".repeat(64)).parse().unwrap(),
        names: names.iter().map(|name| name.parse().unwrap()).collect(),
        created: moment("2026-11-21T07:30:00Z"),
        size_bytes: 8_100_000,
        config: ImageConfig {
            command: process(&["httpd", "-p", "80"]).command,
            environment: vec!["A=b".parse().unwrap()],
            exposed: ["80".parse().unwrap()].into(),
            ..ImageConfig::default()
        },
        layers: vec![
            layer("c".repeat(64)),
            layer(format!("demo-{}", "d".repeat(64))),
        ],
        origin: Origin::Imported,
        parent: None,
        author: None,
        comment: None,
    }
}

fn digit(name: &str) -> String {
    name.chars().last().unwrap().to_string()
}

fn config(name: &str) -> ContainerConfig {
    let id = digit(name).repeat(64);
    ContainerConfig {
        hostname: id[..12].parse().unwrap(),
        id: id.parse().unwrap(),
        name: name.parse().unwrap(),
        created: moment("2026-11-21T09:29:00Z"),
        image: "demo".into(),
        image_id: image(&[]).id,
        process: process(&["httpd", "-p", "80"]),
        read_only: false,
        labels: [].into(),
        stop_signal: StopSignal::TERMINATE,
        stop_timeout: StopTimeout::default(),
        auto_remove: false,
        restart: Default::default(),
        health: None,
        log: Default::default(),
        storage: Default::default(),
        resources: Default::default(),
        security: Default::default(),
        devices: Default::default(),
        time_limit: Default::default(),
        profiles: Vec::new(),
        network: NetworkConfig {
            mode: NetworkMode::Networks,
            memberships: vec![membership()],
            expose: ["80", "81"].map(|port| port.parse().unwrap()).into(),
            publish: parse_publish("8080:80").unwrap(),
            publish_all: false,
            links: Vec::new(),
            link_environment: LinkEnvironment::Full,
            extra_hosts: Vec::new(),
            nameservers: Vec::new(),
            dns_search: Vec::new(),
            dns_options: Vec::new(),
            egress: Default::default(),
        },
    }
}

fn endpoint(name: &str) -> Endpoint {
    let number: u8 = digit(name).parse().unwrap();
    let config = config(name);
    Endpoint {
        id: "e".repeat(64).parse().unwrap(),
        container: config.id,
        name: config.name,
        hostname: config.hostname,
        address: [172, 17, 0, number + 1].into(),
        mac: format!("02:42:ac:11:00:{:02x}", number + 1)
            .parse()
            .unwrap(),
        ipv6_address: None,
        aliases: Vec::new(),
        interface: "veth".into(),
        segment: Default::default(),
        interface_name: "eth0".into(),
        exposed: config.network.expose,
        published: Default::default(),
        default_route: DefaultRoute::default(),
        publications: vec!["0.0.0.0:8080->80/tcp".parse().unwrap()],
        links: Vec::new(),
        hosts: HostsRecord {
            path: PathBuf::from("/root").join(name).join("hosts"),
            extra: Vec::new(),
        },
        egress: Default::default(),
    }
}
