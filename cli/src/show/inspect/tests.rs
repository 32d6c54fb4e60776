//! Whole documents, as a script would read them.

use super::super::fixture::{self, lan, running, stopped};
use super::*;
use minirun_bridge::network::Icc;
use minirun_bridge::network_options::Reach;
use minirun_bridge::publish::parse_publish;
use minirun_runtime::config::NetworkMode;
use minirun_runtime::container_state::ContainerState;
use minirun_runtime::details::{ContainerDetails, LinkedPorts};
use minirun_runtime::health::{Health, HealthCheck, HealthTest};
use minirun_runtime::networking::nominal_network_id;
use minirun_runtime::security::app_armor::OUR_PROFILE;

/// `web2` runs, is linked to `web1` as `web`, exposes 81 and publishes 80.
fn web2() -> Value {
    let mut details = running("web2");
    details.config.network.links = vec!["web1:web".parse().unwrap()];
    container(&details)
}

#[test]
fn a_container_is_inspected_as_docker_shows_it() {
    let mut document = web2();
    let profile = document.as_object_mut().unwrap().remove("AppArmorProfile");
    let known = ["", OUR_PROFILE];
    assert!(known.iter().any(|name| profile == Some(json!(name))));
    for part in ["State", "HostConfig", "Config", "NetworkSettings"] {
        assert!(document.as_object_mut().unwrap().remove(part).is_some());
    }
    assert_eq!(
        document,
        json!({
            "Id": "2".repeat(64),
            "Created": "2026-11-21T09:29:00Z",
            "Path": "httpd",
            "Args": ["-p", "80"],
            "Image": format!("sha256:{}", "a".repeat(64)),
            "ResolvConfPath": "/root/web2/resolv.conf",
            "HostnamePath": "/root/web2/hostname",
            "HostsPath": "/root/web2/hosts",
            "LogPath": "/root/web2/log",
            "Name": "/web2",
            "RestartCount": 0,
            "Driver": "overlay",
            "Platform": "linux",
            "Mounts": []
        })
    );
}

#[test]
fn a_running_container_shows_its_process() {
    assert_eq!(
        web2()["State"],
        json!({
            "Status": "running", "Running": true, "Paused": false, "Restarting": false, "OOMKilled": false, "TimedOut": false,
            "Dead": false, "Pid": 4711, "ExitCode": 0, "Error": "",
            "StartedAt": "2026-11-21T09:29:55Z", "FinishedAt": "0001-01-01T00:00:00Z", "Usage": null
        })
    );
}

#[test]
fn health_is_shown_only_where_it_is_checked() {
    let mut details = running("web1");
    let document = container(&details);
    assert_eq!(document["State"].get("Health"), None);
    assert_eq!(document["Config"].get("Healthcheck"), None);
    details.condition.health = Some(Health::default());
    details.config.health = Some(HealthCheck::of(HealthTest::Shell("true".into())));
    let document = container(&details);
    let starting = json!({"Status": "starting", "FailingStreak": 0, "Log": []});
    assert_eq!(document["State"]["Health"], starting);
    let check = json!({"Test": ["CMD-SHELL", "true"]});
    assert_eq!(document["Config"]["Healthcheck"], check);
}

