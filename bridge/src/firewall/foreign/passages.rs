//! What the tables of others should have of ours, and what has to be changed for that. Pure.

use super::dead_end::{DeadEnd, dead_end};
use super::{ForeignChain, ForeignFirewall, Made, OwnRules, Owner, Situation, Standing, place};
use crate::firewall::render::FORWARD_CHAIN;
use crate::network::{Network, Reach};
use minirun_netns::netfilter::nf_tables::PacketFamily;
use minirun_netns::netfilter::{
    Effect, Entrance, FilterChain, FilterFamily, FilterRule, FilterTable, PASSAGE_CHAIN, Passage,
    Place, Present, Scope, Way,
};

/// The name of our own tables.
const OWN_TABLE: &str = "minirun";
/// The table in which iptables judges what is forwarded.
const TABLE_OF_IPTABLES: &str = "filter";

/// The chains of others that refuse what they know nothing about.
pub(crate) fn foreign_chains(
    tables: &[FilterTable],
    situation: Situation<'_>,
) -> Vec<ForeignChain> {
    let tables = tables.iter().filter(|table| table.name != OWN_TABLE);
    let chains = tables.flat_map(|table| {
        let refusing = table.chains.iter().filter_map(move |chain| {
            let end = dead_end(table, chain)?;
            Some(ForeignChain {
                owners: owners(table),
                place: place(table.family, &table.name, &chain.name),
                refusal: end.refusal,
                standing: standing(table, (chain, end), situation),
            })
        });
        // Where no network has IPv6, what becomes of it elsewhere is nobody's concern.
        refusing.filter(move |_| {
            table.family != FilterFamily::Ipv6 || !ways(table.family, situation.networks).is_empty()
        })
    });
    chains.collect()
}

/// What has to be changed in the tables of others. Where everything is right, nothing.
pub(crate) fn passages(tables: &[FilterTable], situation: Situation<'_>) -> Vec<Passage> {
    let tables = tables.iter().filter(|table| table.name != OWN_TABLE);
    tables
        .filter_map(|table| {
            let wanted = wanted(table, situation);
            (!is_right(table, &wanted)).then_some(wanted)
        })
        .collect()
}

/// Whose a table is: programs are known by the names of their chains, firewalld by that of its table.
fn owners(table: &FilterTable) -> Vec<Owner> {
    let has = |prefix: &str| {
        let mut chains = table.chains.iter();
        chains.any(|chain| chain.name.starts_with(prefix))
    };
    let found = [
        (Owner::Docker, has("DOCKER")),
        (Owner::Firewalld, table.name == "firewalld"),
        (Owner::Ufw, has("ufw-") || has("ufw6-")),
    ];
    let found = found.into_iter().filter(|(_, is_there)| *is_there);
    found.map(|(owner, _)| owner).collect()
}

/// Whether our own chains are in the table, and judge there.
fn is_shared(table: &FilterTable, situation: Situation<'_>) -> bool {
    situation.own_rules == OwnRules::SharedTables
        && table.family != FilterFamily::Inet
        && table.name == TABLE_OF_IPTABLES
}

fn standing(
    table: &FilterTable,
    (chain, end): (&FilterChain, DeadEnd),
    situation: Situation<'_>,
) -> Standing {
    let leads = |rules: &[FilterRule], name: &str| rules.iter().any(|rule| leads_to(rule, name));
    let (before, after) = chain.rules.split_at(end.index);
    if leads(before, FORWARD_CHAIN) {
        return Standing::OwnRules;
    }
    if leads(before, PASSAGE_CHAIN) {
        return Standing::Passage;
    }
    let is_unneeded =
        situation.made == Made::NotYet || ways(table.family, situation.networks).is_empty();
    match (is_shared(table, situation), situation.choice) {
        (false, ForeignFirewall::Leave) => Standing::Left,
        _ if is_unneeded => Standing::Unneeded,
        // If ours are missing, they are just going to be made, and come first.
        (true, _) if !leads(after, FORWARD_CHAIN) => Standing::OwnRules,
        _ => Standing::Blocked,
    }
}

