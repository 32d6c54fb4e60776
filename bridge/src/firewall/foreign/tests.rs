//! What is decided about the firewalls of others.

mod entrances;
mod tables;
mod upkeep;
mod ways;

use self::tables::{docker, firewalld, rule, table};
use super::passages::{foreign_chains, passages};
use super::*;
use crate::network::Icc;
use crate::test_support::network;
use minirun_netns::netfilter::{FilterTable, Passage};

fn situation(networks: &[Network]) -> Situation<'_> {
    Situation {
        own_rules: OwnRules::OwnTables,
        made: Made::Yes,
        networks,
        choice: ForeignFirewall::Open,
    }
}

/// What is said of the chains of a table.
fn told(table: &FilterTable, situation: Situation<'_>) -> Vec<String> {
    let chains = foreign_chains(std::slice::from_ref(table), situation);
    let told = chains.iter();
    told.map(|chain| format!("{}: {chain}: {:?}", chain.owner_words(), chain.standing))
        .collect()
}

fn wanted(table: &FilterTable, situation: Situation<'_>) -> Vec<Passage> {
    passages(std::slice::from_ref(table), situation)
}

/// Before which rules passages begin, and what they let through.
fn opened(table: &FilterTable, networks: &[Network]) -> (Vec<(String, Option<u64>)>, Vec<String>) {
    let passage = wanted(table, situation(networks)).remove(0);
    let entrances = passage.entrances.into_iter();
    let ways = passage.ways.iter();
    (
        entrances
            .map(|entrance| (entrance.chain, entrance.before))
            .collect(),
        ways.map(minirun_netns::netfilter::Way::comment).collect(),
    )
}

#[test]
fn what_is_to_be_left_alone_is_left_alone_and_said() {
    let networks = [network(Icc::Enabled)];
    let situation = Situation {
        choice: ForeignFirewall::Leave,
        ..situation(&networks)
    };
    assert_eq!(wanted(&docker(), situation), []);
    let chains = foreign_chains(&[docker()], situation);
    assert_eq!(chains[0].standing, Standing::Left);
    assert_eq!(
        chains[0].hint("minirun0"),
        "let `minirun0` through there, or set `foreign_firewall = \"open\"` in minirun.toml"
    );
}

#[test]
fn in_a_table_that_is_shared_our_own_rules_are_the_way() {
    let networks = [network(Icc::Enabled)];
    let situation = Situation {
        own_rules: OwnRules::SharedTables,
        ..situation(&networks)
    };
    let mut shared = docker();
    assert_eq!(wanted(&shared, situation), []);
    shared.chains[0]
        .rules
        .insert(0, rule(99, "jump MINIRUN-FORWARD"));
    assert_eq!(
        told(&shared, situation),
        ["Docker: policy drop of `ip filter FORWARD`: OwnRules"]
    );
    assert_eq!(wanted(&shared, situation), []);
    shared.chains[0].rules.insert(0, rule(98, "refuse"));
    assert_eq!(
        told(&shared, situation),
        ["Docker: a rule of `ip filter FORWARD` that refuses the rest: Blocked"]
    );
    assert_eq!(wanted(&shared, situation), []);
    assert_eq!(wanted(&firewalld(), situation).len(), 1);
}

#[test]
fn our_own_tables_are_nobody_elses() {
    let networks = [network(Icc::Enabled)];
    let ours = table("inet minirun", &[("forward (drop)", "refuse")]);
    assert_eq!(told(&ours, situation(&networks)), [""; 0]);
    assert_eq!(wanted(&ours, situation(&networks)), []);
}
