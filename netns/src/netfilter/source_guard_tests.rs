//! What the kernel makes of a guard.

use super::source_guard::{SourceGuard, remove_guard, replace_guards};
use crate::explain::Explain;
use crate::scratch::{in_fresh_namespace, shell};

fn guard(interface: &str) -> SourceGuard {
    SourceGuard {
        interface: interface.into(),
        addresses: ["192.0.2.5", "2001:db8::5"]
            .map(|address| address.parse().unwrap())
            .into(),
    }
}

/// Runs the body in a namespace with two pairs of devices.
fn with_pairs(body: impl FnOnce() + Send) {
    in_fresh_namespace(|| {
        shell("ip link add one type veth peer name eno; ip link add two type veth peer name owt");
        body();
    });
}

fn interfaces() -> Vec<String> {
    let ruleset = shell("nft list ruleset");
    let chains = ruleset
        .lines()
        .filter_map(|line| line.trim().strip_prefix("chain "));
    chains
        .map(|chain| chain.trim_end_matches(" {").to_string())
        .collect()
}

#[test]
fn the_printed_commands_do_the_same() {
    let of = |make: fn()| {
        in_fresh_namespace(|| {
            shell("ip link add one type veth peer name eno");
            make();
            shell("nft --debug=netlink list ruleset")
        })
    };
    let of_commands = of(|| {
        shell(&guard("one").explain().command);
    });
    let of_messages = of(|| guard("one").install().unwrap());
    assert_eq!(of_commands, of_messages);
}

#[test]
fn a_guard_is_a_chain_that_drops_what_it_does_not_know() {
    with_pairs(|| {
        guard("one").install().unwrap();
        guard("one").install().unwrap();
        let ruleset = shell("nft list ruleset");
        assert_eq!(ruleset.matches("accept").count(), 4, "{ruleset}");
        assert!(
            ruleset.contains("hook ingress device \"one\" priority filter; policy drop;"),
            "{ruleset}"
        );
    });
}

#[test]
fn guards_come_and_go_one_by_one_or_all_together() {
    with_pairs(|| {
        remove_guard("one").unwrap();
        replace_guards(&[]).unwrap();
        guard("one").install().unwrap();
        guard("two").install().unwrap();
        remove_guard("one").unwrap();
        remove_guard("one").unwrap();
        assert_eq!(interfaces(), ["two"]);
        replace_guards(&[guard("one")]).unwrap();
        assert_eq!(interfaces(), ["one"]);
        replace_guards(&[]).unwrap();
        assert_eq!(shell("nft list ruleset"), "");
    });
}
