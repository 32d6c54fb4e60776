//! The ways into the kernel that a program of this machine has, and the numbers that system calls have on each.
//!
//! The numbers are those of the `syscalls` crate, which takes them from the kernel's own tables.

/// A way of making system calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Architecture {
    /// 64-bit programs on x86.
    X86_64,
    /// 32-bit programs on x86, and 64-bit programs that use `int 0x80`.
    X86,
    /// Programs with short pointers on x86-64, whose numbers have a bit of their own.
    X32,
    /// 64-bit programs on ARM.
    Aarch64,
    /// 32-bit programs on ARM.
    Arm,
}

/// `__X32_SYSCALL_BIT` of the kernel: it tells x32 from x86-64, which share one audit number.
pub const X32_BIT: u32 = 0x4000_0000;

/// `AUDIT_ARCH_…` of linux/audit.h: the machine, and bits for 64-bit and little-endian programs.
const AUDIT_X86_64: u32 = 0xc000_003e;
const AUDIT_X86: u32 = 0x4000_0003;
const AUDIT_AARCH64: u32 = 0xc000_00b7;
const AUDIT_ARM: u32 = 0x4000_0028;

/// What profiles call the architectures of this list, ours first, then those that a profile may name and that programs of
/// no machine of ours have.
const WORDS: [(&str, Option<Architecture>); 22] = [
    ("SCMP_ARCH_X86_64", Some(Architecture::X86_64)),
    ("SCMP_ARCH_X86", Some(Architecture::X86)),
    ("SCMP_ARCH_X32", Some(Architecture::X32)),
    ("SCMP_ARCH_AARCH64", Some(Architecture::Aarch64)),
    ("SCMP_ARCH_ARM", Some(Architecture::Arm)),
    ("SCMP_ARCH_LOONGARCH64", None),
    ("SCMP_ARCH_M68K", None),
    ("SCMP_ARCH_MIPS", None),
    ("SCMP_ARCH_MIPS64", None),
    ("SCMP_ARCH_MIPS64N32", None),
    ("SCMP_ARCH_MIPSEL", None),
    ("SCMP_ARCH_MIPSEL64", None),
    ("SCMP_ARCH_MIPSEL64N32", None),
    ("SCMP_ARCH_PARISC", None),
    ("SCMP_ARCH_PARISC64", None),
    ("SCMP_ARCH_PPC", None),
    ("SCMP_ARCH_PPC64", None),
    ("SCMP_ARCH_PPC64LE", None),
    ("SCMP_ARCH_RISCV64", None),
    ("SCMP_ARCH_S390", None),
    ("SCMP_ARCH_S390X", None),
    ("SCMP_ARCH_SH", None),
];

impl Architecture {
    /// That of this program, and those of other programs that run on the same machine.
    #[cfg(target_arch = "x86_64")]
    pub const HERE: &'static [Architecture] =
        &[Architecture::X86_64, Architecture::X86, Architecture::X32];
    /// That of this program, and those of other programs that run on the same machine.
    #[cfg(target_arch = "aarch64")]
    pub const HERE: &'static [Architecture] = &[Architecture::Aarch64, Architecture::Arm];

    /// That of this program.
    pub const NATIVE: Architecture = Self::HERE[0];

