//! What networks, links, published ports and restricted containers look like in the table.

use super::*;
use crate::endpoint::Endpoint;
use crate::link::Link;
use crate::network::{GatewayMode, Icc, Reach};
use crate::policy::{self, EgressPolicy, own_contribution};
use crate::test_support::{dual_stack, endpoint, network};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::net::Ipv6Addr;

fn texts(elements: &[Element]) -> Vec<String> {
    elements
        .iter()
        .map(|element| format!("{} {}", element.set, element.text()))
        .collect()
}

/// What an endpoint publishes, as elements.
fn published(network: &Network, publications: &[&str]) -> Vec<String> {
    texts(&endpoint_elements(&own_contribution(
        network,
        &publishing(publications),
    )))
}

fn publishing(publications: &[&str]) -> Endpoint {
    let mut web = endpoint("web", 2, &[]);
    web.ipv6_address = Some("fd00:17::2".parse().expect("an address"));
    web.publications = publications
        .iter()
        .map(|publication| publication.parse().expect("a publication"))
        .collect();
    web
}

fn restricted(source: &str, allowed: &str, denied: &str) -> Contribution {
    let policy = EgressPolicy {
        source: source.parse().expect("an address"),
        link_local: None,
        interface: "veth1".into(),
        egress: crate::egress::Egress {
            allowed: allowed.parse().expect("what is allowed"),
            denied: denied.parse().expect("what is denied"),
        },
    };
    Contribution {
        egress: [policy].into(),
        ..Contribution::default()
    }
}

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

#[test]
fn what_is_denied_stands_before_what_is_allowed() {
    let contribution = restricted(
        "172.17.0.2",
        "192.0.2.1:80-90/udp,2001:db8::1",
        "192.0.2.0/24",
    );
    assert_eq!(
        add(&network(Icc::Enabled), &contribution).commands(),
        [
            "nft add chain inet minirun egress4-veth1",
            "nft flush chain inet minirun egress4-veth1",
            "nft add rule inet minirun egress4-veth1 'oifname \"minirun0\" return'",
            "nft add rule inet minirun egress4-veth1 ct state invalid,untracked drop",
            "nft add rule inet minirun egress4-veth1 ct direction reply return",
            "nft add rule inet minirun egress4-veth1 meta l4proto icmp ct state related return",
            "nft add rule inet minirun egress4-veth1 ct original ip daddr 192.0.2.0/24 jump refuse",
            "nft add rule inet minirun egress4-veth1 meta l4proto udp ct original ip daddr 192.0.2.1 \
             ct original proto-dst 80-90 return",
            "nft add rule inet minirun egress4-veth1 jump refuse",
            "nft add element inet minirun restricted4 '{ 172.17.0.2 . \"minirun0\" : jump egress4-veth1 }'",
        ]
    );
}

#[test]
fn a_chain_that_stays_is_filled_afresh_and_nothing_else_changes() {
    let network = network(Icc::Enabled);
    let (before, after) = (
        restricted("172.17.0.2", "none", "none"),
        restricted("172.17.0.2", "any", "192.0.2.1"),
    );
    let commands = change(&network, (&before, &after)).commands();
    assert_eq!(commands[1], "nft flush chain inet minirun egress4-veth1");
    assert!(!commands.iter().any(|command| command.contains("element")));
    assert_eq!(
        change(&network, (&before, &Contribution::default())).commands(),
        [
            "nft delete element inet minirun restricted4 '{ 172.17.0.2 . \"minirun0\" : jump egress4-veth1 }'",
            "nft flush chain inet minirun egress4-veth1",
            "nft delete chain inet minirun egress4-veth1",
        ]
    );
}