#[test]
fn a_container_shows_what_was_asked_for() {
    let document = web2();
    let asked: Value = serde_json::from_str(
        r#"{
        "LogConfig": {"Type": "json-file", "Config": {"max-file": "5", "max-size": "20m"}},
        "NetworkMode": "bridge",
        "PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]},
        "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
        "AutoRemove": false,
        "Dns": [],
        "DnsOptions": [],
        "DnsSearch": [],
        "Egress": "any", "EgressDeny": "none",
        "ExtraHosts": null, "Init": null,
        "Links": ["/web1:/web2/web"],
        "PublishAllPorts": false,
        "ReadonlyRootfs": false,
        "UsernsMode": "", "IDMappings": null, "Timeout": 0, "Profiles": null,
        "Privileged": false, "CapAdd": null, "CapDrop": null, "SecurityOpt": null,
        "Memory": 0, "MemorySwap": 0, "MemoryReservation": 0, "NanoCpus": 0, "CpuShares": 0, "CpuQuota": 0,
        "CpuPeriod": 0, "CpusetCpus": "", "CpusetMems": "", "PidsLimit": null,
        "Devices": [], "DeviceCgroupRules": null,
        "BlkioWeight": 0, "BlkioWeightDevice": [],
        "BlkioDeviceReadBps": [], "BlkioDeviceWriteBps": [],
        "BlkioDeviceReadIOps": [], "BlkioDeviceWriteIOps": [],
        "MemorySwappiness": null, "OomKillDisable": false, "OomScoreAdj": 0, "Ulimits": [], "CgroupParent": "",
        "Binds": null,
        "VolumesFrom": null,
        "ShmSize": 67108864
    }"#,
    )
    .unwrap();
    assert_eq!(document["HostConfig"], asked);
    assert_eq!(
        document["Config"],
        json!({
            "Hostname": "222222222222", "Domainname": "", "User": "",
            "AttachStdin": false, "AttachStdout": false, "AttachStderr": false,
            "ExposedPorts": {"80/tcp": {}, "81/tcp": {}},
            "Tty": false, "OpenStdin": false, "StdinOnce": false,
            "Env": ["GREETING=hello there"],
            "Cmd": ["httpd", "-p", "80"],
            "Image": "demo",
            "Volumes": null,
            "WorkingDir": "",
            "Entrypoint": null,
            "Labels": {},
            "StopSignal": "SIGTERM",
            "StopTimeout": 10
        })
    );
}

#[test]
fn a_running_container_shows_its_place_on_the_network() {
    let bridge = json!({
        "IPAMConfig": null, "Links": null, "Aliases": null, "MacAddress": "02:42:ac:11:00:03", "DriverOpts": null,
        "GwPriority": 0, "NetworkID": "b".repeat(64), "EndpointID": "e".repeat(64), "Gateway": "172.17.0.1",
        "IPAddress": "172.17.0.3", "IPPrefixLen": 16,
        "IPv6Gateway": "", "GlobalIPv6Address": "", "GlobalIPv6PrefixLen": 0, "DNSNames": null,
        "DefaultRoute": {"IPv4": true, "IPv6": false}
    });
    assert_eq!(
        web2()["NetworkSettings"],
        json!({
            "Bridge": "",
            "SandboxKey": "/proc/4711/ns/net",
            "Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}], "81/tcp": null},
            "EndpointID": "e".repeat(64),
            "Gateway": "172.17.0.1",
            "GlobalIPv6Address": "",
            "GlobalIPv6PrefixLen": 0,
            "IPAddress": "172.17.0.3",
            "IPPrefixLen": 16,
            "IPv6Gateway": "",
            "MacAddress": "02:42:ac:11:00:03",
            "Networks": {"bridge": bridge},
            "LinkedPorts": []
        })
    );
}

#[test]
fn a_stopped_container_keeps_its_network_and_what_was_asked_for() {
    let mut details = stopped("web1");
    details.places[0].membership.address = "172.17.0.9".parse().ok();
    let document = container(&details);
    assert_eq!(
        document["State"],
        json!({
            "Status": "exited", "Running": false, "Paused": false, "Restarting": false, "OOMKilled": false, "TimedOut": false, "Dead": false,
            "Pid": 0, "ExitCode": 3, "Error": "",
            "StartedAt": "2026-11-21T09:29:55Z", "FinishedAt": "2026-11-21T09:29:58Z", "Usage": null
        })
    );
    let bridge = json!({
        "IPAMConfig": {"IPv4Address": "172.17.0.9"}, "Links": null, "Aliases": null, "MacAddress": "",
        "DriverOpts": null, "GwPriority": 0, "NetworkID": "b".repeat(64), "EndpointID": "", "Gateway": "", "IPAddress": "", "IPPrefixLen": 0,
        "IPv6Gateway": "", "GlobalIPv6Address": "", "GlobalIPv6PrefixLen": 0, "DNSNames": null,
        "DefaultRoute": {"IPv4": false, "IPv6": false}
    });
    assert_eq!(
        document["NetworkSettings"],
        json!({
            "Bridge": "", "SandboxKey": "", "Ports": {}, "EndpointID": "", "Gateway": "", "GlobalIPv6Address": "",
            "GlobalIPv6PrefixLen": 0, "IPAddress": "", "IPPrefixLen": 0, "IPv6Gateway": "", "MacAddress": "",
            "Networks": {"bridge": bridge}, "LinkedPorts": []
        })
    );
}

