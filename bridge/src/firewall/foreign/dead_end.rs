//! Where a chain refuses whatever it has not judged by then.

use super::Refusal;
use minirun_netns::netfilter::nf_tables::Policy;
use minirun_netns::netfilter::{Effect, FilterChain, FilterRule, FilterTable, Scope};

/// How deep chains may call each other; the kernel refuses more (`NFT_JUMP_STACK_SIZE`).
const DEPTH: usize = 16;

/// From where on a chain refuses everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DeadEnd {
    /// The first rule that does not matter any more to packets that shall pass, counted from 0; the number of rules if it is
    /// the policy that refuses.
    pub(super) index: usize,
    /// How it refuses.
    pub(super) refusal: Refusal,
}

/// What becomes of a packet in a chain that no rule for particular packets has judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It passes, or goes to somebody else to be judged.
    Passes,
    /// It is refused.
    Refused,
    /// It goes back to where the chain was called from.
    Returns,
}

/// Where a chain that the kernel calls refuses whatever it has not judged before, if it does. Rules before it that judge
/// nothing count as belonging to it: they would tell of a refusal (in a log) that is none.
pub(super) fn dead_end(table: &FilterTable, chain: &FilterChain) -> Option<DeadEnd> {
    let policy = chain.forward_policy?;
    let (end, refusal) = match first_judge(table, &chain.rules, DEPTH) {
        Some((_, Fate::Passes)) => return None,
        Some((index, Fate::Refused)) => (index, Refusal::Rule),
        // A packet that goes back from here meets the policy.
        Some((index, Fate::Returns)) => (index, Refusal::Policy),
        None => (chain.rules.len(), Refusal::Policy),
    };
    if refusal == Refusal::Policy && policy == Policy::Accept {
        return None;
    }
    let silent = chain.rules[..end]
        .iter()
        .rev()
        .take_while(|rule| !may_judge(table, rule, DEPTH));
    Some(DeadEnd {
        index: end - silent.count(),
        refusal,
    })
}

/// The first rule that decides about every packet.
fn first_judge(table: &FilterTable, rules: &[FilterRule], depth: usize) -> Option<(usize, Fate)> {
    let mut judged = rules.iter().enumerate().filter_map(|(index, rule)| {
        let fate = match (rule.scope, &rule.effect) {
            (Scope::Some, _) | (_, Effect::None) => None,
            (_, Effect::Accept | Effect::Unknown) => Some(Fate::Passes),
            (_, Effect::Refuse) => Some(Fate::Refused),
            (_, Effect::Return) => Some(Fate::Returns),
            (_, Effect::Jump(name)) => match fate(table, name, depth) {
                Fate::Returns => None,
                fate => Some(fate),
            },
            (_, Effect::Goto(name)) => Some(fate(table, name, depth)),
        };
        Some((index, fate?))
    });
    judged.next()
}

fn fate(table: &FilterTable, name: &str, depth: usize) -> Fate {
    let (Some(chain), Some(depth)) = (chain(table, name), depth.checked_sub(1)) else {
        return Fate::Returns;
    };
    match first_judge(table, &chain.rules, depth) {
        Some((_, fate)) => fate,
        None => Fate::Returns,
    }
}

/// Whether a rule decides about any packet at all.
fn may_judge(table: &FilterTable, rule: &FilterRule, depth: usize) -> bool {
    match &rule.effect {
        Effect::None => false,
        Effect::Accept | Effect::Refuse | Effect::Unknown => true,
        // In a chain that the kernel calls, the policy decides after this.
        Effect::Return | Effect::Goto(_) => true,
        Effect::Jump(name) => match (chain(table, name), depth.checked_sub(1)) {
            (Some(chain), Some(depth)) => {
                let mut rules = chain.rules.iter();
                rules.any(|rule| rule.effect != Effect::Return && may_judge(table, rule, depth))
            }
            _ => true,
        },
    }
}

fn chain<'a>(table: &'a FilterTable, name: &str) -> Option<&'a FilterChain> {
    table.chains.iter().find(|chain| chain.name == name)
}
