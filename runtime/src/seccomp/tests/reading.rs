//! What a policy says about one call, read straight from its rules, without segments and instructions.

use std::collections::HashMap;

use super::interpreter::Call;
use crate::seccomp::action::Action;
use crate::seccomp::architecture::{Architecture, X32_BIT};
use crate::seccomp::multiplexed::way_round;
use crate::seccomp::policy::{Policy, Rule};

const ENOSYS: Action = Action::Errno(38);

/// The rules that name a call, in order, and by which number of another call, if not its own.
type Naming<'a> = Vec<(&'a Rule, Option<u64>)>;

/// A policy with the numbers of its names looked up.
pub(super) struct Reading<'a> {
    policy: &'a Policy,
    last_known: HashMap<Architecture, Option<u32>>,
    rules: HashMap<(Architecture, u32), Naming<'a>>,
}

impl<'a> Reading<'a> {
    pub(super) fn of(policy: &'a Policy) -> Reading<'a> {
        let mut rules: HashMap<_, Vec<_>> = HashMap::new();
        for architecture in Architecture::HERE {
            for rule in &policy.rules {
                for name in &rule.names {
                    if let Some(number) = architecture.number(name) {
                        let list = rules.entry((*architecture, number)).or_default();
                        list.push((rule, None));
                    }
                    if let Some((other, meant)) = way_round(*architecture, name) {
                        let number = architecture.number(other).expect("it is one of theirs");
                        let list = rules.entry((*architecture, number)).or_default();
                        list.push((rule, Some(meant)));
                    }
                }
            }
        }
        let last_known = Architecture::HERE
            .iter()
            .map(|architecture| (*architecture, policy.last_known(*architecture)));
        Reading {
            policy,
            last_known: last_known.collect(),
            rules,
        }
    }

    /// The answer to the call.
    pub(super) fn answer(&self, call: Call) -> Action {
        let architecture = architecture(call);
        if !self.policy.architectures.contains(&architecture) {
            return match call.number {
                u32::MAX => ENOSYS,
                _ => Action::KillProcess,
            };
        }
        let rules = self.rules.get(&(architecture, call.number));
        let decides = |(rule, round): &&(&Rule, Option<u64>)| match round {
            Some(meant) => {
                let is_hidden = !rule.conditions.is_empty() && rule.action.is_permissive();
                !is_hidden && argument(architecture, call, 0) == *meant
            }
            None => rule.conditions.iter().all(|condition| {
                let argument = argument(architecture, call, condition.argument.get());
                condition.comparison.holds(argument)
            }),
        };
        match rules.into_iter().flatten().find(decides) {
            Some((rule, _)) => rule.action,
            None => match self.last_known[&architecture] {
                Some(last) if call.number > last => ENOSYS,
                _ => self.policy.otherwise,
            },
        }
    }
}

/// x32 is whatever is not below its bit.
fn architecture(call: Call) -> Architecture {
    match call.audit {
        0xc000_003e if call.number >= X32_BIT => Architecture::X32,
        0xc000_003e => Architecture::X86_64,
        0x4000_0003 => Architecture::X86,
        other => panic!("no program here has {other:#x}"),
    }
}

/// The kernel uses the lower half only of what a 32-bit program says.
fn argument(architecture: Architecture, call: Call, index: usize) -> u64 {
    match architecture {
        Architecture::X86 => call.arguments[index] & 0xffff_ffff,
        _ => call.arguments[index],
    }
}
