//! What is let through there, for each network.

use super::tables::{firewalld, table};
use super::{opened, situation, told, wanted};
use crate::network::{Icc, Network, Reach};
use crate::test_support::{dual_stack, network};

#[test]
fn each_network_passes_with_the_families_it_has_and_as_far_as_it_reaches() {
    let internal = Network {
        bridge: "mr-1".into(),
        reach: Reach::Internal,
        ..network(Icc::Disabled)
    };
    let networks = [dual_stack(Icc::Enabled), internal];
    let ways = |family: &str| {
        let table = table(&format!("{family} fw"), &[("forward (drop)", "")]);
        opened(&table, &networks).1
    };
    assert_eq!(ways("ip"), ["minirun0 in", "minirun0 out", "mr-1 within"]);
    assert_eq!(ways("ip6"), ["minirun0 in", "minirun0 out"]);
    assert_eq!(
        ways("inet"),
        ["minirun0 in", "minirun0 out", "ipv4 mr-1 within"]
    );
}

#[test]
fn frames_cross_the_further_bridges_of_a_network() {
    let grown = Network {
        id: "ab".repeat(32).parse().unwrap(),
        segments: 1,
        ..network(Icc::Disabled)
    };
    let table = table("ip fw", &[("forward (drop)", "")]);
    assert_eq!(
        opened(&table, &[grown]).1,
        ["minirun0 in", "minirun0 out", "mr-abababa-1 within"]
    );
}

#[test]
fn without_a_network_of_its_family_nothing_is_opened() {
    let ipv6 = table("ip6 fw", &[("forward (drop)", "")]);
    let networks = [network(Icc::Enabled)];
    assert_eq!(told(&ipv6, situation(&networks)), [""; 0]);
    assert_eq!(wanted(&ipv6, situation(&networks)), []);
    assert_eq!(
        told(&firewalld(), situation(&[])),
        ["firewalld: a rule of `inet firewalld filter_FORWARD` that refuses the rest: Unneeded"]
    );
    assert_eq!(wanted(&firewalld(), situation(&[])), []);
}
