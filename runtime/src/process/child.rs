//! The child: runs its steps one by one, and reports the first that fails.
//!
//! Everything here and in the modules that it calls happens between clone and exec: raw system calls on memory prepared
//! before, no allocation, no lock, nothing of the environment.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};

use nix::errno::Errno;

use super::gate::{self, Report};
use super::init_step::InitStep;
use super::standard_streams::{GATE, arrange};
use super::step_moments::StepMoments;
use super::{app_armor, binds, identity, mounts, new_interfaces, nodes, system_call, terminal};

/// The code of a child that failed; its parent learns why through the gate.
const FAILED: i32 = 125;

/// How many sources of bind mounts a child can hold. Each is a descriptor.
pub(super) const MOST_HELD_SOURCES: usize = 32;

/// What the steps of one child share.
pub(super) struct ChildState<'plan> {
    /// The new root from `EnterRoot` on.
    root: Option<OwnedFd>,
    /// The directory that a node was made in by the step before, and its path.
    directory: Option<(&'plan [u8], OwnedFd)>,
    /// The empty directory that hides others, once there is one.
    empty: Option<OwnedFd>,
    /// The null device that hides files, once one is hidden.
    null: Option<OwnedFd>,
    /// The kernel parameter that is to be restored.
    changed_setting: Option<OwnedFd>,
    /// Mounts that are attached nowhere yet.
    held: [Option<OwnedFd>; MOST_HELD_SOURCES],
}

impl<'plan> ChildState<'plan> {
    pub(super) fn new() -> Self {
        Self {
            root: None,
            directory: None,
            empty: None,
            null: None,
            changed_setting: None,
            held: [const { None }; MOST_HELD_SOURCES],
        }
    }

    pub(super) fn root(&self) -> Result<BorrowedFd<'_>, Errno> {
        self.root.as_ref().map(AsFd::as_fd).ok_or(Errno::EBADF)
    }

    pub(super) fn set_root(&mut self, root: OwnedFd) {
        self.root = Some(root);
    }

    /// The directory that a path leads to for whoever makes nodes, found by `find` unless the step before made one there, too.
    pub(super) fn directory_of_nodes(
        &mut self,
        path: &'plan [u8],
        find: impl FnOnce(BorrowedFd<'_>) -> Result<OwnedFd, Errno>,
    ) -> Result<BorrowedFd<'_>, Errno> {
        let directory = match self.directory.take() {
            Some((its, directory)) if its == path => directory,
            _ => find(self.root()?)?,
        };
        Ok(self.directory.insert((path, directory)).1.as_fd())
    }

    pub(super) fn empty(&self) -> Option<BorrowedFd<'_>> {
        self.empty.as_ref().map(AsFd::as_fd)
    }

    pub(super) fn set_empty(&mut self, empty: OwnedFd) {
        self.empty = Some(empty);
    }

    pub(super) fn take_null(&mut self) -> Option<OwnedFd> {
        self.null.take()
    }

    pub(super) fn set_null(&mut self, null: OwnedFd) {
        self.null = Some(null);
    }

    pub(super) fn set_changed_setting(&mut self, setting: OwnedFd) {
        self.changed_setting = Some(setting);
    }

    pub(super) fn take_changed_setting(&mut self) -> Option<OwnedFd> {
        self.changed_setting.take()
    }

    pub(super) fn hold(&mut self, place: usize, source: OwnedFd) -> Result<(), Errno> {
        *self.held.get_mut(place).ok_or(Errno::EMFILE)? = Some(source);
        Ok(())
    }

    pub(super) fn take_held(&mut self, place: usize) -> Result<OwnedFd, Errno> {
        let held = self.held.get_mut(place).and_then(Option::take);
        held.ok_or(Errno::EBADF)
    }
}

/// What a child does, and where it notes when each of it is done.
pub(super) type Noted<'plan> = (&'plan [InitStep], Option<&'plan StepMoments>);

