//! Where among the steps of a process its filter of system calls comes.
//!
//! The kernel makes a program of its own of a filter, which is the longest of the steps that could come behind the gate. So it comes
//! before, while others are waited for, if the filter permits whatever is left to do: of the default policy's that is known.
//!
//! A profile of the user's need not permit that. Its filter comes as late as it can. Only whoever wants no new privileges may come
//! under one at any time. Otherwise it takes `CAP_SYS_ADMIN`, and it comes before the change of user: so a strict profile has to
//! permit `setgroups`, `setresgid`, `setresuid`, `capset`, `prctl`, `poll` and `execve`, as it has with Docker.

use oci_spec::runtime::Process;

use crate::seccomp::filter::Filter;

/// A place among the steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FilterPlace {
    /// While others are waited for.
    BeforeGate,
    /// With the privileges that it takes.
    BeforeIdentity,
    /// Right before the program.
    Last,
}

/// What a process does from the filter on if that comes before its gate: to wait and to tell, to restore a kernel parameter, to be confined by AppArmor, to be hidden, to
/// become who it is to be, to die with its parent, and to become its program. Where a C library has a choice, both are here. The
/// clock is for whoever has a start explained.
const CALLS_FROM_GATE_ON: &[libc::c_long] = &[
    libc::SYS_sendto,
    libc::SYS_recvfrom,
    libc::SYS_exit_group,
    libc::SYS_openat2,
    libc::SYS_fstat,
    libc::SYS_newfstatat,
    libc::SYS_fstatfs,
    libc::SYS_write,
    libc::SYS_pwrite64,
    libc::SYS_close,
    libc::SYS_prctl,
    libc::SYS_setgroups,
    libc::SYS_setresgid,
    libc::SYS_setresuid,
    libc::SYS_capset,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
    libc::SYS_ppoll,
    libc::SYS_execve,
    libc::SYS_clock_gettime,
];

impl FilterPlace {
    /// That of a filter among the steps of this process.
    pub(super) fn of(filter: &Filter, process: &Process) -> FilterPlace {
        let permits_rest = CALLS_FROM_GATE_ON.iter().all(|call| filter.permits(*call));
        match (permits_rest, process.no_new_privileges()) {
            (true, _) => FilterPlace::BeforeGate,
            (false, Some(true)) => FilterPlace::Last,
            (false, _) => FilterPlace::BeforeIdentity,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capabilities::CapabilityMask;
    use crate::seccomp::action::Action;
    use crate::seccomp::default_filter::default_filter;
    use crate::seccomp::default_policy::default_policy;
    use crate::seccomp::policy::{Policy, Rule};

    fn process(no_new_privileges: bool) -> Process {
        let mut process = Process::default();
        process.set_no_new_privileges(Some(no_new_privileges));
        process
    }

    #[test]
    fn the_default_policy_permits_whatever_follows_the_gate() {
        let usual =
            default_filter(CapabilityMask::usual().bits()).expect("it is part of the program");
        let others = [0, u64::MAX].map(|capabilities| {
            Filter::compile(&default_policy(capabilities)).expect("it is short enough")
        });
        for filter in others.iter().chain([&usual]) {
            for no_new_privileges in [false, true] {
                let place = FilterPlace::of(filter, &process(no_new_privileges));
                assert_eq!(place, FilterPlace::BeforeGate);
            }
        }
    }

    #[test]
    fn a_profile_that_refuses_one_of_these_calls_comes_later() {
        for name in ["recvfrom", "sendto", "setresuid", "openat2"] {
            let refused = Rule {
                names: vec![name.into()],
                action: Action::KillProcess,
                conditions: Vec::new(),
            };
            let default = default_policy(CapabilityMask::usual().bits());
            let policy = Policy {
                rules: [vec![refused], default.rules].concat(),
                ..default
            };
            let filter = Filter::compile(&policy).expect("it is short enough");
            let place = |no_new_privileges| FilterPlace::of(&filter, &process(no_new_privileges));
            assert_eq!(place(false), FilterPlace::BeforeIdentity);
            assert_eq!(place(true), FilterPlace::Last);
        }
    }
}
