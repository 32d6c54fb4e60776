//! What the rules of restricted containers look like, and that they decide as the policy does.

use super::*;
use crate::egress::{Attempt, Egress};
use crate::network::Icc;
use crate::policy::contribution;
use crate::port::{ExposedPort, Port, Protocol};
use crate::test_support::{dual_stack, endpoint};
use ipnet::IpNet;
use proptest::prelude::*;
use std::net::IpAddr;

fn policy(source: &str, allowed: &str, denied: &str) -> EgressPolicy {
    EgressPolicy {
        source: source.parse().unwrap(),
        link_local: None,
        interface: "veth1".into(),
        egress: Egress {
            allowed: allowed.parse().unwrap(),
            denied: denied.parse().unwrap(),
        },
    }
}

fn lines(rules: &[Rule]) -> Vec<&str> {
    rules
        .iter()
        .map(|rule| rule.specification.as_str())
        .collect()
}

#[test]
fn what_is_denied_stands_before_what_is_allowed() {
    let policy = policy(
        "172.17.0.2",
        "192.0.2.1:80-90/udp,2001:db8::1",
        "192.0.2.0/24",
    );
    let rules = policy_rules(&dual_stack(Icc::Enabled), &policy);
    assert_eq!(
        lines(&rules),
        [
            "-o minirun0 -j RETURN",
            "-m conntrack --ctstate INVALID,UNTRACKED -j DROP",
            "-m conntrack --ctdir REPLY -j RETURN",
            "-p icmp -m conntrack --ctstate RELATED -j RETURN",
            "-m conntrack --ctorigdst 192.0.2.0/24 -j MINIRUN-REFUSE",
            "-p udp -m conntrack --ctorigdst 192.0.2.1/32 --ctorigdstport 80:90 -j RETURN",
            "-j MINIRUN-REFUSE",
        ]
    );
}

#[test]
fn what_is_sent_to_the_bridge_of_a_segment_is_judged_as_well() {
    let grown = Network {
        id: "ab".repeat(32).parse().unwrap(),
        segments: 1,
        ..dual_stack(Icc::Enabled)
    };
    assert_eq!(
        lines(&jumps(&grown, &policy("172.17.0.2", "none", "none"))),
        [
            "-s 172.17.0.2/32 -i minirun0 -j MINIRUN-EGRESS-veth1",
            "-s 172.17.0.2/32 -i mr-abababa-1 ! -o mr-abababa-1 -j MINIRUN-EGRESS-veth1",
        ]
    );
}

#[test]
fn a_link_local_address_leads_to_the_same_chain() {
    let ipv6 = EgressPolicy {
        link_local: Some("fe80::2".parse().unwrap()),
        ..policy("fd00:17::2", "none", "none")
    };
    assert_eq!(
        lines(&jumps(&dual_stack(Icc::Enabled), &ipv6)),
        [
            "-s fd00:17::2/128 -i minirun0 -j MINIRUN-EGRESS-veth1",
            "-s fe80::2/128 -i minirun0 -j MINIRUN-EGRESS-veth1",
        ]
    );
}

#[test]
fn neighbours_find_each_other_whatever_is_denied() {
    let policy = policy("fd00:17::2", "none", "none");
    let rules = policy_rules(&dual_stack(Icc::Enabled), &policy);
    assert_eq!(
        lines(&rules)[1..3],
        [
            "-p ipv6-icmp -m hl --hl-eq 255 -m icmp6 --icmpv6-type 135 -j RETURN",
            "-p ipv6-icmp -m hl --hl-eq 255 -m icmp6 --icmpv6-type 136 -j RETURN",
        ]
    );
}

#[test]
fn a_change_fills_the_chain_afresh_and_leaves_others_alone() {
    let network = dual_stack(Icc::Enabled);
    let with = |policies: &[EgressPolicy]| Contribution {
        egress: policies.iter().cloned().collect(),
        ..Contribution::default()
    };
    let same = policy("172.17.0.3", "none", "none");
    let before = with(&[policy("172.17.0.2", "none", "none"), same.clone()]);
    let after = with(&[policy("172.17.0.2", "any", "10.0.0.0/8"), same]);
    let changes = change_policies(&network, (&before, &after));
    let first = chain(&policy("172.17.0.2", "none", "none"));
    assert_eq!(changes[0], Change::Empty(first));
    assert!(
        changes[1..]
            .iter()
            .all(|change| matches!(change, Change::Append(_)))
    );
    assert!(change_policies(&network, (&after, &after)).is_empty());
}

