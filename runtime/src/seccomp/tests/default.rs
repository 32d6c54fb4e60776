//! The default policy: what it opens and what it closes, by the filter that is installed.

use super::interpreter::{Call, answer};
use super::reading::Reading;
use crate::seccomp::action::Action;
use crate::seccomp::architecture::Architecture;
use crate::seccomp::default_filter::default_filter;
use crate::seccomp::default_policy::default_policy;
use crate::seccomp::filter::Filter;
use caps::Capability;

const USUAL: u64 = 0xa804_25fb;
const EPERM: Action = Action::Errno(1);
const ENOSYS: Action = Action::Errno(38);

fn filter_with(capabilities: u64) -> Filter {
    default_filter(capabilities).unwrap_or_else(|| {
        Filter::compile(&default_policy(capabilities)).expect("it is short enough")
    })
}

fn asked(capabilities: u64, name: &str, arguments: [u64; 6]) -> Vec<u32> {
    let filter = filter_with(capabilities);
    let ways = Architecture::HERE.iter();
    ways.filter_map(|architecture| {
        let call = Call {
            number: architecture.number(name)?,
            audit: architecture.audit(),
            arguments,
        };
        Some(answer(filter.instructions(), call))
    })
    .collect()
}

/// Expects one answer on every way on which there is such a call.
#[track_caller]
fn expect(capabilities: u64, (name, first): (&str, u64), action: Action) {
    let answers = asked(capabilities, name, [first, 0, 0, 0, 0, 0]);
    assert!(!answers.is_empty(), "{name}");
    assert!(
        answers.iter().all(|answer| *answer == action.code()),
        "{name}({first}): {answers:x?}"
    );
}

