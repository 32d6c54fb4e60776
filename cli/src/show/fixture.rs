//! Containers, a network and an image for the tests of this module, all made of the same few values.

use std::path::PathBuf;

use jiff::Timestamp;
use minirun_bridge::endpoint::{Endpoint, HostsRecord};
use minirun_bridge::network::{Icc, Masquerade, Network};
use minirun_bridge::publish::parse_publish;
use minirun_runtime::config::{ContainerConfig, NetworkConfig, NetworkMode, ProcessConfig};
use minirun_runtime::container_state::{ContainerPaths, ContainerState, ExitRecord, RunningRecord};
use minirun_runtime::details::ContainerDetails;
use minirun_runtime::image::{Image, ImageConfig, Origin};
use minirun_runtime::process_identity::ProcessIdentity;
use minirun_runtime::signal::StopSignal;

/// When the listings of the tests are made: containers were created a minute before, and started five seconds before.
pub(super) const NOW: &str = "2026-11-21T09:30:00Z";

pub(super) fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A container `…N` that runs; its identifier is the digit `N`, its address `172.17.0.(N+1)`. Port 80 is published on 8080.
pub(super) fn running(name: &str) -> ContainerDetails {
    ContainerDetails {
        config: config(name),
        state: running_state(),
        endpoint: Some(endpoint(name)),
        network: Some(network()),
        paths: ContainerPaths {
            root: PathBuf::from("/root").join(name),
            state: PathBuf::from("/state").join(name),
        },
    }
}

/// The same container after it ended with 3.
pub(super) fn stopped(name: &str) -> ContainerDetails {
    ContainerDetails {
        state: exited_state(),
        endpoint: None,
        ..running(name)
    }
}

pub(super) fn running_state() -> ContainerState {
    ContainerState::Running(running_record())
}

pub(super) fn running_record() -> RunningRecord {
    let process = |pid| ProcessIdentity {
        pid,
        start_ticks: 1,
        boot: "boot".into(),
    };
    RunningRecord {
        monitor: process(4710),
        init: Some(process(4711)),
        started: moment("2026-11-21T09:29:55Z"),
    }
}

pub(super) fn exited_state() -> ContainerState {
    ContainerState::Exited(ExitRecord {
        started: moment("2026-11-21T09:29:55Z"),
        finished: moment("2026-11-21T09:29:58Z"),
        exit_code: 3,
        error: None,
    })
}

pub(super) fn process(words: &[&str]) -> ProcessConfig {
    ProcessConfig {
        entrypoint: Vec::new(),
        command: words.iter().map(|word| (*word).to_owned()).collect(),
        environment: vec!["GREETING=hello there".parse().unwrap()],
        working_directory: String::new(),
        user: String::new(),
        no_new_privileges: false,
        open_stdin: false,
    }
}

pub(super) fn network() -> Network {
    Network {
        id: "b".repeat(64).parse().unwrap(),
        name: "bridge".parse().unwrap(),
        created_seconds: moment("2026-11-21T09:00:00Z").as_second().unsigned_abs(),
        bridge: "minirun0".into(),
        bridge_mac: "02:42:ac:11:00:01".parse().unwrap(),
        subnet: "172.17.0.0/16".parse().unwrap(),
        gateway: "172.17.0.1".parse().unwrap(),
        mtu: 1500,
        icc: Icc::Disabled,
        masquerade: Masquerade::Enabled,
        publish_address: "0.0.0.0".parse().unwrap(),
        labels: [].into(),
    }
}

pub(super) fn image(names: &[&str]) -> Image {
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
        stop_timeout_seconds: 10,
        auto_remove: false,
        network: NetworkConfig {
            mode: NetworkMode::Bridge,
            static_address: None,
            mac_address: None,
            expose: ["80", "81"].map(|port| port.parse().unwrap()).into(),
            publish: parse_publish("8080:80").unwrap(),
            publish_all: false,
            links: Vec::new(),
            extra_hosts: Vec::new(),
            nameservers: Vec::new(),
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
        interface: "veth".into(),
        exposed: config.network.expose,
        publications: vec!["0.0.0.0:8080->80/tcp".parse().unwrap()],
        links: Vec::new(),
        hosts: HostsRecord {
            path: PathBuf::from("/root").join(name).join("hosts"),
            extra: Vec::new(),
        },
    }
}
