//! Networks of one's own: making, listing, inspecting and removing them.

use std::collections::BTreeSet;

use minirun_integration::{Finished, TestHost};
use serde_json::{Value, json};

/// The names in `network ls --format json`, with the given filters.
#[track_caller]
fn listed(host: &TestHost, filters: &str) -> Vec<String> {
    let lines = host
        .minirun(format!("network ls --format json {filters}"))
        .succeeds();
    let name = |line: &str| {
        let row: Value = serde_json::from_str(line).expect("a row is JSON");
        row["Name"].as_str().expect("a network has a name").into()
    };
    lines.stdout().lines().map(name).collect()
}

/// The names in the document that `network inspect` printed.
fn inspected(finished: &Finished) -> Vec<String> {
    let document = finished.json();
    let networks = document.as_array().expect("the document is an array");
    let name = |network: &Value| network["Name"].as_str().expect("a name").to_owned();
    networks.iter().map(name).collect()
}

#[test]
fn a_network_is_made_listed_and_removed() {
    let host = TestHost::create();
    let made = host.minirun("network create net1").succeeds();
    let id = made.line().to_owned();
    assert!(
        id.len() == 64 && id.bytes().all(|digit| digit.is_ascii_hexdigit()),
        "an id has 64 hexadecimal digits: `{id}`"
    );
    assert_eq!(listed(&host, ""), ["bridge", "host", "net1", "none"]);
    host.minirun("network ls -q")
        .succeeds()
        .stdout_has_line(&id[..12]);
    host.minirun("network ls -q --no-trunc")
        .succeeds()
        .stdout_has_line(&id);
    assert_eq!(host.network_called("net1").id(), id);
    host.minirun("network rm net1").succeeds().stdout_is("net1");
    assert_eq!(listed(&host, ""), ["bridge", "host", "none"]);
    host.minirun("network rm net1")
        .fails_with(1)
        .stdout_is("")
        .stderr_contains("`net1`");
    host.finish();
}

