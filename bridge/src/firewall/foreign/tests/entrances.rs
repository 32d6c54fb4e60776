//! Where a chain is entered: behind what it says of particular packets, before it refuses the rest.

use super::tables::{docker, firewalld, table, ufw};
use super::{opened, situation, told, wanted};
use crate::network::Icc;
use crate::test_support::network;

#[test]
fn the_way_through_docker_is_at_the_end_where_only_the_policy_is_left() {
    let networks = [network(Icc::Enabled)];
    assert_eq!(
        told(&docker(), situation(&networks)),
        ["Docker: policy drop of `ip filter FORWARD`: Blocked"]
    );
    assert_eq!(
        opened(&docker(), &networks),
        (
            vec![("FORWARD".into(), None)],
            vec!["minirun0 in".into(), "minirun0 out".into()]
        )
    );
}

#[test]
fn the_way_through_firewalld_is_before_its_zones_and_behind_what_it_says_of_all() {
    let networks = [network(Icc::Enabled)];
    assert_eq!(
        told(&firewalld(), situation(&networks)),
        ["firewalld: a rule of `inet firewalld filter_FORWARD` that refuses the rest: Blocked"]
    );
    assert_eq!(
        opened(&firewalld(), &networks),
        (
            vec![("filter_FORWARD".into(), Some(6))],
            vec!["ipv4 minirun0 in".into(), "ipv4 minirun0 out".into()]
        )
    );
}

#[test]
fn the_way_through_ufw_is_behind_what_its_user_says_and_before_it_logs() {
    let networks = [network(Icc::Enabled)];
    for (reject, refusal) in [
        ("", "policy drop of `ip filter FORWARD`"),
        (
            "refuse",
            "a rule of `ip filter FORWARD` that refuses the rest",
        ),
    ] {
        let table = ufw(reject);
        assert_eq!(
            told(&table, situation(&networks)),
            [format!("ufw: {refusal}: Blocked")]
        );
        assert_eq!(
            opened(&table, &networks).0,
            [("FORWARD".into(), Some(2))],
            "{reject}"
        );
    }
}

#[test]
fn a_chain_that_lets_the_rest_pass_is_not_in_the_way() {
    let networks = [network(Icc::Enabled)];
    for rules in [
        "",
        "perhaps refuse",
        "accept, refuse",
        "jump open, refuse",
        "goto empty, refuse",
        "return, refuse",
        "somebody else, refuse",
    ] {
        let policy = match rules {
            "" | "perhaps refuse" | "goto empty, refuse" | "return, refuse" => "forward (accept)",
            _ => "forward (drop)",
        };
        let table = table(
            "inet fw",
            &[(policy, rules), ("open", "accept"), ("empty", "")],
        );
        assert_eq!(
            told(&table, situation(&networks)),
            [""; 0],
            "{policy}: {rules}"
        );
        assert_eq!(wanted(&table, situation(&networks)), [], "{rules}");
    }
}

#[test]
fn where_a_chain_ends_is_found_through_others() {
    let networks = [network(Icc::Enabled)];
    for (rules, before) in [
        ("refuse", Some(1)),
        ("nothing, nothing", Some(1)),
        ("perhaps accept, nothing, refuse", Some(2)),
        ("perhaps accept, goto empty, accept", Some(2)),
        ("perhaps accept, return, accept", Some(2)),
        ("jump empty, perhaps accept, jump shut", Some(3)),
        ("perhaps refuse", None),
    ] {
        let table = table(
            "inet fw",
            &[
                ("forward (drop)", rules),
                ("shut", "perhaps accept, jump shutter"),
                ("shutter", "refuse"),
                ("empty", "perhaps nothing"),
            ],
        );
        assert_eq!(
            opened(&table, &networks).0,
            [("forward".into(), before)],
            "{rules}"
        );
    }
}

#[test]
fn chains_that_call_each_other_without_end_end_the_search() {
    let networks = [network(Icc::Enabled)];
    let table = table(
        "inet fw",
        &[
            ("forward (drop)", "jump a"),
            ("a", "jump b"),
            ("b", "jump a"),
        ],
    );
    assert_eq!(opened(&table, &networks).0, [("forward".into(), None)]);
}