fn wanted(table: &FilterTable, situation: Situation<'_>) -> Passage {
    let is_open = situation.choice == ForeignFirewall::Open && !is_shared(table, situation);
    let entrances = match is_open {
        true => entrances(table),
        false => Vec::new(),
    };
    let ways = match entrances.is_empty() {
        true => Vec::new(),
        false => ways(table.family, situation.networks),
    };
    Passage {
        family: table.family,
        table: table.name.clone(),
        present: match our_chain(table) {
            Some(_) => Present::Yes,
            None => Present::No,
        },
        former: entries(table)
            .map(|(chain, rule)| Place {
                chain: chain.name.clone(),
                handle: rule.handle,
            })
            .collect(),
        entrances: match ways.is_empty() {
            true => Vec::new(),
            false => entrances,
        },
        ways,
    }
}

/// Where the chains of a table have to lead to ours.
fn entrances(table: &FilterTable) -> Vec<Entrance> {
    let chains = table.chains.iter();
    chains
        .filter_map(|chain| {
            let end = dead_end(table, chain)?;
            Some(Entrance {
                chain: chain.name.clone(),
                before: chain.rules.get(end.index).map(|rule| rule.handle),
            })
        })
        .collect()
}

/// Whether a table has of ours what is wanted: the same ways, and one entrance for each chain that refuses, right before it does.
/// A rule that somebody has added behind the entrance since would not be heard.
fn is_right(table: &FilterTable, wanted: &Passage) -> bool {
    let Some(ours) = our_chain(table) else {
        return wanted.ways.is_empty() && wanted.former.is_empty();
    };
    let comments: Vec<String> = wanted.ways.iter().map(Way::comment).collect();
    let present = ours.rules.iter();
    let present = present.map(|rule| rule.comment.clone().unwrap_or_default());
    let is_entered = |entrance: &Entrance| {
        let chain = table
            .chains
            .iter()
            .find(|chain| chain.name == entrance.chain);
        let end = chain.and_then(|chain| Some((chain, dead_end(table, chain)?)));
        end.is_some_and(|(chain, end)| {
            let last = chain.rules[..end.index].last();
            last.is_some_and(|rule| leads_to(rule, PASSAGE_CHAIN))
        })
    };
    !wanted.ways.is_empty()
        && present.eq(comments)
        && wanted.former.len() == wanted.entrances.len()
        && wanted.entrances.iter().all(is_entered)
}

fn our_chain(table: &FilterTable) -> Option<&FilterChain> {
    let mut chains = table.chains.iter();
    chains.find(|chain| chain.name == PASSAGE_CHAIN)
}

/// The rules that lead to our chain, whatever they ask before.
fn entries(table: &FilterTable) -> impl Iterator<Item = (&FilterChain, &FilterRule)> {
    let rules = table
        .chains
        .iter()
        .flat_map(|chain| chain.rules.iter().map(move |rule| (chain, rule)));
    rules.filter(|(_, rule)| match &rule.effect {
        Effect::Jump(name) | Effect::Goto(name) => name == PASSAGE_CHAIN,
        _ => false,
    })
}

fn leads_to(rule: &FilterRule, chain: &str) -> bool {
    rule.scope == Scope::Every && rule.effect == Effect::Jump(chain.into())
}

/// What has to pass a table of a family. Of a network that has no IPv6 only IPv4 passes, because the bridge may be somebody
/// else's; of one that is internal only what stays on it. With `br_netfilter`, frames that cross its further bridges have to pass
/// as well.
fn ways(family: FilterFamily, networks: &[Network]) -> Vec<Way> {
    let mut ways: Vec<Way> = networks
        .iter()
        .filter(|network| family != FilterFamily::Ipv6 || network.ipv6.is_some())
        .flat_map(|network| {
            let family = match (family, &network.ipv6) {
                (FilterFamily::Inet, None) => Some(PacketFamily::Ipv4),
                _ => None,
            };
            let bridge = || Some(network.bridge.clone());
            let ends = match network.reach {
                Reach::External => vec![(bridge(), None), (None, bridge())],
                Reach::Internal => vec![(bridge(), bridge())],
            };
            let segments = network.segments().map(|(_, devices)| Some(devices.bridge));
            let ends = ends
                .into_iter()
                .chain(segments.map(|bridge| (bridge.clone(), bridge)));
            ends.map(move |(input, output)| Way {
                family,
                input,
                output,
            })
        })
        .collect();
    ways.sort();
    ways
}