/// The whole life of a child that was just cloned, up to its program.
pub(super) fn live(
    steps: Noted<'_>,
    [stdin, stdout, stderr]: [RawFd; 3],
    gate: RawFd,
    user_namespace: Option<RawFd>,
) -> ! {
    let arranged = match user_namespace {
        Some(namespace) => arrange([stdin, stdout, stderr, gate, namespace]),
        None => arrange([stdin, stdout, stderr, gate]),
    };
    match arranged {
        Ok(()) => run(steps),
        Err(errno) => fail(gate, Report::Failed(0, errno)),
    }
}

/// Runs the steps of a process whose descriptors are arranged already.
pub(super) fn run(steps: Noted<'_>) -> ! {
    if let Err((index, errno)) = apply_all(steps, &mut ChildState::new()) {
        fail(GATE, Report::Failed(index, errno));
    }
    exit(FAILED)
}

/// Takes every step; on failure says which it was.
pub(super) fn apply_all<'plan>(
    (steps, mut moments): Noted<'plan>,
    state: &mut ChildState<'plan>,
) -> Result<(), (u32, Errno)> {
    for (index, step) in (0..).zip(steps) {
        apply(step, state).map_err(|errno| (index, errno))?;
        if forbids_clock(step) {
            moments = None;
        }
        if let Some(moments) = moments {
            moments.note(index as usize);
        }
    }
    Ok(())
}

/// Some clocks cannot be read without a system call, which a filter may answer with a signal.
fn forbids_clock(step: &InitStep) -> bool {
    matches!(step, InitStep::FilterSystemCalls(filter) if !filter.permits(libc::SYS_clock_gettime))
}

/// Sends a last word and ends.
pub(super) fn fail(gate: RawFd, report: Report) -> ! {
    // A parent that is gone does not need to be told.
    let _ = gate::send(gate, report);
    exit(FAILED)
}

pub(super) fn exit(code: i32) -> ! {
    // SAFETY: _exit runs no destructor and no handler.
    unsafe { libc::_exit(code) }
}

fn apply<'plan>(step: &'plan InitStep, state: &mut ChildState<'plan>) -> Result<(), Errno> {
    if !matches!(
        step,
        InitStep::MakeDevice(_) | InitStep::MakeSymbolicLink { .. }
    ) {
        // Whatever else is done, a mount above all, the same path may lead to another directory then.
        state.directory = None;
    }
    match step {
        InitStep::ResetSignals { ignored } => reset_signals(*ignored),
        // A process that leads its group already cannot make a session, which no fresh child does.
        // SAFETY: setsid touches no memory of ours.
        InitStep::NewSession => Errno::result(unsafe { libc::setsid() }).map(drop),
        InitStep::NewKeyring => identity::new_keyring(),
        InitStep::DieWithParent => die_with_parent(),
        InitStep::DropMemoryProtection => identity::drop_memory_protection(),
        InitStep::HideFromOthers => system_call::control(libc::PR_SET_DUMPABLE, 0),
        InitStep::SetUmask { mask } => {
            // SAFETY: umask touches no memory of ours and cannot fail.
            unsafe { libc::umask(*mask) };
            Ok(())
        }
        InitStep::HoldSource(source) => binds::hold(state, source),
        InitStep::SetPropagation { flags } => mounts::set_propagation(*flags),
        InitStep::CreateFilesAs { id } => identity::create_files_as(*id),
        InitStep::ShiftDirectory { path } => mounts::shift_directory(path),
        InitStep::UncoverDirectories { paths, root } => mounts::uncover_directories(paths, root),
        InitStep::EnterUserNamespace => identity::enter_user_namespace(),
        InitStep::MountOverlay(mount) => mounts::mount_overlay(mount),
        InitStep::EnterRoot { path } => mounts::enter_root(state, path),
        InitStep::MountFileSystem(mount) => mounts::mount_file_system(state.root()?, mount),
        InitStep::BindMount(mount) => binds::bind(state, mount),
        InitStep::MakeDevice(device) => nodes::make_device(state, device),
        InitStep::AllowDevice(device) => nodes::allow_device(state.root()?, device),
        InitStep::MakeSymbolicLink { target, path } => {
            nodes::make_symbolic_link(state, target, path)
        }
        InitStep::PivotRoot => mounts::pivot(state),
        InitStep::MakeWorkingDirectory { path } => nodes::make_directory(state.root()?, path),
        InitStep::MakeRootReadOnly => mounts::make_root_read_only(state.root()?),
        InitStep::SetHostname { name } => nodes::set_hostname(name),
        InitStep::WriteSysctl { path, value } => nodes::write_sysctl(state.root()?, path, value),
        InitStep::SwitchIpv6Off => new_interfaces::switch_ipv6_off(state),
        InitStep::RestoreIpv6 => new_interfaces::restore_ipv6(state),
        InitStep::MakePathReadOnly { path } => mounts::make_read_only(state.root()?, path),
        InitStep::MaskPath { path } => mounts::mask(state, path),
        InitStep::TakeTerminal(request) => terminal::take(request),
        InitStep::WaitAtGate => wait_at_gate(),
        InitStep::GiveStandardStreams { uid } => nodes::give_standard_streams(*uid),
        InitStep::CloseOnExec => close_on_exec(),
        InitStep::ChangeDirectory { path } => nodes::change_directory(path),
        InitStep::ConfineByAppArmor { order, confinement } => {
            app_armor::confine(order, *confinement)
        }
        InitStep::LimitCapabilities { kept } => identity::limit_capabilities(*kept),
        InitStep::BecomeUser(identity) => identity::become_user(identity),
        InitStep::SetCapabilities(sets) => identity::set_capabilities(*sets),
        InitStep::SetNoNewPrivileges => system_call::control(libc::PR_SET_NO_NEW_PRIVS, 1),
        InitStep::FilterSystemCalls(filter) => filter.install(),
        InitStep::StandBefore(init) => init.stand_before(),
        InitStep::Execute(program) => Err(program.execute()),
    }
}

