//! What is decided about the firewalls of others.

use super::passages::{foreign_chains, passages};
use super::*;
use crate::network::{Icc, Reach};
use crate::test_support::{dual_stack, network};
use minirun_netns::netfilter::nf_tables::Policy;
use minirun_netns::netfilter::{Effect, FilterChain, FilterRule, FilterTable, Passage, Scope};

/// A table in short words: its family and name, then its chains. A chain that forwarded packets enter has a policy behind its
/// name, in parentheses; rules are separated by commas, and hold for every packet unless they begin with `perhaps`.
fn table(name: &str, chains: &[(&str, &str)]) -> FilterTable {
    let (family, name) = name.split_once(' ').unwrap();
    let family = match family {
        "ip" => FilterFamily::Ipv4,
        "ip6" => FilterFamily::Ipv6,
        _ => FilterFamily::Inet,
    };
    let mut handle = 0;
    let chains = chains.iter().map(|(head, rules)| {
        let (name, policy) = match head.split_once(" (") {
            Some((name, "drop)")) => (name, Some(Policy::Drop)),
            Some((name, _)) => (name, Some(Policy::Accept)),
            None => (*head, None),
        };
        let rules = rules.split(", ").filter(|text| !text.is_empty());
        FilterChain {
            name: name.into(),
            forward_policy: policy,
            rules: rules
                .map(|text| {
                    handle += 1;
                    rule(handle, text)
                })
                .collect(),
        }
    });
    FilterTable {
        family,
        name: name.into(),
        chains: chains.collect(),
    }
}

fn rule(handle: u64, text: &str) -> FilterRule {
    let (text, comment) = match text.split_once(" # ") {
        Some((text, comment)) => (text, Some(comment.to_string())),
        None => (text, None),
    };
    let (scope, text) = match text.strip_prefix("perhaps ") {
        Some(rest) => (Scope::Some, rest),
        None => (Scope::Every, text),
    };
    let effect = match text.split_once(' ') {
        Some(("jump", chain)) => Effect::Jump(chain.into()),
        Some(("goto", chain)) => Effect::Goto(chain.into()),
        _ => match text {
            "accept" => Effect::Accept,
            "refuse" => Effect::Refuse,
            "return" => Effect::Return,
            "nothing" => Effect::None,
            _ => Effect::Unknown,
        },
    };
    FilterRule {
        handle,
        scope,
        effect,
        comment,
    }
}

fn docker() -> FilterTable {
    table(
        "ip filter",
        &[
            (
                "FORWARD (drop)",
                "jump DOCKER-USER, jump DOCKER-ISOLATION-STAGE-1, perhaps accept, perhaps jump DOCKER, perhaps accept",
            ),
            ("DOCKER", ""),
            (
                "DOCKER-ISOLATION-STAGE-1",
                "perhaps jump DOCKER-ISOLATION-STAGE-2, return",
            ),
            ("DOCKER-ISOLATION-STAGE-2", "perhaps refuse, return"),
            ("DOCKER-USER", "return"),
        ],
    )
}

fn firewalld() -> FilterTable {
    table(
        "inet firewalld",
        &[
            (
                "filter_FORWARD (accept)",
                "perhaps accept, perhaps accept, perhaps accept, perhaps refuse, perhaps refuse, jump filter_FORWARD_ZONES, refuse",
            ),
            ("filter_FORWARD_ZONES", "goto filter_FWD_public"),
            ("filter_FWD_public", "jump filter_FWD_public_allow, refuse"),
            ("filter_FWD_public_allow", ""),
        ],
    )
}

fn ufw(reject: &str) -> FilterTable {
    table(
        "ip filter",
        &[
            (
                "FORWARD (drop)",
                "jump ufw-before-forward, jump ufw-after-forward, jump ufw-after-logging-forward, \
                 jump ufw-reject-forward, jump ufw-track-forward",
            ),
            (
                "ufw-before-forward",
                "perhaps accept, jump ufw-user-forward",
            ),
            ("ufw-user-forward", "perhaps refuse"),
            ("ufw-after-forward", ""),
            ("ufw-after-logging-forward", "perhaps nothing"),
            ("ufw-reject-forward", reject),
            ("ufw-track-forward", ""),
        ],
    )
}

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

/// A table of another with a passage of ours, as it should be unless something is replaced.
fn with_passage(from: &str, to: &str) -> FilterTable {
    let forward = "perhaps accept, jump minirun # minirun, nothing";
    let ours = "perhaps accept # ipv4 minirun0 in, perhaps accept # ipv4 minirun0 out";
    table(
        "inet fw",
        &[
            ("forward (drop)", &forward.replace(from, to)),
            ("minirun", &ours.replace(from, to)),
        ],
    )
}

#[test]
fn a_passage_that_is_as_it_should_be_is_left_alone() {
    let networks = [network(Icc::Enabled)];
    let table = with_passage("-", "-");
    assert_eq!(
        told(&table, situation(&networks)),
        ["unknown: policy drop of `inet fw forward`: Passage"]
    );
    assert_eq!(wanted(&table, situation(&networks)), []);
}

#[test]
fn a_passage_that_is_not_is_made_anew_with_what_was_there_taken_away() {
    let networks = [network(Icc::Enabled)];
    for (from, to, former, before) in [
        ("jump minirun # minirun, ", "", 0, Some(2)),
        ("jump minirun", "jump minirun, jump minirun", 2, Some(4)),
        ("jump minirun", "perhaps jump minirun", 1, Some(3)),
        ("jump minirun", "refuse, jump minirun", 1, Some(2)),
        ("nothing", "perhaps refuse, nothing", 1, Some(4)),
        (", perhaps accept # ipv4 minirun0 out", "", 1, Some(3)),
        ("minirun0", "minirun1", 1, Some(3)),
    ] {
        let table = with_passage(from, to);
        let passage = wanted(&table, situation(&networks)).remove(0);
        assert_eq!(passage.former.len(), former, "{from} → {to}");
        assert_eq!(passage.entrances[0].before, before, "{from} → {to}");
        assert_eq!(passage.ways.len(), 2, "{from} → {to}");
    }
}

#[test]
fn a_passage_that_nobody_needs_any_more_goes() {
    let networks = [network(Icc::Enabled)];
    let left = Situation {
        choice: ForeignFirewall::Leave,
        ..situation(&networks)
    };
    for situation in [situation(&[]), left] {
        let passage = wanted(&with_passage("-", "-"), situation).remove(0);
        assert_eq!(passage.former.len(), 1);
        assert!(passage.entrances.is_empty() && passage.ways.is_empty());
    }
    let open = with_passage("nothing", "accept");
    assert!(wanted(&open, situation(&networks))[0].ways.is_empty());
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
