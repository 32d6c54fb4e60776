//! The steps that depend on the process alone: who it is, where it starts, what it runs. First processes and executed
//! ones share them.

use std::collections::HashSet;
use std::os::unix::ffi::OsStrExt;
use std::str::FromStr;

use oci_spec::runtime::{Capability, LinuxCapabilities, Process};

use super::app_armor::Confinement;
use super::error::ProcessError;
use super::filter_place::FilterPlace;
use super::init_step::{CapabilitySets, Console, Identity, InitStep, TerminalRequest};
use super::program::Program;
use super::text::c_string;
use crate::own_status::OwnStatus;
use crate::seccomp::filter::Filter;
use crate::security::app_armor::OUR_PROFILE;

/// What the umask of a container's process is unless the Spec says otherwise, as Docker has it.
const DEFAULT_UMASK: libc::mode_t = 0o022;

/// What comes first in every child.
pub(super) fn first_steps() -> Vec<InitStep> {
    vec![
        InitStep::ResetSignals {
            // If nobody knows, it may be any.
            ignored: OwnStatus::get().map_or(u64::MAX, OwnStatus::may_ignore),
        },
        InitStep::DieWithParent,
        InitStep::NewSession,
        InitStep::NewKeyring,
    ]
}

/// The terminal, if the process is to have one. It comes before the gate, so that the parent has the other end before
/// the program can write to it.
pub(super) fn terminal_step(process: &Process, console: Console) -> Option<InitStep> {
    let size = process.console_size();
    let cells = |count: u64| libc::c_ushort::try_from(count).unwrap_or(libc::c_ushort::MAX);
    (process.terminal() == Some(true)).then(|| {
        InitStep::TakeTerminal(TerminalRequest {
            rows: size.map_or(0, |size| cells(size.height())),
            columns: size.map_or(0, |size| cells(size.width())),
            uid: process.user().uid(),
            console,
        })
    })
}

/// The steps of a process when its root is ready.
pub(super) struct LastSteps {
    /// What is done while others are waited for.
    pub(super) before_gate: Vec<InitStep>,
    /// What follows, up to and including the program.
    pub(super) after_gate: Vec<InitStep>,
}

/// What is done around the gate.
///
/// Before it comes what takes long and leaves the process as open to its parent as it was: that looks at it meanwhile, with its
/// user and no more capabilities than it may have.
///
/// The working directory is entered while still root, as Docker does, but after the root was changed and every
/// descriptor of the host marked to close. The bounding set goes before the user, because changing it takes a capability. The
/// wish to die with the parent is repeated, because the kernel forgets it when the user changes. No new privileges come
/// last, so that nothing before is hindered. Where the filter of system calls comes, is told in `filter_place.rs`.
pub(super) fn last_steps(
    process: &Process,
    filter: Option<Filter>,
) -> Result<LastSteps, ProcessError> {
    let filter = filter.map(|filter| (FilterPlace::of(&filter, process), filter));
    let filter_at = |place: FilterPlace| {
        let here = filter.iter().filter(move |(its, _)| *its == place);
        here.map(|(_, filter)| InitStep::FilterSystemCalls(filter.clone()))
    };
    let mut before_gate = steps_before_gate(process)?;
    before_gate.extend(filter_at(FilterPlace::BeforeGate));
    // From now on others may be executed in the container. The parent has looked at the process by now.
    let mut steps = vec![InitStep::HideFromOthers];
    steps.extend(app_armor_step(process)?);
    steps.extend(filter_at(FilterPlace::BeforeIdentity));
    let user = process.user();
    steps.push(InitStep::BecomeUser(Identity {
        uid: user.uid(),
        gid: user.gid(),
        additional_gids: user.additional_gids().clone().unwrap_or_default(),
    }));
    if let Some(capabilities) = process.capabilities() {
        steps.push(InitStep::SetCapabilities(capability_sets(capabilities)?));
    }
    // The kernel may have opened the process when its user changed (`fs.suid_dumpable`), and it is not the program yet.
    steps.push(InitStep::HideFromOthers);
    steps.push(InitStep::DieWithParent);
    if process.no_new_privileges() == Some(true) {
        steps.push(InitStep::SetNoNewPrivileges);
    }
    steps.extend(filter_at(FilterPlace::Last));
    let arguments = process.args().as_deref().unwrap_or_default();
    let environment = process.env().as_deref().unwrap_or_default();
    steps.push(InitStep::Execute(Program::new(arguments, environment)?));
    Ok(LastSteps {
        before_gate,
        after_gate: steps,
    })
}

fn steps_before_gate(process: &Process) -> Result<Vec<InitStep>, ProcessError> {
    let user = process.user();
    let mut steps = vec![
        InitStep::CloseOnExec,
        InitStep::ChangeDirectory {
            path: c_string("working directory", process.cwd().as_os_str().as_bytes())?,
        },
    ];
    if user.uid() != 0 {
        steps.push(InitStep::GiveStandardStreams { uid: user.uid() });
    }
    if let Some(capabilities) = process.capabilities() {
        steps.push(InitStep::LimitCapabilities {
            kept: bits(capabilities.bounding().as_ref())?,
        });
    }
    steps.push(InitStep::SetUmask {
        mask: user.umask().unwrap_or(DEFAULT_UMASK),
    });
    Ok(steps)
}

/// What puts the program under its AppArmor profile, if it has one. Ours permits whatever is left to do, so it can hold at once; of
/// others nobody knows.
pub(super) fn app_armor_step(process: &Process) -> Result<Option<InitStep>, ProcessError> {
    let Some(profile) = process.apparmor_profile() else {
        return Ok(None);
    };
    let confinement = match profile == OUR_PROFILE {
        true => Confinement::Now,
        false => Confinement::WithProgram,
    };
    let order = format!("{} {profile}", confinement.word());
    Ok(Some(InitStep::ConfineByAppArmor {
        order: c_string("AppArmor profile", order)?,
        confinement,
    }))
}

fn capability_sets(capabilities: &LinuxCapabilities) -> Result<CapabilitySets, ProcessError> {
    Ok(CapabilitySets {
        effective: bits(capabilities.effective().as_ref())?,
        permitted: bits(capabilities.permitted().as_ref())?,
        inheritable: bits(capabilities.inheritable().as_ref())?,
        ambient: bits(capabilities.ambient().as_ref())?,
    })
}

fn bits(set: Option<&HashSet<Capability>>) -> Result<u64, ProcessError> {
    let mut bits = 0;
    for capability in set.into_iter().flatten() {
        let name = format!("CAP_{capability}");
        let capability = caps::Capability::from_str(&name)
            .map_err(|_| ProcessError::UnknownCapability { name })?;
        bits |= capability.bitmask();
    }
    Ok(bits)
}
