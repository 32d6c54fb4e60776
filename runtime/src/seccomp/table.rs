//! From a policy to the answer for each number of one way into the kernel.

use std::collections::BTreeMap;

use super::action::{Action, UNKNOWN_CALL};
use super::architecture::{Architecture, X32_BIT};
use super::condition::{ArgumentIndex, Comparison, Condition};
use super::multiplexed::way_round;
use super::policy::{Policy, Rule};

/// The answer to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What is asked of the arguments, one after the other, and the answer where it holds.
    pub cases: Vec<(Vec<Condition>, Action)>,
    /// The answer where nothing of this holds.
    pub otherwise: Action,
}

/// Neighbouring numbers that are answered alike, from this one to the next segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The first number.
    pub start: u32,
    /// The answer.
    pub verdict: Verdict,
}

impl Verdict {
    fn always(action: Action) -> Verdict {
        Verdict {
            cases: Vec::new(),
            otherwise: action,
        }
    }
}

/// All numbers that the kernel can show a filter for this audit number, in order.
pub fn segments(policy: &Policy, audit: u32) -> Vec<Segment> {
    let mut segments = Vec::new();
    let open = |one: &&Architecture| one.audit() == audit && **one != Architecture::X32;
    for architecture in policy.architectures.iter().filter(open) {
        add(&mut segments, policy, *architecture);
    }
    if audit == Architecture::X86_64.audit() {
        add_x32(&mut segments, policy);
    }
    segments.dedup_by(|next, before| next.verdict == before.verdict);
    segments
}

/// x32 lies above all others. Where it is closed, the highest number must not kill: a tracer leaves out a call by making
/// it that.
fn add_x32(segments: &mut Vec<Segment>, policy: &Policy) {
    if policy.architectures.contains(&Architecture::X32) {
        add(segments, policy, Architecture::X32);
        return;
    }
    push(segments, X32_BIT, Verdict::always(Action::KillProcess));
    push(
        segments,
        u32::MAX,
        Verdict::always(Action::Errno(UNKNOWN_CALL)),
    );
}

fn add(segments: &mut Vec<Segment>, policy: &Policy, architecture: Architecture) {
    let verdicts = verdicts(policy, architecture);
    let unnamed = || Verdict::always(policy.otherwise);
    let mut next = match architecture {
        Architecture::X32 => X32_BIT,
        _ => 0,
    };
    for (number, verdict) in verdicts {
        if next < number {
            push(segments, next, unnamed());
        }
        push(segments, number, verdict);
        next = number + 1;
    }
    match policy.last_known(architecture) {
        Some(_) => push(segments, next, Verdict::always(Action::Errno(UNKNOWN_CALL))),
        None => push(segments, next, unnamed()),
    }
}

fn push(segments: &mut Vec<Segment>, start: u32, verdict: Verdict) {
    segments.push(Segment { start, verdict });
}

/// The answers to all calls that rules are about.
fn verdicts(policy: &Policy, architecture: Architecture) -> BTreeMap<u32, Verdict> {
    let mut cases: BTreeMap<u32, Vec<(Vec<Condition>, Action)>> = BTreeMap::new();
    for rule in &policy.rules {
        for name in &rule.names {
            if let Some(number) = architecture.number(name) {
                let case = (rule.conditions.clone(), rule.action);
                cases.entry(number).or_default().push(case);
            }
            if let Some((number, case)) = case_of_way_round(rule, architecture, name) {
                cases.entry(number).or_default().push(case);
            }
        }
    }
    let verdict = |(number, cases)| (number, verdict(cases, policy.otherwise));
    cases.into_iter().map(verdict).collect()
}

/// A refusal holds for both ways of making a call. A permission that depends on arguments opens only the way on which a
/// filter can see them.
fn case_of_way_round(
    rule: &Rule,
    architecture: Architecture,
    name: &str,
) -> Option<(u32, (Vec<Condition>, Action))> {
    if rule.action.is_permissive() && !rule.conditions.is_empty() {
        return None;
    }
    let (call, meant) = way_round(architecture, name)?;
    let condition = Condition {
        argument: ArgumentIndex::FIRST,
        comparison: Comparison::Equal(meant),
    };
    Some((architecture.number(call)?, (vec![condition], rule.action)))
}

/// What follows a case without conditions is never reached, and a last case that says what holds anyway says nothing.
fn verdict(cases: Vec<(Vec<Condition>, Action)>, otherwise: Action) -> Verdict {
    let mut verdict = Verdict::always(otherwise);
    for (conditions, action) in cases {
        if conditions.is_empty() {
            verdict.otherwise = action;
            break;
        }
        verdict.cases.push((conditions, action));
    }
    while let Some((_, action)) = verdict.cases.last()
        && *action == verdict.otherwise
    {
        verdict.cases.pop();
    }
    verdict
}