    /// What Docker's profiles call that of this program behind `arches`.
    pub const NATIVE_WORD: &'static str = match Self::NATIVE {
        Architecture::X86_64 => "amd64",
        _ => "arm64",
    };

    /// The architecture that a profile means. `Some(None)` is one that no program here can have.
    pub fn from_word(word: &str) -> Option<Option<Architecture>> {
        let known = WORDS.iter().find(|(known, _)| *known == word);
        known.map(|(_, meant)| meant.filter(|meant| Self::HERE.contains(meant)))
    }

    /// What the kernel shows a filter.
    pub fn audit(self) -> u32 {
        match self {
            Architecture::X86_64 | Architecture::X32 => AUDIT_X86_64,
            Architecture::X86 => AUDIT_X86,
            Architecture::Aarch64 => AUDIT_AARCH64,
            Architecture::Arm => AUDIT_ARM,
        }
    }

    /// The number of a call; nothing if it is not one of this architecture, or this program is for another machine.
    pub fn number(self, name: &str) -> Option<u32> {
        match self {
            Architecture::X32 => x32_number(name),
            _ => self.number_in_table(name),
        }
    }

    #[cfg(target_arch = "x86_64")]
    fn number_in_table(self, name: &str) -> Option<u32> {
        let number = match self {
            Architecture::X86_64 => name.parse::<syscalls::x86_64::Sysno>().ok()?.id(),
            Architecture::X86 => name.parse::<syscalls::x86::Sysno>().ok()?.id(),
            _ => return None,
        };
        u32::try_from(number).ok()
    }

    #[cfg(target_arch = "aarch64")]
    fn number_in_table(self, name: &str) -> Option<u32> {
        let number = match self {
            Architecture::Aarch64 => name.parse::<syscalls::aarch64::Sysno>().ok()?.id(),
            Architecture::Arm => name.parse::<syscalls::arm::Sysno>().ok()?.id(),
            _ => return None,
        };
        u32::try_from(number).ok()
    }
}

/// The first number of x32's own calls: those whose arguments lie in memory differently than for 64-bit programs.
const X32_FIRST: u32 = 512;

/// These calls, in the order of their numbers (arch/x86/entry/syscalls/syscall_64.tbl of the kernel).
const X32_OWN: &[&str] = &[
    "rt_sigaction",
    "rt_sigreturn",
    "ioctl",
    "readv",
    "writev",
    "recvfrom",
    "sendmsg",
    "recvmsg",
    "execve",
    "ptrace",
    "rt_sigpending",
    "rt_sigtimedwait",
    "rt_sigqueueinfo",
    "sigaltstack",
    "timer_create",
    "mq_notify",
    "kexec_load",
    "waitid",
    "set_robust_list",
    "get_robust_list",
    "vmsplice",
    "move_pages",
    "preadv",
    "pwritev",
    "rt_tgsigqueueinfo",
    "recvmmsg",
    "sendmmsg",
    "process_vm_readv",
    "process_vm_writev",
    "setsockopt",
    "getsockopt",
    "io_setup",
    "io_submit",
    "execveat",
    "preadv2",
    "pwritev2",
];

/// Calls that x86-64 has and x32 has not, among those that a policy may name.
const X32_LACKS: &[&str] = &[
    "epoll_ctl_old",
    "epoll_wait_old",
    "get_thread_area",
    "set_thread_area",
    "uretprobe",
];

fn x32_number(name: &str) -> Option<u32> {
    if X32_LACKS.contains(&name) {
        return None;
    }
    let own = X32_OWN.iter().position(|own| *own == name);
    let number = match own {
        Some(position) => X32_FIRST + u32::try_from(position).ok()?,
        None => Architecture::X86_64.number_in_table(name)?,
    };
    Some(X32_BIT | number)
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;

    #[test]
    fn each_way_into_the_kernel_has_numbers_of_its_own() {
        let numbers = |name| Architecture::HERE.iter().map(move |one| one.number(name));
        let of = |name| numbers(name).collect::<Vec<_>>();
        assert_eq!(of("read"), [Some(0), Some(3), Some(X32_BIT)]);
        assert_eq!(of("ioctl"), [Some(16), Some(54), Some(X32_BIT | 514)]);
        assert_eq!(of("socketcall"), [None, Some(102), None]);
        assert_eq!(of("pwritev2"), [Some(328), Some(379), Some(X32_BIT | 547)]);
        assert_eq!(of("nonsense"), [None, None, None]);
    }

    #[test]
    fn the_newest_calls_of_linux_6_18_are_known() {
        for (name, number) in [
            ("removexattrat", 466),
            ("open_tree_attr", 467),
            ("file_getattr", 468),
            ("file_setattr", 469),
        ] {
            assert_eq!(Architecture::X86_64.number(name), Some(number));
            assert_eq!(Architecture::X86.number(name), Some(number));
        }
    }
}