#[test]
fn every_number_is_answered_as_the_policy_says() {
    for capabilities in [USUAL, 0, u64::MAX, 1 << 21, 1 << 19] {
        let policy = default_policy(capabilities);
        let reading = Reading::of(&policy);
        let filter = filter_with(capabilities);
        for audit in [0xc000_003e, 0x4000_0003] {
            for base in [0, 0x4000_0000, 0x8000_0000, 0xffff_fcff] {
                for number in base..base + 768 {
                    for first in [
                        0,
                        1,
                        12,
                        38,
                        40,
                        45,
                        46,
                        0x1_0000_0001,
                        0x7e02_0000,
                        0x10_0000,
                    ] {
                        let call = Call {
                            number,
                            audit,
                            arguments: [first, 0, 0, 0, 0, 0],
                        };
                        assert_eq!(
                            answer(filter.instructions(), call),
                            reading.answer(call).code(),
                            "{call:x?} with {capabilities:x}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn what_every_program_needs_is_open() {
    for name in [
        "read", "execve", "mmap", "clone", "futex", "ptrace", "mseal", "openat2",
    ] {
        expect(USUAL, (name, 0), Action::Allow);
    }
}

#[test]
fn what_reaches_into_the_kernel_is_closed() {
    for name in [
        "add_key",
        "keyctl",
        "request_key",
        "io_uring_setup",
        "io_uring_enter",
        "io_uring_register",
        "userfaultfd",
        "kexec_load",
        "init_module",
        "mount",
        "umount2",
        "pivot_root",
        "setns",
        "unshare",
        "bpf",
        "perf_event_open",
        "open_by_handle_at",
        "swapon",
        "reboot",
        "iopl",
        "settimeofday",
        "process_madvise",
        "pidfd_getfd",
        "kcmp",
        "move_pages",
        "mbind",
        "acct",
        "quotactl",
        "syslog",
    ] {
        expect(USUAL, (name, 0), EPERM);
    }
}

/// The numbers of x32's own calls are above those of newer ones, so there these are known and refused, as with Docker.
#[test]
fn newer_calls_than_the_policy_knows_do_not_exist() {
    for capabilities in [USUAL, u64::MAX] {
        for name in ["open_tree_attr", "file_getattr", "file_setattr"] {
            let answers = asked(capabilities, name, [0; 6]);
            assert_eq!(answers, [ENOSYS.code(), ENOSYS.code(), EPERM.code()]);
        }
    }
    expect(USUAL, ("clone3", 0), ENOSYS);
}

#[test]
fn namespaces_take_the_power_of_an_administrator() {
    let admin = USUAL | Capability::CAP_SYS_ADMIN.bitmask();
    for flag in [
        libc::CLONE_NEWNS,
        libc::CLONE_NEWUSER,
        libc::CLONE_NEWNET,
        libc::CLONE_NEWPID,
        libc::CLONE_NEWUTS,
        libc::CLONE_NEWIPC,
        libc::CLONE_NEWCGROUP,
    ] {
        let flags = (flag | libc::SIGCHLD) as u64;
        expect(USUAL, ("clone", flags), EPERM);
        expect(admin, ("clone", flags), Action::Allow);
    }
    expect(USUAL, ("clone", libc::CLONE_VM as u64), Action::Allow);
    for name in ["clone3", "mount", "setns", "unshare", "bpf"] {
        expect(admin, (name, 0), Action::Allow);
    }
}

#[test]
fn capabilities_open_their_calls() {
    for (capability, name) in [
        (Capability::CAP_DAC_READ_SEARCH, "open_by_handle_at"),
        (Capability::CAP_SYS_BOOT, "reboot"),
        (Capability::CAP_SYS_MODULE, "finit_module"),
        (Capability::CAP_SYS_PACCT, "acct"),
        (Capability::CAP_SYS_PTRACE, "pidfd_getfd"),
        (Capability::CAP_SYS_RAWIO, "iopl"),
        (Capability::CAP_SYS_TIME, "settimeofday"),
        (Capability::CAP_SYS_TTY_CONFIG, "vhangup"),
        (Capability::CAP_SYS_NICE, "mbind"),
        (Capability::CAP_SYSLOG, "syslog"),
        (Capability::CAP_BPF, "bpf"),
        (Capability::CAP_PERFMON, "perf_event_open"),
    ] {
        expect(USUAL, (name, 0), EPERM);
        expect(USUAL | capability.bitmask(), (name, 0), Action::Allow);
    }
    expect(USUAL, ("chroot", 0), Action::Allow);
    expect(0, ("chroot", 0), EPERM);
}

#[test]
fn socket_families_that_containers_have_no_use_for_are_closed() {
    for family in [12, 19, 20, 23, 25, 34, 37, 38, 40, 46, 64, u64::MAX] {
        expect(USUAL, ("socket", family), EPERM);
    }
    for family in [1, 2, 10, 16, 17, 21, 29, 39, 44, 45] {
        expect(USUAL, ("socket", family), Action::Allow);
    }
}

#[test]
fn a_process_may_be_of_linux_kinds_only() {
    for personality in [0, 8, 0x2_0000, 0x2_0008, 0xffff_ffff] {
        expect(USUAL, ("personality", personality), Action::Allow);
    }
    for personality in [1, 0x4_0000, 0x40_0000, 0xffff_fffe] {
        expect(USUAL, ("personality", personality), EPERM);
    }
}

/// A 64-bit program on the way of 32-bit programs can fill the upper halves of arguments, which the kernel cuts off.
#[test]
fn upper_halves_count_where_the_kernel_uses_them_only() {
    let family = [(1 << 32) | 2, 0, 0, 0, 0, 0];
    let [allow, eperm] = [Action::Allow.code(), EPERM.code()];
    assert_eq!(asked(USUAL, "socket", family), [eperm, allow, eperm]);
    let vsock = [(1 << 32) | 40, 0, 0, 0, 0, 0];
    assert_eq!(asked(USUAL, "socket", vsock), [eperm; 3]);
    let namespace = [(1 << 32) | libc::CLONE_NEWUSER as u64, 0, 0, 0, 0, 0];
    assert_eq!(asked(USUAL, "clone", namespace), [eperm; 3]);
}

#[test]
fn an_unknown_way_into_the_kernel_kills() {
    let filter = filter_with(USUAL);
    let call = Call {
        number: 0,
        audit: 0xc000_00b7,
        arguments: [0; 6],
    };
    assert_eq!(
        answer(filter.instructions(), call),
        Action::KillProcess.code()
    );
}

#[test]
fn a_call_is_answered_after_few_instructions() {
    let length = filter_with(USUAL).instructions().len();
    assert!(length < 400, "{length}");
}