#[test]
fn inspecting_shows_dockers_document() {
    let host = TestHost::create();
    let network = host.network(
        "net1",
        "--driver bridge --subnet 10.1.0.0/24 --gateway 10.1.0.254 --ip-range 10.1.0.128/25 \
         --aux-address router=10.1.0.200 --internal --label colour=red -o com.docker.network.driver.mtu=1400",
    );
    let document = network.inspect();
    let keys: BTreeSet<_> = document
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    let dockers_keys = "Name Id Created Scope Driver EnableIPv4 EnableIPv6 IPAM Internal Attachable Ingress ConfigFrom \
                        ConfigOnly Containers Options Labels";
    let missing: Vec<_> = dockers_keys
        .split_whitespace()
        .filter(|key| !keys.contains(key))
        .collect();
    assert!(missing.is_empty(), "{missing:?} missing in {document}");
    for (path, value) in [
        ("/Name", json!("net1")),
        ("/Scope", json!("local")),
        ("/Driver", json!("bridge")),
        ("/EnableIPv4", json!(true)),
        ("/EnableIPv6", json!(false)),
        ("/Internal", json!(true)),
        ("/Attachable", json!(false)),
        ("/Ingress", json!(false)),
        ("/ConfigFrom", json!({"Network": ""})),
        ("/ConfigOnly", json!(false)),
        ("/Containers", json!({})),
        ("/Labels", json!({"colour": "red"})),
        ("/IPAM/Driver", json!("default")),
        (
            "/IPAM/Config",
            json!([{
                "Subnet": "10.1.0.0/24",
                "IPRange": "10.1.0.128/25",
                "Gateway": "10.1.0.254",
                "AuxiliaryAddresses": {"router": "10.1.0.200"}
            }]),
        ),
        ("/Options/com.docker.network.driver.mtu", json!("1400")),
        (
            "/Options/com.docker.network.bridge.enable_icc",
            json!("true"),
        ),
    ] {
        assert_eq!(
            document.pointer(path),
            Some(&value),
            "{path} in {document:#}"
        );
    }
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn running_containers_are_shown_on_their_network_and_stopped_ones_are_not() {
    let host = TestHost::create();
    let network = host.network("net1", "--subnet 10.1.0.0/24");
    let id = host
        .minirun("run -d --name web1 --network net1 demo sleep infinity")
        .succeeds()
        .line()
        .to_owned();
    host.minirun("create --name web2 --network net1 demo true")
        .succeeds();
    let containers = network.inspect()["Containers"].take();
    assert_eq!(containers.as_object().map(serde_json::Map::len), Some(1));
    assert_eq!(containers[&id]["Name"], "web1");
    assert_eq!(containers[&id]["IPv4Address"], "10.1.0.2/24");
    host.minirun("stop -t 0 web1").succeeds();
    assert_eq!(network.inspect()["Containers"], json!({}));
    host.removes("web1 web2");
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn what_is_missing_is_said_and_the_rest_is_inspected() {
    let host = TestHost::create();
    host.network("net1", "");
    let answer = host
        .minirun("network inspect net1 nosuch bridge")
        .fails_with(1)
        .stderr_contains("`nosuch`");
    assert_eq!(inspected(&answer), ["net1", "bridge"]);
    let nothing = host.minirun("network inspect nosuch").fails_with(1);
    assert_eq!(nothing.json(), json!([]));
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn removing_goes_on_past_what_cannot_be_removed() {
    let host = TestHost::create();
    host.network("net1", "");
    host.network("net2", "");
    host.minirun("run -d --name web1 --network net1 demo sleep infinity")
        .succeeds();
    host.minirun("network rm net1 nosuch bridge host none net2")
        .fails_with(1)
        .stdout_is("net2")
        .stderr_contains("`web1`")
        .stderr_contains("`nosuch`")
        .stderr_contains("`bridge`")
        .stderr_contains("`host`")
        .stderr_contains("`none`");
    assert_eq!(listed(&host, "-f type=custom"), ["net1"]);
    host.removes("web1");
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn removing_by_force_disconnects_who_is_on_it() {
    let host = TestHost::create();
    host.network("net1", "");
    host.minirun("run -d --name web1 --network net1 --network bridge demo sleep infinity")
        .succeeds();
    host.minirun("network rm -f net1")
        .succeeds()
        .stdout_is("net1");
    let container = host.container("web1");
    assert_eq!(container.status(), "running");
    assert_eq!(container.networks(), ["bridge"]);
    assert_eq!(
        container.default_route("-4"),
        "default via 172.17.0.1 dev eth1"
    );
    host.removes("web1");
    host.finish();
}

#[test]
fn a_network_is_found_by_id_then_by_name_then_by_the_beginning_of_an_id() {
    let host = TestHost::create();
    let id = host.network("net1", "").id();
    for reference in [&id[..], &id[..12], "net1"] {
        let found = host
            .minirun(["network", "inspect", reference])
            .succeeds()
            .json();
        assert_eq!(found[0]["Name"], "net1", "{reference}");
    }
    let beginning = &id[..5];
    host.network(beginning, "");
    let found = host
        .minirun(["network", "inspect", beginning])
        .succeeds()
        .json();
    assert_eq!(found[0]["Name"], beginning);
    host.minirun(["network", "rm", beginning, &id[..12]])
        .succeeds();
    host.finish();
}

#[test]
fn the_beginning_of_two_ids_names_neither() {
    let host = TestHost::create();
    // Of seventeen ids, two begin with the same digit.
    let names: Vec<_> = (0..17).map(|number| format!("net-{number}")).collect();
    let mut digits = BTreeSet::new();
    let mut shared = None;
    for name in &names {
        let id = host.network(name, "").id();
        let digit = id[..1].to_owned();
        if !digits.insert(digit.clone()) {
            shared = Some(digit);
        }
    }
    let shared = shared.expect("seventeen ids share one of sixteen digits");
    host.minirun(["network", "inspect", &shared])
        .fails_with(1)
        .stderr_contains(&format!("`{shared}`"));
    host.removes_networks(&names.join(" "));
    host.finish();
}

#[test]
fn networks_are_filtered() {
    let host = TestHost::create();
    let id = host.network("net1", "--label colour=red --label old").id();
    host.network("other", "--label colour=blue");
    host.minirun("run -d --name web1 --network net1 demo sleep infinity")
        .succeeds();
    let by_id = format!("-f id={}", &id[..8]);
    for (filters, names) in [
        ("-f driver=bridge", &["bridge", "net1", "other"][..]),
        ("-f driver=null", &["none"]),
        ("-f name=et", &["net1"]),
        (&by_id, &["net1"]),
        ("-f label=colour", &["net1", "other"]),
        ("-f label=colour=blue", &["other"]),
        ("-f label=colour -f label=old", &["net1"]),
        (
            "-f scope=local",
            &["bridge", "host", "net1", "none", "other"],
        ),
        ("-f type=custom", &["net1", "other"]),
        ("-f type=builtin", &["bridge", "host", "none"]),
        ("-f dangling=true", &["other"]),
        ("-f type=custom -f dangling=false", &["net1"]),
        ("-f name=net1 -f name=other", &["net1", "other"]),
        ("-f name=net1 -f driver=null", &[]),
    ] {
        assert_eq!(listed(&host, filters), names, "{filters}");
    }
    for (wrong, named) in [
        ("-f colour=red", "colour"),
        ("-f type=mine", "mine"),
        ("-f dangling=maybe", "maybe"),
        ("-f name", "name"),
    ] {
        host.minirun(format!("network ls {wrong}"))
            .fails()
            .stdout_is("")
            .stderr_contains(named);
    }
    host.removes("web1");
    host.removes_networks("net1 other");
    host.finish();
}

#[test]
fn pruning_removes_what_no_container_refers_to() {
    let host = TestHost::create();
    for name in ["running", "stopped", "free"] {
        host.network(name, "");
    }
    host.network("kept", "--label keep=yes");
    host.minirun("run -d --name web1 --network running demo sleep infinity")
        .succeeds();
    host.minirun("create --name web2 --network stopped demo true")
        .succeeds();
    host.minirun("network prune").fails().stderr_contains("-f");
    host.minirun("network prune -f --filter until=1h")
        .succeeds()
        .stdout_lacks("free");
    host.minirun("network prune -f --filter label!=keep")
        .succeeds()
        .stdout_is("Deleted Networks:\nfree");
    host.minirun("network prune -f --filter label=keep=yes")
        .succeeds()
        .stdout_is("Deleted Networks:\nkept");
    host.minirun("network prune -f")
        .succeeds()
        .stdout_lacks("Deleted");
    assert_eq!(listed(&host, "-f type=custom"), ["running", "stopped"]);
    host.removes("web1 web2");
    host.minirun("network prune --force").succeeds();
    host.finish();
}

#[test]
fn a_stopped_container_waits_for_its_network_to_be_made_again() {
    let host = TestHost::create();
    host.network("net1", "");
    host.minirun("create --name web1 --network net1 demo sleep infinity")
        .succeeds();
    host.removes_networks("net1");
    host.minirun("start web1").fails().stderr_contains("`net1`");
    assert_eq!(host.container("web1").networks(), ["net1"]);
    host.network("net1", "--subnet 10.1.0.0/24");
    host.minirun("start web1").succeeds();
    assert_eq!(
        host.container("web1").address_on("net1").to_string(),
        "10.1.0.2"
    );
    host.removes("web1");
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn a_container_that_was_killed_leaves_its_network_free() {
    let host = TestHost::create();
    let network = host.network("net1", "");
    host.minirun("run -d --name web1 --network net1 -p 8080:80 demo sleep infinity")
        .succeeds();
    host.kills_everything();
    host.minirun("ps").succeeds().stdout_lacks("web1");
    assert_eq!(network.inspect()["Containers"], json!({}));
    host.removes_networks("net1");
    host.removes("web1");
    host.finish();
}

#[test]
fn labels_and_settings_of_a_network_can_be_changed() {
    let host = TestHost::create();
    let network = host.network("net1", "--label colour=red --label old=1");
    host.minirun(
        "network update --label-add colour=blue --label-add new=1 --label-rm old --icc false --ip-masquerade false net1",
    )
    .succeeds();
    let document = network.inspect();
    assert_eq!(document["Labels"], json!({"colour": "blue", "new": "1"}));
    for option in ["enable_icc", "enable_ip_masquerade"] {
        let path = format!("com.docker.network.bridge.{option}");
        assert_eq!(document["Options"][path.as_str()], "false", "{document:#}");
    }
    host.minirun("network update net1").fails();
    host.removes_networks("net1");
    host.finish();
}
