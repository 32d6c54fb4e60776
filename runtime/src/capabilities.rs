//! Which parts of root's power a container keeps, and the bit masks that the kernel is told them in.

use std::fmt;
use std::sync::OnceLock;

use caps::errors::CapsError;
use caps::{CapSet, Capability};
use oci_spec::runtime::{Capabilities, Capability as SpecCapability, LinuxCapabilities};

/// What a container keeps unless told otherwise: Docker's fourteen (`daemon/pkg/oci/caps/defaults.go` of moby).
pub const DEFAULT_CAPABILITIES: [Capability; 14] = [
    Capability::CAP_CHOWN,
    Capability::CAP_DAC_OVERRIDE,
    Capability::CAP_FSETID,
    Capability::CAP_FOWNER,
    Capability::CAP_MKNOD,
    Capability::CAP_NET_RAW,
    Capability::CAP_SETGID,
    Capability::CAP_SETUID,
    Capability::CAP_SETFCAP,
    Capability::CAP_SETPCAP,
    Capability::CAP_NET_BIND_SERVICE,
    Capability::CAP_SYS_CHROOT,
    Capability::CAP_KILL,
    Capability::CAP_AUDIT_WRITE,
];

/// The five capability sets of a process, ready for `capset(2)` and `prctl(2)`: plain numbers, so that a child between
/// clone and exec can use them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CapabilitySets {
    /// What can never be gained beyond, not even through a set-user-id program.
    pub bounding: CapabilityMask,
    /// What the kernel checks.
    pub effective: CapabilityMask,
    /// What may be made effective.
    pub permitted: CapabilityMask,
    /// What programs with inheritable file capabilities may receive.
    pub inheritable: CapabilityMask,
    /// What survives the exec of an ordinary program by an ordinary user.
    pub ambient: CapabilityMask,
}

/// A set of capabilities as the kernel writes it: bit n is capability number n. Shown as in `/proc/self/status`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CapabilityMask(u64);

/// The sets that a container's process with this user id begins with, where the container has these capabilities.
///
/// Root gets them all. For anybody else only the bounding set is filled, because that is what an exec by an ordinary user
/// leaves of it; the container can still gain them through a set-user-id program.
pub fn sets_of(had: CapabilityMask, uid: u32) -> LinuxCapabilities {
    let bounding: Capabilities = had.iter().filter_map(in_spec).collect();
    let held = (uid == 0).then(|| bounding.clone());
    let mut sets = LinuxCapabilities::default();
    sets.set_bounding(Some(bounding))
        .set_effective(held.clone())
        .set_permitted(held)
        .set_inheritable(None)
        .set_ambient(None);
    sets
}

impl CapabilityMask {
    /// The bits, lowest capability first.
    pub fn bits(self) -> u64 {
        self.0
    }

    /// The usual set of a container.
    pub fn usual() -> CapabilityMask {
        DEFAULT_CAPABILITIES.into_iter().collect()
    }

    /// What this process could hand on: what it may make effective, and no program of its children has lost for good. It is asked once,
    /// before the command forks its monitor, which knows it then.
    ///
    /// # Errors
    /// When the kernel does not tell.
    pub fn of_caller() -> Result<CapabilityMask, CapsError> {
        static KNOWN: OnceLock<CapabilityMask> = OnceLock::new();
        if let Some(known) = KNOWN.get() {
            return Ok(*known);
        }
        let asked = CapabilityMask::ask()?;
        Ok(*KNOWN.get_or_init(|| asked))
    }

    /// One question for each capability.
    fn ask() -> Result<CapabilityMask, CapsError> {
        let permitted: CapabilityMask = caps::read(None, CapSet::Permitted)?.into_iter().collect();
        let kept = |one: &Capability| caps::has_cap(None, CapSet::Bounding, *one);
        // A kernel that does not know a capability answers with an error.
        Ok(permitted
            .iter()
            .filter(|one| kept(one).unwrap_or(false))
            .collect())
    }

    /// What is in either set.
    pub fn with(self, other: CapabilityMask) -> CapabilityMask {
        CapabilityMask(self.0 | other.0)
    }

