mod kinds;
mod properties;

use std::net::IpAddr;

use super::*;
use crate::network_options::{GatewayMode, Names};
use crate::pool::Holder;

/// A request as a command line would make it, from `FLAG:VALUE`.
fn request(line: &str) -> NetworkRequest {
    let mut request = NetworkRequest {
        name: "web".to_owned(),
        driver: None,
        subnets: Vec::new(),
        gateways: Vec::new(),
        ip_ranges: Vec::new(),
        auxiliary: Vec::new(),
        ipv6: None,
        reach: Reach::External,
        icc: None,
        mtu: None,
        labels: BTreeMap::new(),
        options: Vec::new(),
    };
    for word in line.split_whitespace() {
        let (flag, value) = word.split_once(':').unwrap();
        let text = value.to_owned();
        match flag {
            "name" => request.name = text,
            "driver" => request.driver = Some(text),
            "subnet" => request.subnets.push(text),
            "gateway" => request.gateways.push(text),
            "range" => request.ip_ranges.push(text),
            "aux" => request.auxiliary.push(text),
            "ipv6" if value == "yes" => request.ipv6 = Some(Ipv6Wanted::Yes),
            "ipv6" => request.ipv6 = Some(Ipv6Wanted::No),
            "internal" => request.reach = Reach::Internal,
            "icc" => request.icc = Some((value == "yes").into()),
            "mtu" => request.mtu = Some(value.parse().unwrap()),
            "label" => {
                let (key, value) = value.split_once('=').unwrap();
                request.labels.insert(key.to_owned(), value.to_owned());
            }
            "o" => request.options.push(text),
            other => panic!("{other}"),
        }
    }
    request
}

fn route(net: &str, interface: &str) -> Held {
    Held {
        net: net.parse().unwrap(),
        by: Holder::Interface(interface.to_owned()),
    }
}

/// A host with a default route, a LAN, an existing bridge of somebody's, and one network.
fn decide_here(line: &str) -> Result<Decision, NetworkProblems> {
    let held = [
        route("0.0.0.0/0", "eth0"),
        route("192.168.1.0/24", "eth0"),
        route("192.168.1.7/32", "eth0"),
        route("10.5.0.0/24", "br0"),
        route("172.16.0.0/24", "br-db"),
        route("fd12::/64", "br-db"),
        route("fe80::/64", "eth0"),
        route("2001:db8::/48", "eth0"),
    ];
    let networks = [(
        "db".parse().unwrap(),
        vec![
            "172.16.0.0/24".parse().unwrap(),
            "fd12::/64".parse().unwrap(),
        ],
    )];
    let bridges = [("br-db".parse().unwrap(), "db".parse().unwrap())];
    let pools = [AddressPool::new("172.16.0.0/12".parse().unwrap(), 24).unwrap()];
    decide(
        &request(line),
        &Surroundings {
            held: &held,
            networks: &networks,
            bridges: &bridges,
            pools: &pools,
            random: [1, 2, 3, 4, 5],
        },
    )
}

fn decided(line: &str) -> Decision {
    decide_here(line).unwrap_or_else(|problems| panic!("{line}: {problems}"))
}

