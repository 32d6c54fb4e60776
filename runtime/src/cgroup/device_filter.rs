//! Attaching a program that decides on devices to a group of version 2, by bpf(2).

use super::device_program::{INSTRUCTION, device_program};
use crate::devices::policy::DevicePolicy;
use nix::errno::Errno;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// The command that loads a program (`BPF_PROG_LOAD`).
const LOAD: libc::c_int = 5;
/// The command that attaches one (`BPF_PROG_ATTACH`).
const ATTACH: libc::c_int = 8;
/// A program that decides on devices (`BPF_PROG_TYPE_CGROUP_DEVICE`).
const DEVICE_PROGRAM: u32 = 15;
/// Where such a program is asked (`BPF_CGROUP_DEVICE`).
const DEVICE_HOOK: u32 = 6;
/// Groups below may have programs as well, and all of them must agree (`BPF_F_ALLOW_MULTI`).
const WITH_OTHERS: u32 = 2;

/// The beginning of `union bpf_attr`, as loading reads it; the kernel takes what is left out for zero.
#[repr(C)]
#[derive(Default)]
struct LoadRequest {
    program_type: u32,
    instruction_count: u32,
    instructions: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log_buffer: u64,
    kernel_version: u32,
    flags: u32,
    name: [u8; 16],
}

impl LoadRequest {
    /// It is good as long as the program stays where it is.
    fn of(program: &[u8]) -> Self {
        LoadRequest {
            program_type: DEVICE_PROGRAM,
            instruction_count: (program.len() / INSTRUCTION) as u32,
            instructions: program.as_ptr() as u64,
            license: c"MIT".as_ptr() as u64,
            name: *b"minirun_devices\0",
            ..LoadRequest::default()
        }
    }
}

/// The program for the devices that every container has, ready to be loaded by somebody who can do no more than a system call.
pub struct UsualDevices {
    request: LoadRequest,
    _program: Vec<u8>,
}

impl UsualDevices {
    /// Writes it.
    pub fn prepare() -> Self {
        let program = device_program(&DevicePolicy::usual());
        UsualDevices {
            request: LoadRequest::of(&program),
            _program: program,
        }
    }

    /// The arguments of the system call `bpf`, which gives a descriptor. They are good as long as this value is.
    pub fn loading(&self) -> [usize; 5] {
        let request = std::ptr::from_ref(&self.request).addr();
        [LOAD as usize, request, size_of::<LoadRequest>(), 0, 0]
    }
}

/// The same as attaching reads it.
#[repr(C)]
struct AttachRequest {
    target: u32,
    program: u32,
    hook: u32,
    flags: u32,
}

/// Lets a program decide on the devices of all processes of the group, from now until the group is removed.
pub(super) fn attach(group: BorrowedFd<'_>, program: BorrowedFd<'_>) -> Result<(), Errno> {
    let mut request = AttachRequest {
        target: group.as_raw_fd() as u32,
        program: program.as_raw_fd() as u32,
        hook: DEVICE_HOOK,
        flags: WITH_OTHERS,
    };
    call(ATTACH, &mut request).map(drop)
}

/// Loads a program.
pub(super) fn load(program: &[u8]) -> Result<OwnedFd, Errno> {
    let number = call(LOAD, &mut LoadRequest::of(program))?;
    // SAFETY: the kernel has just made this descriptor, and nobody else knows its number.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

fn call<Request>(command: libc::c_int, request: &mut Request) -> Result<libc::c_int, Errno> {
    // SAFETY: the pointer and the size describe a request for this command, whose own pointers lead to memory that outlives
    // the call; the kernel copies all of it.
    let result = unsafe {
        libc::syscall(
            libc::SYS_bpf,
            command,
            std::ptr::from_mut(request),
            size_of::<Request>(),
        )
    };
    Errno::result(result).map(|number| number as libc::c_int)
}