/// A signal that the parent ignores must not stay ignored in the program; these are the bits of those that it may. What it has handlers
/// for has had its default meaning since the clone. The C library's functions are passed by, because they take locks and spare two signals of their own.
pub(super) fn reset_signals(ignored: u64) -> Result<(), Errno> {
    // A `struct sigaction` as the kernel has it: all zeroes mean the default, no flags, and nothing blocked meanwhile.
    let default = [0_u64; 4];
    for signal in (1..=64).filter(|signal| ignored & (1 << (signal - 1)) != 0) {
        // The kernel refuses this for SIGKILL and SIGSTOP, which always have their default meaning.
        // SAFETY: the pointer names a whole `struct sigaction`, and the last number is the size of the set of signals
        // in it.
        unsafe {
            libc::syscall(
                libc::SYS_rt_sigaction,
                signal,
                default.as_ptr(),
                std::ptr::null::<u64>(),
                size_of::<u64>(),
            )
        };
    }
    block_signals(0)
}

/// Blocks the signals of this set, one bit each, and no others.
pub(super) fn block_signals(set: u64) -> Result<(), Errno> {
    // SAFETY: the pointer names a set of 64 signals, whose size in bytes is given; the old set is not wanted.
    let result = unsafe {
        libc::syscall(
            libc::SYS_rt_sigprocmask,
            libc::SIG_SETMASK,
            &raw const set,
            std::ptr::null::<u64>(),
            size_of::<u64>(),
        )
    };
    Errno::result(result).map(drop)
}

/// The parent may have died before the kernel was asked, hence the look at the other end of the gate afterwards.
pub(super) fn die_with_parent() -> Result<(), Errno> {
    system_call::control(libc::PR_SET_PDEATHSIG, libc::SIGKILL as libc::c_ulong)?;
    if gate::is_abandoned(GATE) {
        exit(FAILED);
    }
    Ok(())
}

fn wait_at_gate() -> Result<(), Errno> {
    gate::send(GATE, Report::Ready)?;
    gate::wait_until_open(GATE)
}

fn close_on_exec() -> Result<(), Errno> {
    // SAFETY: marks descriptors of this process; touches no memory of ours.
    let result = unsafe {
        libc::syscall(
            libc::SYS_close_range,
            3,
            u32::MAX,
            libc::CLOSE_RANGE_CLOEXEC,
        )
    };
    Errno::result(result).map(drop)
}
