//! What a container may ask of the kernel unless told otherwise: Docker's default policy (`seccomp/default.json` of
//! moby/profiles in its version of the summer of 2026, in which socket families are listed one by one).
//!
//! Calls are open by themselves, or with one of the container's capabilities. Whatever is named nowhere fails with `EPERM`,
//! and what is newer than everything named with `ENOSYS`: among these are io_uring, keyrings, `userfaultfd` and the
//! calls that load another kernel.

use std::borrow::Cow;

use caps::Capability;

use super::action::{Action, NOT_PERMITTED, UNKNOWN_CALL};
use super::architecture::Architecture;
use super::condition::{ArgumentIndex, Comparison, Condition, SmallNumbers};
use super::default_calls::{OPEN_HERE, OPEN_TO_ALL, OPENED_BY};
use super::policy::{FilterFlags, Policy, Rule};

/// The socket families that may be used, as ranges of their numbers. Left out are those that Linux has given up (12, 19,
/// 20, 23, 25, 34, 37), `AF_ALG` (38), the kernel's cryptography, which no container needs, and `AF_VSOCK` (40), which leads
/// past network namespaces to virtual machines.
const SOCKET_FAMILIES: [(u64, u64); 8] = [
    (0, 11),
    (13, 18),
    (21, 22),
    (24, 24),
    (26, 33),
    (35, 36),
    (39, 39),
    (41, 45),
];

/// The kinds of program that `personality` may turn a process into: Linux's own, with the kernel's version told as 2.6 or
/// not (`UNAME26`), with 3 GiB or not; and the question which it is.
const UNAME26: u64 = 0x2_0000;
const PERSONALITY_BITS: u64 = UNAME26 | 0x8;
const WHICH_PERSONALITY: u64 = 0xffff_ffff;

/// `CLONE_NEW…`: everything by which `clone` makes namespaces. `clone3` has its flags in memory, where no filter can look, so
/// it is answered as on a kernel that is older than it.
const NEW_NAMESPACES: u64 = 0x7e02_0000;

/// The policy for a container with these capabilities in its bounding set, one bit each.
pub fn default_policy(capabilities: u64) -> Policy {
    let has = |capability: Capability| capabilities & capability.bitmask() != 0;
    let mut rules = vec![
        allow(OPEN_TO_ALL, &[]),
        allow(OPEN_HERE, &[]),
        allow(
            "socket",
            &[Comparison::Among(SmallNumbers::in_ranges(&SOCKET_FAMILIES))],
        ),
        allow(
            "personality",
            &[Comparison::MaskedEqual {
                mask: !PERSONALITY_BITS,
                value: 0,
            }],
        ),
        allow("personality", &[Comparison::Equal(WHICH_PERSONALITY)]),
    ];
    for (capability, calls) in OPENED_BY {
        if has(*capability) {
            rules.push(allow(calls, &[]));
        }
    }
    if !has(Capability::CAP_SYS_ADMIN) {
        let no_namespaces = Comparison::MaskedEqual {
            mask: NEW_NAMESPACES,
            value: 0,
        };
        rules.push(allow("clone", &[no_namespaces]));
        rules.push(Rule {
            action: Action::Errno(UNKNOWN_CALL),
            ..allow("clone3", &[])
        });
    }
    Policy {
        otherwise: Action::Errno(NOT_PERMITTED),
        architectures: Architecture::HERE.to_vec(),
        rules,
        flags: FilterFlags::USUAL,
    }
}

/// The capabilities that the policy asks for, one bit each.
pub fn relevant_capabilities() -> u64 {
    let capabilities = OPENED_BY.iter().map(|(capability, _)| capability.bitmask());
    capabilities.fold(0, |all, one| all | one)
}

/// Permits calls, all of whose comparisons are with the first argument.
fn allow(calls: &'static str, comparisons: &[Comparison]) -> Rule {
    let condition = |comparison: &Comparison| Condition {
        argument: ArgumentIndex::FIRST,
        comparison: *comparison,
    };
    Rule {
        names: calls.split_whitespace().map(Cow::Borrowed).collect(),
        action: Action::Allow,
        conditions: comparisons.iter().map(condition).collect(),
    }
}