#[test]
fn one_port_of_the_host_leads_to_one_place() {
    let first = own_contribution(
        &network(Icc::Enabled),
        &publishing(&["0.0.0.0:8080->80/tcp"]),
    );
    let mut other = publishing(&["0.0.0.0:8080->81/tcp"]);
    other.address = "172.18.0.2".parse().expect("an address");
    let second = own_contribution(&network(Icc::Enabled), &other);
    let state = [
        (network(Icc::Enabled), first),
        (network(Icc::Enabled), second),
    ];
    let refused = rebuild(&state, Vec::new()).expect_err("it is claimed twice");
    assert_eq!(
        refused.to_string(),
        "two containers claim one port of the host: 0.0.0.0:8080->81/tcp leads to 172.17.0.2 and to 172.18.0.2"
    );
}

#[test]
fn making_everything_afresh_leaves_the_administrators_chain_alone() {
    let state = [(network(Icc::Enabled), Contribution::default())];
    let made = rebuild(&state, vec!["egress4-veth9".into()]).expect("nothing is claimed twice");
    let commands = made.commands();
    let about_user = |command: &&String| {
        command
            .split_whitespace()
            .any(|word| word.starts_with("user"))
    };
    let about_user: Vec<&String> = commands.iter().filter(about_user).collect();
    assert_eq!(
        about_user,
        [
            "nft add chain inet minirun user",
            "nft add rule inet minirun forward jump user"
        ]
    );
    assert!(commands.contains(&"nft delete chain inet minirun egress4-veth9".to_string()));
}

/// What a transaction leaves of what there was: elements, and the chains of containers.
fn applied(
    there: &[(Network, Contribution)],
    changes: impl IntoIterator<Item = Transaction>,
) -> BTreeSet<String> {
    let made = rebuild(there, Vec::new()).expect("nothing is claimed twice");
    let mut present = BTreeSet::new();
    for transaction in [made].into_iter().chain(changes) {
        for change in transaction.changes {
            let (thing, is_new) = match change {
                Change::AddElement(element) => {
                    (format!("{} {}", element.set, element.text()), true)
                }
                Change::DeleteElement(element) => {
                    (format!("{} {}", element.set, element.text()), false)
                }
                Change::AddChain(chain) => {
                    present.insert(format!("chain {}", chain.name));
                    continue;
                }
                Change::DeleteChain(name) => (format!("chain {name}"), false),
                Change::FlushChain(name) => {
                    let rules = format!("rule of {name}:");
                    present.retain(|thing: &String| !thing.starts_with(&rules));
                    continue;
                }
                Change::AddRule(ref rule) => (
                    format!("rule of {}: {:?}", rule.chain, rule.statements),
                    true,
                ),
                _ => continue,
            };
            match is_new {
                true => assert!(present.insert(thing.clone()), "`{thing}` is there already"),
                false => assert!(present.remove(&thing), "`{thing}` is not there"),
            }
        }
    }
    present
}

/// A network with several endpoints, of which some are linked, publish ports, or are restricted.
fn crowd() -> impl Strategy<Value = (Network, Vec<Endpoint>)> {
    let endpoint = (
        prop::collection::btree_set(1u16..6, 0..3),
        prop::collection::btree_map(1u16..4, 1u16..4, 0..3),
        prop::collection::btree_set(0usize..5, 0..3),
        prop::bool::ANY,
    );
    let endpoints = prop::collection::vec(endpoint, 1..5);
    let kinds = (prop::bool::ANY, prop::bool::ANY, 0u16..3);
    (endpoints, kinds).prop_map(|(endpoints, (closed, routed, segments))| {
        let network = Network {
            segments,
            gateway_mode: match routed {
                true => GatewayMode::Routed,
                false => GatewayMode::Nat,
            },
            ..dual_stack(match closed {
                true => Icc::Disabled,
                false => Icc::Enabled,
            })
        };
        let endpoints = endpoints.into_iter().zip(0u8..);
        let endpoints = endpoints.map(|((exposed, published, links, restricted), number)| {
            let exposed: Vec<String> = exposed.iter().map(|port| format!("{port}/tcp")).collect();
            let exposed: Vec<&str> = exposed.iter().map(String::as_str).collect();
            let mut one =
                crate::test_support::endpoint(&format!("c{number}"), number + 2, &exposed);
            one.ipv6_address = Some(Ipv6Addr::from_bits(
                (0xfd00_0017 << 96) | u128::from(number + 2),
            ));
            // Each has host ports of its own, since nobody gets one that another has.
            one.publications = published
                .into_iter()
                .flat_map(|(outer, inner)| {
                    let outer = 1000 * (u16::from(number) + 1) + outer;
                    ["0.0.0.0", "[::]", "192.0.2.1"].map(|address| {
                        format!("{address}:{outer}->{inner}/tcp")
                            .parse()
                            .expect("a publication")
                    })
                })
                .collect();
            one.published = one
                .publications
                .iter()
                .map(|publication| publication.container)
                .collect();
            one.links = links
                .into_iter()
                .map(|target| Link {
                    target: format!("c{target}").parse().expect("a name"),
                    alias: "alias".parse().expect("an alias"),
                })
                .collect();
            if restricted {
                one.egress.allowed = "192.0.2.0/24:80/tcp".parse().expect("what is allowed");
            }
            one
        });
        (network, endpoints.collect())
    })
}

