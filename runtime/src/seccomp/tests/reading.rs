//! What a policy says about one call, read straight from its rules, without tables and instructions.

use super::interpreter::Call;
use crate::seccomp::action::Action;
use crate::seccomp::architecture::{Architecture, X32_BIT};
use crate::seccomp::multiplexed::way_round;
use crate::seccomp::policy::{Policy, Rule};

/// The answer to the call. It says nothing about numbers above all that the policy knows, and about ways that are closed.
pub(super) fn read(policy: &Policy, call: Call) -> Action {
    let architecture = architecture(call);
    if !policy.architectures.contains(&architecture) {
        return match call.number {
            u32::MAX => Action::Errno(38),
            _ => Action::KillProcess,
        };
    }
    let decides = |rule: &&Rule| is_about(rule, architecture, call);
    match policy.rules.iter().find(decides) {
        Some(rule) => rule.action,
        None => match policy.last_known(architecture) {
            Some(last) if call.number > last => Action::Errno(38),
            _ => policy.otherwise,
        },
    }
}

pub(super) fn architecture(call: Call) -> Architecture {
    match call.audit {
        0xc000_003e if call.number & X32_BIT != 0 || call.number > X32_BIT => Architecture::X32,
        0xc000_003e => Architecture::X86_64,
        0x4000_0003 => Architecture::X86,
        other => panic!("no program here has {other:#x}"),
    }
}

fn is_about(rule: &Rule, architecture: Architecture, call: Call) -> bool {
    let holds = rule.conditions.iter().all(|condition| {
        let argument = argument(architecture, call, condition.argument.get());
        condition.comparison.holds(argument)
    });
    let is_hidden = !rule.conditions.is_empty() && rule.action.is_permissive();
    rule.names.iter().any(|name| {
        let directly = architecture.number(name) == Some(call.number) && holds;
        let round = way_round(architecture, name).is_some_and(|(other, meant)| {
            architecture.number(other) == Some(call.number)
                && argument(architecture, call, 0) == meant
        });
        directly || round && !is_hidden
    })
}

/// The kernel uses the lower half only of what a 32-bit program says.
fn argument(architecture: Architecture, call: Call, index: usize) -> u64 {
    match architecture {
        Architecture::X86 => call.arguments[index] & 0xffff_ffff,
        _ => call.arguments[index],
    }
}