#[test]
fn a_container_that_was_never_started_has_no_moments() {
    let mut details = stopped("web1");
    details.condition.state = ContainerState::Created;
    details.places[0].network = None;
    let document = container(&details);
    assert_eq!(document["State"]["Status"], "created");
    assert_eq!(document["State"]["StartedAt"], "0001-01-01T00:00:00Z");
    let networks = &document["NetworkSettings"]["Networks"];
    assert_eq!(networks["bridge"]["NetworkID"], "");
}

#[test]
fn a_container_on_another_network_is_shown_under_its_name() {
    for (mode, name) in [(NetworkMode::Host, "host"), (NetworkMode::None, "none")] {
        let mut details = running("web2");
        details.config.network.mode = mode;
        details.places.clear();
        let document = container(&details);
        assert_eq!(document["HostConfig"]["NetworkMode"], name);
        let settings = &document["NetworkSettings"];
        assert_eq!(settings["Ports"], json!({}));
        assert_eq!(settings["Networks"][name]["IPAddress"], "");
        assert_eq!(
            settings["Networks"][name]["NetworkID"],
            nominal_network_id(name)
        );
    }
}

#[test]
fn what_was_asked_of_the_host_is_shown_as_it_was_asked() {
    let mut details = running("web2");
    details.config.network.publish = ["80", "127.0.0.1:8080:80", "9000-9010:53/udp"]
        .into_iter()
        .flat_map(|text| parse_publish(text).unwrap())
        .collect();
    details.config.network.extra_hosts = ["db:10.0.0.5", "up:host-gateway"]
        .map(|text| text.parse().unwrap())
        .to_vec();
    details.config.network.nameservers = vec!["10.0.0.53".parse().unwrap()];
    details.config.process.no_new_privileges = true;
    let host_config = &container(&details)["HostConfig"];
    assert_eq!(
        host_config["PortBindings"],
        json!({
            "80/tcp": [{"HostIp": "", "HostPort": ""}, {"HostIp": "127.0.0.1", "HostPort": "8080"}],
            "53/udp": [{"HostIp": "", "HostPort": "9000-9010"}]
        })
    );
    assert_eq!(host_config["Links"], Value::Null);
    assert_eq!(
        host_config["ExtraHosts"],
        json!(["db:10.0.0.5", "up:host-gateway"])
    );
    assert_eq!(host_config["Dns"], json!(["10.0.0.53"]));
    assert_eq!(host_config["SecurityOpt"], json!(["no-new-privileges"]));
}

#[test]
fn a_port_that_is_published_twice_shows_both_bindings() {
    let mut details = running("web2");
    details.places[0].endpoint.as_mut().unwrap().publications =
        ["0.0.0.0:9001->80/tcp", "127.0.0.1:9000->80/tcp"]
            .map(|text| text.parse().unwrap())
            .to_vec();
    assert_eq!(
        container(&details)["NetworkSettings"]["Ports"]["80/tcp"],
        json!([
            {"HostIp": "0.0.0.0", "HostPort": "9001"},
            {"HostIp": "127.0.0.1", "HostPort": "9000"}
        ])
    );
}

#[test]
fn the_entry_point_comes_first_on_the_command_line() {
    let mut details = running("web2");
    details.config.process.entrypoint = vec!["/init".into(), "-s".into()];
    let document = container(&details);
    assert_eq!(document["Path"], "/init");
    assert_eq!(document["Args"], json!(["-s", "httpd", "-p", "80"]));
    assert_eq!(document["Config"]["Entrypoint"], json!(["/init", "-s"]));
}

#[test]
fn an_image_is_inspected_as_docker_shows_it() {
    assert_eq!(
        image(&fixture::image(&["demo"])),
        json!({
            "Id": format!("sha256:{}", "a".repeat(64)),
            "RepoTags": ["demo:latest"],
            "RepoDigests": [],
            "Parent": "",
            "Comment": "",
            "Created": "2026-11-21T07:30:00Z",
            "Author": "",
            "Os": "linux",
            "Size": 8_100_000,
            "Config": {
                "User": "", "ExposedPorts": {"80/tcp": {}}, "Env": ["A=b"], "Cmd": ["httpd", "-p", "80"],
                "Volumes": null, "WorkingDir": "", "Entrypoint": null, "Labels": {}, "StopSignal": "SIGTERM"
            },
            "RootFS": {
                "Type": "layers",
                "Layers": [format!("demo-{}", "d".repeat(64)), format!("sha256:{}", "c".repeat(64))]
            }
        })
    );
}

