//! The chains of containers that are restricted.

use crate::firewall::nftables::*;
use crate::network::Icc;
use crate::policy::EgressPolicy;
use crate::test_support::network;

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
