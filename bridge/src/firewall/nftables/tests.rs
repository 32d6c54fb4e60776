//! What networks and containers look like in the table, and what the whole table is.

mod elements;
mod one_by_one;
mod restricted;

use super::*;
use crate::endpoint::Endpoint;
use crate::network::Icc;
use crate::policy::{self, own_contribution};
use crate::test_support::{endpoint, network};

fn texts(elements: &[Element]) -> Vec<String> {
    elements
        .iter()
        .map(|element| format!("{} {}", element.set, element.text()))
        .collect()
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