#[test]
fn a_rebuild_removes_the_chains_of_those_who_have_left_and_touches_nothing_where_nobody_was() {
    let nothing = [(dual_stack(Icc::Enabled), Contribution::default())];
    let untouched = rebuild_egress(&nothing, &[Family::Ipv4], &Present::default());
    assert!(untouched.is_empty());
    let stale = chain(&policy("172.17.0.2", "none", "none"));
    let present = Present {
        egress_chains: vec![stale.clone()],
        ..Present::default()
    };
    let changes = rebuild_egress(&nothing, &[Family::Ipv4], &present);
    assert!(changes.contains(&Change::Remove(stale)));
    assert!(changes.contains(&Change::Prepend(input_jump(Family::Ipv4))));
}

#[test]
fn rules_grow_with_the_list_of_the_container_alone() {
    let mut web1 = endpoint("web1", 2, &[]);
    let network = dual_stack(Icc::Enabled);
    let count = |endpoint: &crate::endpoint::Endpoint| {
        let whole = contribution(&network, endpoint, &[], &[]);
        add_policies(&network, &whole).len()
    };
    assert_eq!(count(&web1), 0);
    web1.egress.allowed = "192.0.2.1".parse().unwrap();
    let one = count(&web1);
    web1.egress.allowed = "192.0.2.1,192.0.2.2".parse().unwrap();
    assert_eq!(count(&web1), one + 1);
}

/// What a chain does with the first packet of a connection that leaves the network: whether it returns.
fn passes(rules: &[Rule], attempt: &Attempt) -> bool {
    let verdict = rules
        .iter()
        .find_map(|rule| verdict(&rule.specification, attempt));
    verdict.is_none_or(|target| target == "RETURN")
}

fn verdict(line: &str, attempt: &Attempt) -> Option<String> {
    let words: Vec<&str> = line.split(' ').collect();
    for pair in words.windows(2) {
        let meets = match pair[0] {
            // It leaves by another interface, is tracked, new and no reply.
            "-o" | "--ctstate" | "--ctdir" => false,
            "-p" => attempt
                .port
                .is_some_and(|port| port.protocol.as_str() == pair[1]),
            "--ctorigdst" => pair[1].parse::<IpNet>().unwrap().contains(&attempt.address),
            "--ctorigdstport" => {
                let (first, last) = pair[1].split_once(':').unwrap_or((pair[1], pair[1]));
                let range = first.parse::<u16>().unwrap()..=last.parse::<u16>().unwrap();
                attempt
                    .port
                    .is_some_and(|port| range.contains(&port.port.get()))
            }
            "-j" => return Some(pair[1].into()),
            _ => true,
        };
        if !meets {
            return None;
        }
    }
    None
}

fn words() -> impl Strategy<Value = (String, String)> {
    let destination = prop_oneof![
        (0u8..4, 24u8..=32).prop_map(|(last, length)| {
            let network: IpNet = format!("192.0.2.{last}/{length}").parse().unwrap();
            network.trunc().to_string()
        }),
        (1u16..4, 0u16..3)
            .prop_map(|(first, more)| format!("192.0.2.0/30:{first}-{}/udp", first + more)),
        (1u16..4).prop_map(|port| format!("0.0.0.0/0:{port}/tcp")),
        Just("dns".into()),
        Just("2001:db8::/32".into()),
    ];
    let allowed = prop_oneof![
        Just("any".to_string()),
        Just("none".to_string()),
        prop::collection::vec(destination, 1..4).prop_map(|list| list.join(",")),
    ];
    let denied = prop_oneof![
        Just("none".to_string()),
        Just("private".to_string()),
        (0u8..4).prop_map(|last| format!("192.0.2.{last}")),
    ];
    (allowed, denied)
}

proptest! {
    #[test]
    fn the_rules_decide_as_the_policy_does(
        (allowed, denied) in words(), last in 0u8..5, port in 1u16..6, protocol in 0usize..3
    ) {
        let policy = policy("172.17.0.2", &allowed, &denied);
        let rules = policy_rules(&dual_stack(Icc::Enabled), &policy);
        let protocol = [None, Some(Protocol::Tcp), Some(Protocol::Udp)][protocol];
        let port = Port::new(port);
        for address in [IpAddr::from([192, 0, 2, last]), IpAddr::from([10, 0, 0, last])] {
            let attempt = Attempt {
                address,
                port: protocol.zip(port).map(|(protocol, port)| ExposedPort { protocol, port }),
            };
            prop_assert_eq!(passes(&rules, &attempt), policy.egress.permits(&attempt));
        }
    }
}
