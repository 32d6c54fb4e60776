//! What the rules of a network and its endpoints look like.

use super::*;
use crate::policy::own_contribution;
use crate::test_support::{endpoint, network};

fn lines(rules: &[Rule]) -> Vec<String> {
    rules
        .iter()
        .map(|rule| format!("{} {} {}", rule.table, rule.chain, rule.specification))
        .collect()
}

#[test]
fn a_closed_network_reads_like_the_one_in_the_books() {
    let rules = network_rules(&network(Icc::Disabled));
    assert_eq!(
        lines(&rules.into)[..5],
        [
            "filter MINIRUN-FORWARD -o minirun0 -j MINIRUN",
            "filter MINIRUN-FORWARD -i minirun0 -o minirun0 -p icmp -m conntrack --ctstate RELATED -j ACCEPT",
            "filter MINIRUN-FORWARD -i minirun0 -o minirun0 -j DROP",
            "filter MINIRUN-FORWARD -o minirun0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
            "filter MINIRUN-FORWARD -o minirun0 -j DROP",
        ]
    );
    assert_eq!(
        lines(&rules.out),
        ["filter MINIRUN-FORWARD -i minirun0 ! -o minirun0 -j ACCEPT"]
    );
}

#[test]
fn what_crosses_a_segment_is_judged_on_the_main_bridge_alone() {
    let grown = Network {
        id: "ab".repeat(32).parse().unwrap(),
        segments: 2,
        ..network(Icc::Disabled)
    };
    let of_first = [
        "raw MINIRUN -i mr-abababa-1 -j CT --notrack",
        "raw MINIRUN -i mr-abababa-1 -j RETURN",
        "filter MINIRUN-FORWARD -i mr-abababa-1 -o mr-abababa-1 -j ACCEPT",
        "filter MINIRUN-FORWARD -i mr-abababa-1 ! -o mr-abababa-1 -j DROP",
    ];
    let rules = network_rules(&grown);
    assert_eq!(lines(&rules.segments)[..4], of_first);
    assert_eq!(rules.segments.len(), 8);
    let plain = network_rules(&Network {
        segments: 0,
        ..grown
    });
    assert_eq!(plain.segments, []);
    assert_eq!(plain.into, rules.into);
}

#[test]
fn an_open_network_says_accept_in_the_same_place() {
    let rules = network_rules(&network(Icc::Enabled));
    assert_eq!(
        rules.into[2].specification,
        "-i minirun0 -o minirun0 -j ACCEPT"
    );
}

#[test]
fn a_link_is_a_pair_and_its_replies_are_bound_to_connection_tracking() {
    let web1 = endpoint("web1", 2, &["80/tcp"]);
    let web2 = endpoint("web2", 3, &[]);
    let contribution = Contribution {
        permits: crate::policy::link_permits(&web2, &web1),
        ..Contribution::default()
    };
    assert_eq!(
        lines(&contribution_rules(&network(Icc::Disabled), &contribution)),
        [
            "filter MINIRUN -s 172.17.0.3/32 -d 172.17.0.2/32 -i minirun0 -o minirun0 -p tcp -m tcp --dport 80 \
             -j ACCEPT",
            "filter MINIRUN -s 172.17.0.2/32 -d 172.17.0.3/32 -i minirun0 -o minirun0 -p tcp -m tcp --sport 80 \
             -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        ]
    );
}

#[test]
fn a_published_port_is_translated_and_let_in_from_outside_the_bridge_only() {
    let mut web = endpoint("web", 2, &["80/tcp"]);
    web.publications = vec![
        "127.0.0.1:8080->80/tcp".parse().expect("a publication"),
        "0.0.0.0:9090->80/tcp".parse().expect("a publication"),
    ];
    let network = network(Icc::Enabled);
    let contribution = own_contribution(&network, &web);
    let rules = lines(&contribution_rules(&network, &contribution));
    assert!(rules.contains(
        &"nat MINIRUN -d 127.0.0.1/32 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80".into()
    ));
    assert!(rules.contains(
        &"nat MINIRUN -p tcp -m tcp --dport 9090 -j DNAT --to-destination 172.17.0.2:80".into()
    ));
    assert!(rules.contains(
        &"filter MINIRUN -d 172.17.0.2/32 ! -i minirun0 -o minirun0 -p tcp -m tcp --dport 80 -m conntrack --ctstate DNAT -j ACCEPT".into()
    ));
}

#[test]
fn a_rebuild_judges_what_goes_into_any_network_before_what_goes_out_of_one() {
    let first = network(Icc::Enabled);
    let second = Network {
        bridge: "other0".into(),
        ..first.clone()
    };
    let state = [first, second].map(|network| (network, Contribution::default()));
    let text = rebuild(&state, &[Family::Ipv4], &Present::default()).restore_input(Family::Ipv4);
    let place = |line: &str| text.find(line).expect("the line is there");
    assert!(
        place("-A MINIRUN-FORWARD -o other0 -j DROP")
            < place("-i minirun0 ! -o minirun0 -j ACCEPT")
    );
    assert!(
        place("-A MINIRUN-FORWARD -o minirun0 -j DROP") < place("-i other0 ! -o other0 -j ACCEPT")
    );
}

#[test]
fn missing_jumps_end_up_in_their_order_with_the_administrators_chain_first() {
    let present = Present {
        missing_jumps: jumps(Family::Ipv4),
        ..Present::default()
    };
    let text = rebuild(&[], &[Family::Ipv4], &present).restore_input(Family::Ipv4);
    let user = text.find("-I FORWARD 1 -j MINIRUN-USER").expect("there");
    let forward = text.find("-I FORWARD 1 -j MINIRUN-FORWARD").expect("there");
    assert!(forward < user, "what is inserted last comes first");
}

#[test]
fn a_jump_that_is_there_makes_way_for_the_missing_one_before_it() {
    let user = Rule::ipv4(Table::Filter, "FORWARD", "-j MINIRUN-USER".into());
    let forward = Rule::ipv4(Table::Filter, "FORWARD", "-j MINIRUN-FORWARD".into());
    assert_eq!(
        restore_jumps(Family::Ipv4, std::slice::from_ref(&forward)),
        [
            Change::Delete(user.clone()),
            Change::Prepend(forward),
            Change::Prepend(user),
        ]
    );
}

#[test]
fn a_closed_network_asks_for_its_rules_even_if_there_is_nothing_to_add() {
    let nothing = Contribution::default();
    assert!(add(&network(Icc::Enabled), &nothing).is_empty());
    let closed = add(&network(Icc::Disabled), &nothing);
    assert!(closed.changes.contains(&Change::Require(Rule::ipv4(
        Table::Filter,
        FORWARD_CHAIN,
        "-i minirun0 -o minirun0 -j DROP".into()
    ))));
}

#[test]
fn what_is_added_is_what_is_removed() {
    let network = network(Icc::Disabled);
    let web1 = endpoint("web1", 2, &["80/tcp", "53/udp"]);
    let web2 = endpoint("web2", 3, &[]);
    let contribution = crate::policy::contribution(&network, &web2, &[web1], &[]);
    let appended: Vec<Rule> = add(&network, &contribution)
        .changes
        .into_iter()
        .filter_map(|change| match change {
            Change::Append(rule) => Some(rule),
            _ => None,
        })
        .collect();
    let deleted: Vec<Rule> = remove(&network, &contribution)
        .changes
        .into_iter()
        .filter_map(|change| match change {
            Change::Delete(rule) => Some(rule),
            _ => None,
        })
        .collect();
    assert_eq!(appended, deleted);
    assert_eq!(appended.len(), 4);
}