    /// What is in this set and not in the other.
    pub fn without(self, other: CapabilityMask) -> CapabilityMask {
        CapabilityMask(self.0 & !other.0)
    }

    /// Each capability in the set, in the order of their numbers.
    pub fn iter(self) -> impl Iterator<Item = Capability> {
        in_order()
            .iter()
            .copied()
            .filter(move |capability| self.contains(*capability))
    }

    /// Whether this capability is in the set.
    pub fn contains(self, capability: Capability) -> bool {
        self.0 & capability.bitmask() != 0
    }
}

impl FromIterator<Capability> for CapabilityMask {
    fn from_iter<I: IntoIterator<Item = Capability>>(capabilities: I) -> Self {
        let bits = capabilities
            .into_iter()
            .fold(0, |bits, capability| bits | capability.bitmask());
        CapabilityMask(bits)
    }
}

impl From<&Capabilities> for CapabilityMask {
    fn from(capabilities: &Capabilities) -> Self {
        capabilities.iter().filter_map(in_kernel).collect()
    }
}

impl fmt::Display for CapabilityMask {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:016x}", self.0)
    }
}

impl From<&LinuxCapabilities> for CapabilitySets {
    fn from(sets: &LinuxCapabilities) -> Self {
        let mask = |set: &Option<Capabilities>| {
            set.as_ref()
                .map_or_else(CapabilityMask::default, CapabilityMask::from)
        };
        CapabilitySets {
            bounding: mask(sets.bounding()),
            effective: mask(sets.effective()),
            permitted: mask(sets.permitted()),
            inheritable: mask(sets.inheritable()),
            ambient: mask(sets.ambient()),
        }
    }
}

/// Every capability there is, lowest first.
fn in_order() -> &'static [Capability] {
    static ALL: OnceLock<Vec<Capability>> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut all: Vec<Capability> = caps::all().into_iter().collect();
        all.sort_by_key(Capability::index);
        all
    })
}

/// The same capability in the specification's type, whose names lack the `CAP_`. Both types know the same 41, which a
/// test holds; were one ever missing, it would be left out of the set, which takes power away and gives none.
fn in_spec(capability: Capability) -> Option<SpecCapability> {
    capability
        .to_string()
        .strip_prefix("CAP_")
        .and_then(|name| name.parse().ok())
}

/// The same capability in the kernel's numbering.
fn in_kernel(capability: &SpecCapability) -> Option<Capability> {
    format!("CAP_{capability}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_mask_is_the_one_docker_shows_in_proc_status() {
        let mask = CapabilityMask::usual();
        assert_eq!(mask.to_string(), "00000000a80425fb");
        assert!(mask.contains(Capability::CAP_NET_RAW));
        assert!(!mask.contains(Capability::CAP_SYS_ADMIN));
    }

    #[test]
    fn root_holds_the_default_set_and_inherits_nothing() {
        let sets = CapabilitySets::from(&sets_of(CapabilityMask::usual(), 0));
        assert_eq!(sets.bounding.bits(), 0xa804_25fb);
        assert_eq!(sets.effective, sets.bounding);
        assert_eq!(sets.permitted, sets.bounding);
        assert_eq!(sets.inheritable.bits(), 0);
        assert_eq!(sets.ambient.bits(), 0);
    }

    #[test]
    fn an_ordinary_user_holds_nothing_but_keeps_the_bounding_set() {
        let sets = CapabilitySets::from(&sets_of(CapabilityMask::usual(), 1000));
        assert_eq!(sets.bounding.bits(), 0xa804_25fb);
        assert_eq!(sets.effective.bits(), 0);
        assert_eq!(sets.permitted.bits(), 0);
    }

    #[test]
    fn every_capability_is_known_to_both_types_under_the_same_name() {
        let all = caps::all();
        assert_eq!(all.len(), 41);
        for capability in all {
            let same = in_spec(capability).and_then(|other| in_kernel(&other));
            assert_eq!(same, Some(capability));
        }
    }
}
