//! What comes one by one is what is made afresh.

use crate::endpoint::Endpoint;
use crate::firewall::nftables::*;
use crate::link::Link;
use crate::network::{GatewayMode, Icc};
use crate::policy;
use crate::test_support::dual_stack;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::net::Ipv6Addr;

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
