//! What is read of rules that programs have made.

use super::forward_filter::{Effect, FilterRule, FilterTable, Scope, forward_tables};
use super::forward_filter_messages::{comment_in, with_comment};
use super::nf_tables::Policy;
use crate::scratch::{in_fresh_namespace, shell};
use proptest::prelude::*;

/// What a namespace is read as after these commands, one line for each chain that has something to tell.
fn read_after(commands: &str) -> Vec<String> {
    in_fresh_namespace(|| {
        shell(commands);
        forward_tables().unwrap().iter().flat_map(lines).collect()
    })
}

fn lines(table: &FilterTable) -> Vec<String> {
    let chains = table.chains.iter().map(|chain| {
        let policy = match chain.forward_policy {
            Some(Policy::Accept) => " (accept)",
            Some(Policy::Drop) => " (drop)",
            None => "",
        };
        let rules: Vec<String> = chain.rules.iter().map(words).collect();
        format!(
            "{} {} {}{policy}: {}",
            table.family,
            table.name,
            chain.name,
            rules.join(", ")
        )
    });
    chains.collect()
}

fn words(rule: &FilterRule) -> String {
    let scope = match rule.scope {
        Scope::Every => "",
        Scope::Some => "perhaps ",
    };
    let comment = rule.comment.as_ref();
    let comment = comment.map_or_else(String::new, |comment| format!(" ({comment})"));
    match &rule.effect {
        Effect::None => format!("{scope}nothing{comment}"),
        Effect::Accept => format!("{scope}accept{comment}"),
        Effect::Refuse => format!("{scope}refuse{comment}"),
        Effect::Jump(chain) => format!("{scope}jump {chain}{comment}"),
        Effect::Goto(chain) => format!("{scope}goto {chain}{comment}"),
        Effect::Return => format!("{scope}return{comment}"),
        Effect::Unknown => format!("{scope}unknown{comment}"),
    }
}

#[test]
fn a_namespace_without_rules_has_no_table() {
    assert!(read_after("").is_empty());
}

#[test]
fn only_tables_that_judge_forwarded_packets_are_read() {
    let tables = read_after(
        "nft 'add table inet a; add chain inet a input { type filter hook input priority 0; policy drop; }'
         nft 'add table bridge b; add chain bridge b forward { type filter hook forward priority 0; policy drop; }'
         nft 'add table ip6 c; add chain ip6 c out { type filter hook forward priority 9; policy drop; }'
         nft 'add chain ip6 c input { type filter hook input priority 0; policy drop; }'
         nft 'add table ip c; add chain ip c other; add rule ip c other drop'",
    );
    assert_eq!(tables, ["ip6 c out (drop): ", "ip6 c input: "]);
}

#[test]
fn rules_of_the_language_of_nft_are_told_apart_by_what_they_do() {
    let tables = read_after(
        "nft -f - <<'END'
table inet firewall {
  chain other { }
  chain forward {
    type filter hook forward priority filter; policy accept;
    ct state { established, related } accept comment \"replies\"
    ct state vmap { invalid : drop, new : jump other }
    iifname \"lo\" accept
    ip saddr 192.0.2.1 drop
    limit rate 5/minute log prefix \"seen\"
    log prefix \"all\"
    counter
    counter jump other
    tcp dport 22 goto other
    meta mark set 7
    return
    reject with icmp admin-prohibited
    counter log reject with icmpx admin-prohibited comment \"the end\"
  }
}
END",
    );
    assert_eq!(
        tables,
        [
            "inet firewall other: ",
            "inet firewall forward (accept): perhaps accept (replies), perhaps unknown, perhaps accept, perhaps refuse, \
             perhaps nothing, nothing, nothing, jump other, perhaps goto other, perhaps nothing, \
             return, perhaps refuse, refuse (the end)"
        ]
    );
}

#[test]
fn rules_of_iptables_are_told_apart_as_well() {
    let tables = read_after(
        "iptables -P FORWARD DROP; iptables -N OTHER
         iptables -A FORWARD -m comment --comment all -j LOG
         iptables -A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT
         iptables -A FORWARD -i lo -j DROP
         iptables -A FORWARD -j OTHER
         iptables -A FORWARD -g OTHER
         iptables -A FORWARD -p tcp -j REJECT --reject-with tcp-reset
         iptables -A FORWARD -j NFQUEUE
         iptables -A FORWARD -m comment --comment end -j REJECT
         ip6tables -A FORWARD -j DROP",
    );
    assert_eq!(
        tables,
        [
            "ip filter FORWARD (drop): nothing, perhaps accept, perhaps refuse, jump OTHER, goto OTHER, perhaps refuse, \
             unknown, refuse",
            "ip filter OTHER: ",
            "ip6 filter FORWARD (accept): refuse",
        ]
    );
}

#[test]
fn a_comment_is_found_among_other_parts() {
    assert_eq!(comment_in(b"\x01\x02xx\x00\x03ab\0").as_deref(), Some("ab"));
    assert_eq!(comment_in(b"\x01\x02xx"), None);
    assert_eq!(comment_in(b"\x00\x09short"), None);
}

proptest! {
    #[test]
    fn what_is_noted_is_read_again(text in "[a-z0-9 ]{0,200}") {
        prop_assert_eq!(comment_in(&with_comment(&text)), Some(text));
    }

    #[test]
    fn no_bytes_make_the_reader_of_comments_panic(bytes: Vec<u8>) {
        let _ = comment_in(&bytes);
    }
}
