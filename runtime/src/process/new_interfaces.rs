//! Interfaces that come into the container's network namespace without IPv6. Called in the child: no allocation.
//!
//! Theory of operation
//!
//! 1. An interface of a network without IPv6 must have none from before it is up. Its own setting can be written from outside; but
//!    the host's `/proc` keeps what it has looked up for each network namespace under the same name (`proc_sys_compare` of
//!    `fs/proc/proc_sysctl.c`), so looking there takes the longer, the more namespaces there are and were: 0.4 ms with a thousand
//!    of them. And the kernel writes it under the lock of all network configuration, for which the writer spins
//!    (`addrconf_disable_ipv6` of `net/ipv6/addrconf.c`).
//! 2. The container's own `/proc` is new and knows one namespace, and what new interfaces begin with is written without that lock
//!    (before Linux 6.9 or so with it). So the child writes it, as soon as it has a `/proc`, and tells its parent, who has most often
//!    other things to do until then.
//! 3. Behind the gate, when the interfaces are there, it is what it was before: what the container makes itself is as usual.
//! 4. Where it cannot be written, the parent hears that, and does it in the usual way; so it does if it hears nothing for some
//!    milliseconds.

use std::ffi::CStr;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;

use super::child::ChildState;
use super::gate::{self, Report};
use super::proc_file::{open_in_both_ways, open_proc};
use super::standard_streams::GATE;

/// Relative to the root of /proc.
const SETTING: &CStr = c"sys/net/ipv6/conf/default/disable_ipv6";

pub(super) fn switch_ipv6_off(state: &mut ChildState<'_>) -> Result<(), Errno> {
    let outcome = switch_off(state);
    gate::send(GATE, Report::Interfaces(outcome.is_ok()))
}

fn switch_off(state: &mut ChildState<'_>) -> Result<(), Errno> {
    let proc = open_proc(state.root()?, c"proc")?;
    let setting = open_in_both_ways(&proc, SETTING)?;
    match read(&setting)? {
        // The host gives no new namespace IPv6, so there is nothing to restore.
        b'1' => Ok(()),
        b'0' => {
            write(&setting, b"1")?;
            state.set_changed_setting(setting);
            Ok(())
        }
        _ => Err(Errno::EINVAL),
    }
}

pub(super) fn restore_ipv6(state: &mut ChildState<'_>) -> Result<(), Errno> {
    match state.take_changed_setting() {
        Some(setting) => write(&setting, b"0"),
        None => Ok(()),
    }
}

/// Kernel parameters are read and written from their beginning.
fn read(setting: &OwnedFd) -> Result<u8, Errno> {
    let mut text = [0_u8; 2];
    // SAFETY: the pointer and the length describe the array on our stack.
    let result =
        unsafe { libc::pread(setting.as_raw_fd(), text.as_mut_ptr().cast(), text.len(), 0) };
    Errno::result(result).map(|_| text[0])
}

fn write(setting: &OwnedFd, text: &[u8; 1]) -> Result<(), Errno> {
    // SAFETY: the pointer and the length describe the caller's array.
    let result = unsafe { libc::pwrite(setting.as_raw_fd(), text.as_ptr().cast(), text.len(), 0) };
    Errno::result(result).map(drop)
}
