//! The elements of networks, links and published ports.

use super::{publishing, texts};
use crate::firewall::nftables::*;
use crate::network::{GatewayMode, Icc, Reach};
use crate::policy::{self, own_contribution};
use crate::test_support::{dual_stack, endpoint, network};

#[test]
fn a_network_is_a_few_elements_for_each_family_that_it_has() {
    assert_eq!(
        texts(&network_elements(&network(Icc::Disabled))),
        [
            "within ipv4 . \"minirun0\" . \"minirun0\" : goto icc_off",
            "into ipv4 . \"minirun0\" : goto into_nat",
            "out ipv4 . \"minirun0\"",
            "homes4 \"minirun0\" . 172.17.0.0/16",
            "sealed4 172.17.0.0/16",
            "hidden4 172.17.0.0/16",
            "translating \"minirun0\"",
        ]
    );
    let six: Vec<String> = texts(&network_elements(&dual_stack(Icc::Enabled)))
        .into_iter()
        .filter(|text| text.contains("ipv6") || text.contains("fd00"))
        .collect();
    assert_eq!(
        six,
        [
            "within ipv6 . \"minirun0\" . \"minirun0\" : accept",
            "into ipv6 . \"minirun0\" : goto into_nat",
            "out ipv6 . \"minirun0\"",
            "homes6 \"minirun0\" . fd00:17::/64",
            "sealed6 fd00:17::/64",
            "hidden6 fd00:17::/64",
        ]
    );
}

#[test]
fn an_internal_network_leads_nowhere_and_a_routed_one_hides_nobody() {
    let internal = Network {
        reach: Reach::Internal,
        ..network(Icc::Enabled)
    };
    assert_eq!(
        texts(&network_elements(&internal)),
        [
            "within ipv4 . \"minirun0\" . \"minirun0\" : accept",
            "internal ipv4 . \"minirun0\"",
            "homes4 \"minirun0\" . 172.17.0.0/16",
            "sealed4 172.17.0.0/16",
        ]
    );
    let routed = Network {
        gateway_mode: GatewayMode::Routed,
        ..network(Icc::Enabled)
    };
    assert_eq!(
        texts(&network_elements(&routed)),
        [
            "within ipv4 . \"minirun0\" . \"minirun0\" : accept",
            "into ipv4 . \"minirun0\" : goto into_routed",
            "out ipv4 . \"minirun0\"",
            "homes4 \"minirun0\" . 172.17.0.0/16",
        ]
    );
}

#[test]
fn frames_of_every_family_cross_the_further_bridges_of_a_network() {
    let grown = Network {
        segments: 2,
        ..network(Icc::Disabled)
    };
    let plain = Network {
        segments: 0,
        ..grown.clone()
    };
    let id = grown.id.short();
    let expected: Vec<String> = [1, 2]
        .into_iter()
        .flat_map(|number| {
            let bridge = format!("\"mr-{}-{number}\"", &id[..7]);
            [
                format!("segments {bridge}"),
                format!("within ipv4 . {bridge} . {bridge} : accept"),
                format!("within ipv6 . {bridge} . {bridge} : accept"),
            ]
        })
        .collect();
    let texts = |network| texts(&network_elements(network));
    assert_eq!(texts(&grown), [texts(&plain), expected].concat());
}

#[test]
fn a_link_is_one_element_for_each_port() {
    let web1 = endpoint("web1", 2, &["80/tcp", "53/udp"]);
    let contribution = Contribution {
        permits: policy::link_permits(&endpoint("web2", 3, &[]), &web1),
        ..Contribution::default()
    };
    assert_eq!(
        texts(&endpoint_elements(&contribution)),
        [
            "links4 172.17.0.3 . 172.17.0.2 . tcp . 80",
            "links4 172.17.0.3 . 172.17.0.2 . udp . 53",
        ]
    );
}

/// What an endpoint publishes, as elements.
fn published(network: &Network, publications: &[&str]) -> Vec<String> {
    texts(&endpoint_elements(&own_contribution(
        network,
        &publishing(publications),
    )))
}

#[test]
fn ports_are_published_on_one_address_or_on_all() {
    assert_eq!(
        published(
            &dual_stack(Icc::Enabled),
            &[
                "127.0.0.1:8080->80/tcp",
                "0.0.0.0:9090->80/tcp",
                "[::]:9090->80/tcp"
            ]
        ),
        [
            "any4 tcp . 9090 : 172.17.0.2 . 80",
            "any6 tcp . 9090 : fd00:17::2 . 80",
            "bound4 127.0.0.1 . tcp . 8080 : 172.17.0.2 . 80",
            "bound6 ::1 . tcp . 9090 : ::1 . 1",
            "ways_in4 172.17.0.2 . tcp . 80",
            "ways_in6 fd00:17::2 . tcp . 80",
        ]
    );
}

#[test]
fn a_row_of_ports_that_are_the_same_inside_is_one_element() {
    let row = [
        "0.0.0.0:8000->8000/tcp",
        "0.0.0.0:8001->8001/tcp",
        "0.0.0.0:8002->8002/tcp",
        "0.0.0.0:8004->8004/tcp",
        "0.0.0.0:8005->5/tcp",
        "192.0.2.1:9000->9000/udp",
        "192.0.2.1:9001->9001/udp",
    ];
    let elements = published(&network(Icc::Enabled), &row);
    let translations: Vec<&String> = elements
        .iter()
        .filter(|text| !text.starts_with("ways_in"))
        .collect();
    assert_eq!(
        translations,
        [
            "any4 tcp . 8004 : 172.17.0.2 . 8004",
            "any4 tcp . 8005 : 172.17.0.2 . 5",
            "any_ranges4 tcp . 8000-8002 : 172.17.0.2",
            "bound_ranges4 192.0.2.1 . udp . 9000-9001 : 172.17.0.2",
        ]
    );
}

#[test]
fn what_stays_is_not_touched_by_a_change() {
    let network = network(Icc::Enabled);
    let contribution =
        |publications: &[&str]| own_contribution(&network, &publishing(publications));
    let before = contribution(&["0.0.0.0:8080->80/tcp", "0.0.0.0:8081->80/tcp"]);
    let after = contribution(&["0.0.0.0:8080->80/tcp", "0.0.0.0:9090->80/tcp"]);
    assert_eq!(
        change(&network, (&before, &after)).commands(),
        [
            "nft delete element inet minirun any4 '{ tcp . 8081 : 172.17.0.2 . 80 }'",
            "nft add element inet minirun any4 '{ tcp . 9090 : 172.17.0.2 . 80 }'",
        ]
    );
    assert!(change(&network, (&before, &before)).changes.is_empty());
}
