//! Tables of others, in short words.

use crate::firewall::foreign::*;
use minirun_netns::netfilter::nf_tables::Policy;
use minirun_netns::netfilter::{Effect, FilterChain, FilterRule, FilterTable, Scope};

/// A table in short words: its family and name, then its chains. A chain that forwarded packets enter has a policy behind its
/// name, in parentheses; rules are separated by commas, and hold for every packet unless they begin with `perhaps`.
pub(super) fn table(name: &str, chains: &[(&str, &str)]) -> FilterTable {
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

pub(super) fn rule(handle: u64, text: &str) -> FilterRule {
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

pub(super) fn docker() -> FilterTable {
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

pub(super) fn firewalld() -> FilterTable {
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

pub(super) fn ufw(reject: &str) -> FilterTable {
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
