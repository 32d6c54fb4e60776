//! What the kernel and other programs make of a passage.

use super::forward_filter::{Effect, FilterFamily, forward_tables};
use super::generation::ruleset_generation;
use super::nf_tables::PacketFamily;
use super::passage::{Entrance, PASSAGE_CHAIN, Passage, Place, Present, Way};
use crate::explain::Explain;
use crate::scratch::{in_fresh_namespace, shell};

const FIREWALL: &str = "nft 'add table inet fw; add chain inet fw forward { type filter hook forward priority 0; policy drop; };
    add rule inet fw forward iifname lo accept; add rule inet fw forward log'";

fn ways() -> Vec<Way> {
    let bridge = || Some("minirun0".to_string());
    vec![
        Way {
            family: Some(PacketFamily::Ipv4),
            input: bridge(),
            output: None,
        },
        Way {
            family: None,
            input: None,
            output: bridge(),
        },
        Way {
            family: None,
            input: bridge(),
            output: bridge(),
        },
    ]
}

/// The passage through [`FIREWALL`], whatever of it is there, before its last rule.
/// The generation of the rules.
fn now() -> u32 {
    ruleset_generation().unwrap().unwrap()
}

fn passage(ways: Vec<Way>) -> Passage {
    let tables = forward_tables().unwrap();
    let table = &tables[0];
    let forward = table.chains.iter().find(|chain| chain.name == "forward");
    let rules = &forward.unwrap().rules;
    let leads_here = |effect: &Effect| *effect == Effect::Jump(PASSAGE_CHAIN.into());
    Passage {
        family: FilterFamily::Inet,
        table: "fw".into(),
        present: match table.chains.iter().any(|chain| chain.name == PASSAGE_CHAIN) {
            true => Present::Yes,
            false => Present::No,
        },
        former: rules
            .iter()
            .filter(|rule| leads_here(&rule.effect))
            .map(|rule| Place {
                chain: "forward".into(),
                handle: rule.handle,
            })
            .collect(),
        entrances: vec![Entrance {
            chain: "forward".into(),
            before: rules.last().map(|rule| rule.handle),
        }],
        ways,
    }
}

#[test]
fn a_passage_stands_where_it_is_put_and_is_never_doubled() {
    in_fresh_namespace(|| {
        shell(FIREWALL);
        passage(ways()).apply(now()).unwrap();
        passage(ways()).apply(now()).unwrap();
        assert_eq!(
            shell("nft list ruleset"),
            "table inet fw {\n\
             \tchain forward {\n\
             \t\ttype filter hook forward priority filter; policy drop;\n\
             \t\tiifname \"lo\" accept\n\
             \t\tjump minirun comment \"minirun\"\n\
             \t\tlog\n\
             \t}\n\
             \n\
             \tchain minirun {\n\
             \t\tmeta nfproto ipv4 iifname \"minirun0\" accept comment \"ipv4 minirun0 out\"\n\
             \t\toifname \"minirun0\" accept comment \"minirun0 in\"\n\
             \t\tiifname \"minirun0\" oifname \"minirun0\" accept comment \"minirun0 within\"\n\
             \t}\n\
             }\n"
        );
    });
}

#[test]
fn nothing_is_left_of_a_passage_that_is_taken_away() {
    in_fresh_namespace(|| {
        shell(FIREWALL);
        let before = shell("nft list ruleset");
        passage(ways()).apply(now()).unwrap();
        passage(Vec::new()).apply(now()).unwrap();
        assert_eq!(shell("nft list ruleset"), before);
        passage(Vec::new()).apply(now()).unwrap();
    });
}

#[test]
fn the_printed_commands_do_the_same() {
    let of = |make: fn(&Passage)| {
        in_fresh_namespace(|| {
            shell(FIREWALL);
            make(&passage(ways()));
            make(&passage(ways()));
            shell("nft --debug=netlink list ruleset")
        })
    };
    let of_commands = of(|passage| {
        shell(&passage.explain().command);
    });
    assert_eq!(of_commands, of(|passage| passage.apply(now()).unwrap()));
}

#[test]
fn iptables_reads_a_passage_through_its_own_table() {
    in_fresh_namespace(|| {
        shell("iptables -P FORWARD DROP");
        let mut ways = ways();
        ways[0].family = None;
        let passage = Passage {
            family: FilterFamily::Ipv4,
            table: "filter".into(),
            present: Present::No,
            former: Vec::new(),
            entrances: vec![Entrance {
                chain: "FORWARD".into(),
                before: None,
            }],
            ways,
        };
        passage.apply(now()).unwrap();
        assert_eq!(
            shell("iptables -S"),
            "-P INPUT ACCEPT\n-P FORWARD DROP\n-P OUTPUT ACCEPT\n-N minirun\n\
             -A FORWARD -m comment --comment minirun -j minirun\n\
             -A minirun -i minirun0 -m comment --comment \"minirun0 out\" -j ACCEPT\n\
             -A minirun -o minirun0 -m comment --comment \"minirun0 in\" -j ACCEPT\n\
             -A minirun -i minirun0 -o minirun0 -m comment --comment \"minirun0 within\" -j ACCEPT\n"
        );
        shell("iptables-save | iptables-restore");
        let tables = forward_tables().unwrap();
        let rules = tables.iter().flat_map(|table| &table.chains);
        let ours = rules.filter(|chain| chain.name == PASSAGE_CHAIN);
        assert_eq!(ours.map(|chain| chain.rules.len()).sum::<usize>(), 3);
    });
}

#[test]
fn a_place_that_is_gone_keeps_everything_as_it_was() {
    in_fresh_namespace(|| {
        shell(FIREWALL);
        let passage = passage(ways());
        let handle = passage.entrances[0].before.unwrap();
        shell(&format!("nft delete rule inet fw forward handle {handle}"));
        let before = shell("nft list ruleset");
        let error = passage.apply(now()).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ENOENT));
        assert_eq!(shell("nft list ruleset"), before);
    });
}