/// `web2` on the default network and on `lan`, where it has an IPv6 address and two further names.
fn on_two_networks() -> ContainerDetails {
    let mut details = running("web2");
    let mut place = details.places[0].clone();
    place.membership.network = "lan".parse().unwrap();
    place.membership.aliases = vec!["db".parse().unwrap(), "web2".parse().unwrap()];
    place.membership.ipv6_address = "fd00:5::9".parse().ok();
    place.membership.gateway_priority = 7;
    place.network = Some(lan());
    let endpoint = place.endpoint.as_mut().unwrap();
    endpoint.address = "10.5.0.9".parse().unwrap();
    endpoint.ipv6_address = "fd00:5::9".parse().ok();
    endpoint.publications.clear();
    details.places.push(place);
    details
}

#[test]
fn a_container_on_two_networks_shows_what_it_has_on_each() {
    let settings = container(&on_two_networks())["NetworkSettings"].clone();
    let lan = &settings["Networks"]["lan"];
    for (key, expected) in [
        ("IPAMConfig", json!({"IPv6Address": "fd00:5::9"})),
        ("Aliases", json!(["db", "web2"])),
        ("GwPriority", json!(7)),
        ("NetworkID", json!("c".repeat(64))),
        ("Gateway", json!("10.5.0.1")),
        ("IPAddress", json!("10.5.0.9")),
        ("IPPrefixLen", json!(24)),
        ("IPv6Gateway", json!("fd00:5::1")),
        ("GlobalIPv6Address", json!("fd00:5::9")),
        ("GlobalIPv6PrefixLen", json!(64)),
        ("DNSNames", json!(["web2", "db", "222222222222"])),
    ] {
        assert_eq!(lan[key], expected, "{key}");
    }
    assert_eq!(settings["Networks"]["bridge"]["IPAddress"], "172.17.0.3");
    assert_eq!(
        settings["IPAddress"], "172.17.0.3",
        "of the default network"
    );
    let ports = json!({"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}], "81/tcp": null});
    assert_eq!(settings["Ports"], ports);
}

#[test]
fn an_internal_network_shows_no_gateway() {
    let mut details = on_two_networks();
    details.places[1].network.as_mut().unwrap().reach = Reach::Internal;
    let networks = &container(&details)["NetworkSettings"]["Networks"];
    assert_eq!(networks["lan"]["Gateway"], "");
    assert_eq!(networks["lan"]["IPv6Gateway"], "");
}

#[test]
fn the_ports_that_links_opened_are_shown_network_by_network() {
    let mut details = on_two_networks();
    let linked = LinkedPorts {
        link: "web1:web".parse().unwrap(),
        address: None,
        ports: ["80".parse().unwrap()].into(),
    };
    for place in &mut details.places {
        place.linked.push(linked.clone());
    }
    details.places[1].network.as_mut().unwrap().icc = Icc::Enabled;
    let settings = &container(&details)["NetworkSettings"];
    assert_eq!(
        settings["LinkedPorts"],
        json!([
            {"Network": "bridge", "Target": "web1", "Alias": "web", "Ports": ["80/tcp"]},
            {"Network": "lan", "Target": "web1", "Alias": "web", "Ports": null}
        ])
    );
    assert_eq!(settings["Networks"]["bridge"]["Links"], Value::Null);
    assert_eq!(settings["Networks"]["lan"]["Links"], json!(["web1:web"]));
}

#[test]
fn a_container_on_anothers_network_has_no_entry_of_its_own() {
    let mut details = running("web2");
    let id = "1".repeat(64);
    details.config.network.mode = NetworkMode::Container(id.parse().unwrap());
    details.places.clear();
    let document = container(&details);
    let mode = &document["HostConfig"]["NetworkMode"];
    assert_eq!(*mode, format!("container:{id}"));
    assert_eq!(document["NetworkSettings"]["Networks"], json!({}));
}