fn problems(line: &str) -> Vec<String> {
    let problems = decide_here(line).expect_err(line).problems;
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn a_name_alone_makes_a_network_from_the_pools() {
    let decision = decided("");
    let expected = Addressing::new(
        "172.16.1.0/24".parse().unwrap(),
        "172.16.1.1".parse().unwrap(),
    );
    assert_eq!(decision.name.as_str(), "web");
    assert_eq!(decision.ipv4, expected);
    assert_eq!(decision.ipv6, None);
    assert_eq!(decision.options, NetworkOptions::default());
}

#[test]
fn subnets_and_gateways_are_what_was_asked_for_or_follow_from_it() {
    for (line, subnet, gateway) in [
        ("subnet:10.1.2.0/24", "10.1.2.0/24", "10.1.2.1"),
        (
            "subnet:10.1.2.0/24 gateway:10.1.2.254",
            "10.1.2.0/24",
            "10.1.2.254",
        ),
        (
            "subnet:10.1.2.0/24 range:10.1.2.128/25",
            "10.1.2.0/24",
            "10.1.2.1",
        ),
        ("subnet:10.1.2.4/30", "10.1.2.4/30", "10.1.2.5"),
        ("subnet:0.0.0.0/24", "172.16.1.0/24", "172.16.1.1"),
        ("subnet:0.0.0.0/28", "172.16.1.0/28", "172.16.1.1"),
        ("subnet:0.0.0.0/16", "172.17.0.0/16", "172.17.0.1"),
        (
            "subnet:10.5.0.0/24 o:bridge_name=br0",
            "10.5.0.0/24",
            "10.5.0.1",
        ),
    ] {
        let ipv4 = decided(line).ipv4;
        assert_eq!(ipv4.subnet, subnet.parse().unwrap(), "{line}");
        assert_eq!(ipv4.gateway, gateway.parse::<IpAddr>().unwrap(), "{line}");
    }
}

#[test]
fn ipv6_comes_by_a_flag_an_option_or_a_subnet() {
    for (line, subnet, gateway) in [
        ("ipv6:yes", "fd01:203:405::/64", "fd01:203:405::1"),
        ("o:ipv6=true", "fd01:203:405::/64", "fd01:203:405::1"),
        (
            "o:com.docker.network.enable_ipv6=true",
            "fd01:203:405::/64",
            "fd01:203:405::1",
        ),
        ("subnet:::/120", "fd01:203:405::/120", "fd01:203:405::1"),
        ("subnet:fd00:1:2::/64", "fd00:1:2::/64", "fd00:1:2::1"),
        (
            "subnet:fd00:1:2::/64 gateway:fd00:1:2::ffff",
            "fd00:1:2::/64",
            "fd00:1:2::ffff",
        ),
    ] {
        let ipv6 = decided(line).ipv6.unwrap();
        assert_eq!(ipv6.subnet, subnet.parse().unwrap(), "{line}");
        assert_eq!(ipv6.gateway, gateway.parse::<IpAddr>().unwrap(), "{line}");
    }
    assert_eq!(decided("ipv6:no").ipv6, None);
}

#[test]
fn a_whole_request_becomes_a_decision() {
    let decision = decided(
        "driver:bridge subnet:10.1.2.0/24 range:10.1.2.64/26 aux:router=10.1.2.254 subnet:fd00:9::/64 range:fd00:9::8000:0:0:0/65 \
         internal: icc:no mtu:1400 label:team=a o:bridge_name=br-web o:dns=false o:gateway_mode=nat o:icc=false",
    );
    assert_eq!(decision.ipv4.range, Some("10.1.2.64/26".parse().unwrap()));
    assert_eq!(
        decision.ipv4.auxiliary["router"],
        "10.1.2.254".parse::<IpAddr>().unwrap()
    );
    let range = decision.ipv6.unwrap().range;
    assert_eq!(range, Some("fd00:9:0:0:8000::/65".parse().unwrap()));
    assert_eq!(decision.reach, Reach::Internal);
    assert_eq!(decision.options.icc, Some(Icc::Disabled));
    assert_eq!(decision.options.mtu, Some(1400));
    assert_eq!(decision.options.names, Some(Names::HostsFile));
    assert_eq!(decision.options.gateway_mode, Some(GatewayMode::Nat));
    assert_eq!(decision.typed_options["bridge_name"], "br-web");
    assert_eq!(decision.labels["team"], "a");
}

#[test]
fn all_problems_are_told_at_once() {
    let problems = decide_here(
        "name:host driver:overlay subnet:172.16.0.9/24 gateway:10.0.0.1 range:10.0.0.0/8 aux:x label:=x mtu:7 o:colour=red",
    )
    .unwrap_err();
    assert_eq!(problems.problems.len(), 10, "{problems}");
    assert!(
        problems.to_string().starts_with(
            "cannot create network `host`:\n  - the name `host` has a meaning of its own; choose another one\n  - "
        ),
        "{problems}"
    );
    let single = decide_here("driver:overlay").unwrap_err();
    assert_eq!(
        single.to_string(),
        "cannot create network `web`: driver `overlay` is not supported; the only driver is `bridge`"
    );
}

#[test]
fn one_wrong_subnet_is_one_problem() {
    for subnet in ["10.1.2", "10.1.2.0/32", "127.0.0.0/8"] {
        let line = format!("subnet:{subnet} gateway:10.1.2.1 range:10.1.2.128/25 aux:a=10.1.2.9");
        assert_eq!(problems(&line).len(), 1, "{line}");
    }
}

#[test]
fn exhausted_pools_say_who_holds_them_and_what_to_do() {
    let held = [route("172.16.0.0/12", "tun0")];
    let pools = [AddressPool::new("172.16.0.0/12".parse().unwrap(), 24).unwrap()];
    let problems = decide(
        &request(""),
        &Surroundings {
            held: &held,
            networks: &[],
            bridges: &[],
            pools: &pools,
            random: [0; 5],
        },
    )
    .unwrap_err();
    assert_eq!(
        problems.to_string(),
        "cannot create network `web`: no free subnet is left for the network: `172.16.0.0/12` is held by a route through `tun0`"
    );
    assert!(problems.hint().unwrap().contains("address_pools"));
}
