//! Which system calls are answered how, as a list of rules by name. Where it comes from is another's matter: a policy is
//! what Docker's default, a user's profile and the compiler all understand.

use std::borrow::Cow;

use super::action::Action;
use super::architecture::Architecture;
use super::condition::Condition;
use super::multiplexed::way_round;

/// A policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The answer to calls that no rule is about.
    pub otherwise: Action,
    /// The ways into the kernel that are open, the native one among them. Others kill.
    pub architectures: Vec<Architecture>,
    /// The first rule that is about a call decides.
    pub rules: Vec<Rule>,
    /// How the kernel applies it all.
    pub flags: FilterFlags,
}

/// The answer to some calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The calls by name. Names that an architecture does not know mean nothing there.
    pub names: Vec<Cow<'static, str>>,
    /// The answer.
    pub action: Action,
    /// What their arguments have to be, all of it; otherwise the rule is not about them.
    pub conditions: Vec<Condition>,
}

/// `SECCOMP_FILTER_FLAG_…`: how the kernel applies a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilterFlags(u32);

impl FilterFlags {
    /// What runc and crun do unless told otherwise: programs under the filter are not slowed down against speculative
    /// reads of their own memory, which is not what a filter is for.
    pub const USUAL: FilterFlags = FilterFlags(libc::SECCOMP_FILTER_FLAG_SPEC_ALLOW as u32);
    /// None.
    pub const NONE: FilterFlags = FilterFlags(0);
    /// Refused calls are written to the kernel's log.
    pub const LOG: FilterFlags = FilterFlags(libc::SECCOMP_FILTER_FLAG_LOG as u32);

    /// Both.
    pub fn and(self, other: FilterFlags) -> FilterFlags {
        FilterFlags(self.0 | other.0)
    }

    /// The bits.
    pub fn bits(self) -> u32 {
        self.0
    }

    /// What these bits say, if they are some that a policy can have.
    pub fn from_bits(bits: u32) -> Option<FilterFlags> {
        let known = FilterFlags::USUAL.and(FilterFlags::LOG).0;
        (bits & !known == 0).then_some(FilterFlags(bits))
    }
}

impl Policy {
    /// The number above which a call is one that the policy's author did not know. A program that asks for such a call
    /// has another way for older kernels, which it takes when it is told `ENOSYS`; so runc says that instead of refusing.
    /// A policy that permits what it does not name has no such number.
    pub fn last_known(&self, architecture: Architecture) -> Option<u32> {
        if self.otherwise.is_permissive() {
            return None;
        }
        let names = self.rules.iter().flat_map(|rule| &rule.names);
        names
            .flat_map(|name| {
                let round = way_round(architecture, name).map(|(other, _)| other);
                [Some(name.as_ref()), round]
            })
            .flatten()
            .filter_map(|name| architecture.number(name))
            .max()
    }
}
