//! Whole documents, as a script would read them.

use super::super::fixture::{self, running, stopped};
use super::super::network::nominal_id;
use super::*;
use minirun_bridge::publish::parse_publish;
use minirun_runtime::config::NetworkMode;
use minirun_runtime::container_state::ContainerState;

/// `web2` runs, is linked to `web1` as `web`, exposes 81 and publishes 80.
fn web2() -> Value {
    let mut details = running("web2");
    details.config.network.links = vec!["web1:web".parse().unwrap()];
    container(&details)
}

#[test]
fn a_container_is_inspected_as_docker_shows_it() {
    let mut document = web2();
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
            "Status": "running", "Running": true, "Paused": false, "Restarting": false, "OOMKilled": false,
            "Dead": false, "Pid": 4711, "ExitCode": 0, "Error": "",
            "StartedAt": "2026-11-21T09:29:55Z", "FinishedAt": "0001-01-01T00:00:00Z"
        })
    );
}

#[test]
fn a_container_shows_what_was_asked_for() {
    let document = web2();
    assert_eq!(
        document["HostConfig"],
        json!({
            "LogConfig": {"Type": "json-file", "Config": {}},
            "NetworkMode": "bridge",
            "PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]},
            "AutoRemove": false,
            "Dns": [],
            "ExtraHosts": null,
            "Links": ["/web1:/web2/web"],
            "PublishAllPorts": false,
            "ReadonlyRootfs": false,
            "SecurityOpt": null
        })
    );
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
        "NetworkID": "b".repeat(64), "EndpointID": "e".repeat(64), "Gateway": "172.17.0.1",
        "IPAddress": "172.17.0.3", "IPPrefixLen": 16,
        "IPv6Gateway": "", "GlobalIPv6Address": "", "GlobalIPv6PrefixLen": 0, "DNSNames": null
    });
    assert_eq!(
        web2()["NetworkSettings"],
        json!({
            "Bridge": "",
            "SandboxKey": "/proc/4711/ns/net",
            "Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}], "81/tcp": null},
            "EndpointID": "e".repeat(64),
            "Gateway": "172.17.0.1",
            "IPAddress": "172.17.0.3",
            "IPPrefixLen": 16,
            "MacAddress": "02:42:ac:11:00:03",
            "Networks": {"bridge": bridge}
        })
    );
}

#[test]
fn a_stopped_container_keeps_its_network_and_what_was_asked_for() {
    let mut details = stopped("web1");
    details.config.network.static_address = Some("172.17.0.9".parse().unwrap());
    let document = container(&details);
    assert_eq!(
        document["State"],
        json!({
            "Status": "exited", "Running": false, "Paused": false, "Restarting": false, "OOMKilled": false, "Dead": false,
            "Pid": 0, "ExitCode": 3, "Error": "",
            "StartedAt": "2026-11-21T09:29:55Z", "FinishedAt": "2026-11-21T09:29:58Z"
        })
    );
    let bridge = json!({
        "IPAMConfig": {"IPv4Address": "172.17.0.9"}, "Links": null, "Aliases": null, "MacAddress": "",
        "DriverOpts": null, "NetworkID": "b".repeat(64), "EndpointID": "", "Gateway": "", "IPAddress": "", "IPPrefixLen": 0,
        "IPv6Gateway": "", "GlobalIPv6Address": "", "GlobalIPv6PrefixLen": 0, "DNSNames": null
    });
    assert_eq!(
        document["NetworkSettings"],
        json!({
            "Bridge": "", "SandboxKey": "", "Ports": {}, "EndpointID": "", "Gateway": "", "IPAddress": "",
            "IPPrefixLen": 0, "MacAddress": "", "Networks": {"bridge": bridge}
        })
    );
}

#[test]
fn a_container_that_was_never_started_has_no_moments() {
    let mut details = stopped("web1");
    details.state = ContainerState::Created;
    details.network = None;
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
        details.endpoint = None;
        let document = container(&details);
        assert_eq!(document["HostConfig"]["NetworkMode"], name);
        let settings = &document["NetworkSettings"];
        assert_eq!(settings["Ports"], json!({}));
        assert_eq!(settings["Networks"][name]["IPAddress"], "");
        assert_eq!(settings["Networks"][name]["NetworkID"], nominal_id(name));
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
    details.endpoint.as_mut().unwrap().publications =
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
            "Created": "2026-11-21T07:30:00Z",
            "Os": "linux",
            "Size": 8_100_000,
            "Config": {
                "User": "", "ExposedPorts": {"80/tcp": {}}, "Env": ["A=b"], "Cmd": ["httpd", "-p", "80"],
                "WorkingDir": "", "Entrypoint": null, "Labels": {}, "StopSignal": "SIGTERM"
            },
            "RootFS": {
                "Type": "layers",
                "Layers": [format!("demo-{}", "d".repeat(64)), format!("sha256:{}", "c".repeat(64))]
            }
        })
    );
}