/// What an endpoint adds when those before it are there already.
fn addition(network: &Network, endpoint: &Endpoint, there: &[Endpoint]) -> Contribution {
    let is_linked = |from: &Endpoint, to: &Endpoint| {
        let mut links = from.links.iter();
        links.any(|link| link.target == to.name)
    };
    let of = |wanted: &dyn Fn(&Endpoint) -> bool| -> Vec<Endpoint> {
        there
            .iter()
            .filter(|other| wanted(other))
            .cloned()
            .collect()
    };
    let targets = of(&|other| is_linked(endpoint, other));
    let sources = of(&|other| is_linked(other, endpoint));
    policy::contribution(network, endpoint, &targets, &sources)
}

proptest! {
    #[test]
    fn what_comes_one_by_one_is_what_is_made_afresh_and_goes_without_a_trace((network, endpoints) in crowd()) {
        let empty = [(network.clone(), Contribution::default())];
        // Who is linked to itself would add nothing that is not there.
        let mut endpoints = endpoints;
        for endpoint in &mut endpoints {
            let name = endpoint.name.clone();
            endpoint.links.retain(|link| link.target != name);
        }
        let parts: Vec<Contribution> = endpoints
            .iter()
            .enumerate()
            .map(|(index, endpoint)| addition(&network, endpoint, &endpoints[..index]))
            .collect();
        let additions: Vec<Transaction> = parts.iter().map(|part| add(&network, part)).collect();
        let whole = [(network.clone(), policy::whole(&network, &endpoints))];
        prop_assert_eq!(applied(&empty, additions.clone()), applied(&whole, []));
        let removals = parts.iter().rev().map(|part| remove(&network, part));
        prop_assert_eq!(applied(&empty, additions.into_iter().chain(removals)), applied(&empty, []));
    }
}

#[test]
fn the_rules_are_the_same_with_one_container_and_with_three_hundred() {
    let rules = |count: u16| -> Vec<String> {
        let publications: Vec<String> = (1..=count)
            .map(|number| format!("0.0.0.0:{}->{number}/tcp", 10_000 + number))
            .collect();
        let publications: Vec<&str> = publications.iter().map(String::as_str).collect();
        let network = Network {
            segments: count / 256,
            ..network(Icc::Disabled)
        };
        let mut whole = own_contribution(&network, &publishing(&publications));
        let exposed: Vec<String> = (1..=count).map(|port| format!("{port}/tcp")).collect();
        let exposed: Vec<&str> = exposed.iter().map(String::as_str).collect();
        let target = endpoint("target", 3, &exposed);
        whole
            .permits
            .extend(policy::link_permits(&endpoint("source", 4, &[]), &target));
        let made = rebuild(&[(network, whole)], Vec::new()).expect("nothing is claimed twice");
        let lines = made.commands().into_iter();
        lines.filter(|line| !line.contains("add element")).collect()
    };
    assert_eq!(rules(1), rules(300));
}
