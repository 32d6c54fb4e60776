//! Makes every system call there is, on every way into the kernel, with arguments that are of no use to it, and writes how
//! each was answered: a line `WAY NUMBER ANSWER` with `ok`, an error number, or `signal NUMBER` as the answer.
//!
//! It runs in containers of minirun and of others, whose answers are compared. What a kernel would answer itself it
//! answers the same to both, so what differs is what keeps the calls from it. With the words of a call (`64 41 40 -1`) it
//! makes only that.

use std::env::args;
use std::io::Write;

/// The highest number that is tried: there is room for calls of kernels to come.
const LAST: u64 = 560;
/// `__X32_SYSCALL_BIT`.
const X32: u64 = 0x4000_0000;
/// How long a call may take, in seconds. None should take any time.
const PATIENCE: u32 = 20;

/// Calls that end or hold up who makes them, or are felt elsewhere: `rt_sigreturn`, `pause`, `vfork`, `exit`, `sync`,
/// `exit_group`, and `rt_sigreturn` of x32.
const LEFT_OUT_64: [u64; 7] = [15, 34, 58, 60, 162, 231, 513];
/// The same for 32-bit programs, and `sigsuspend` and `sigreturn`.
const LEFT_OUT_32: [u64; 9] = [1, 29, 36, 72, 112, 119, 173, 190, 252];

/// A way into the kernel.
#[derive(Clone, Copy)]
enum Way {
    Native,
    X32,
    Interrupt,
}

fn main() {
    let words: Vec<String> = args().skip(1).collect();
    match words.split_first() {
        None => try_all(),
        Some((way, numbers)) => {
            let numbers: Vec<u64> = numbers.iter().map(|word| number(word)).collect();
            let mut arguments = [0; 6];
            arguments[..numbers.len() - 1].copy_from_slice(&numbers[1..]);
            let way = Way::named(way);
            say(way, numbers[0], arguments);
        }
    }
}

fn try_all() {
    let useless = [u64::MAX; 6];
    for way in [Way::Native, Way::X32, Way::Interrupt] {
        for number in (0..=LAST).filter(|number| !way.leaves_out(*number)) {
            say(way, number, useless);
        }
    }
}

fn say(way: Way, number: u64, arguments: [u64; 6]) {
    let answer = in_child(|| way.call(number, arguments));
    let line = format!("{} {number} {answer}\n", way.name());
    std::io::stdout()
        .write_all(line.as_bytes())
        .expect("somebody reads");
}

/// As a number without a sign, as the kernel sees it.
fn number(word: &str) -> u64 {
    let signed: i128 = word.parse().expect("a number");
    signed as u64
}

impl Way {
    fn named(name: &str) -> Way {
        match name {
            "64" => Way::Native,
            "x32" => Way::X32,
            _ => Way::Interrupt,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Way::Native => "64",
            Way::X32 => "x32",
            Way::Interrupt => "32",
        }
    }

    fn leaves_out(self, number: u64) -> bool {
        match self {
            Way::Native | Way::X32 => LEFT_OUT_64.contains(&number),
            Way::Interrupt => LEFT_OUT_32.contains(&number),
        }
    }

    /// What the kernel returns: an error number is negative.
    fn call(self, number: u64, arguments: [u64; 6]) -> i64 {
        match self {
            Way::Native => by_syscall(number, arguments),
            Way::X32 => by_syscall(number | X32, arguments),
            Way::Interrupt => by_interrupt(number, arguments),
        }
    }
}

fn by_syscall(number: u64, [a, b, c, d, e, f]: [u64; 6]) -> i64 {
    let result: i64;
    // SAFETY: the process that makes the call does nothing after it but end, so it does not matter what the call does to
    // its memory. The kernel keeps all registers but those named.
    unsafe {
        std::arch::asm!(
            "syscall",
            inlateout("rax") number as i64 => result,
            in("rdi") a, in("rsi") b, in("rdx") c, in("r10") d, in("r8") e, in("r9") f,
            lateout("rcx") _, lateout("r11") _,
        );
    }
    result
}

/// As a 32-bit program makes a call. The sixth argument is left as it is.
fn by_interrupt(number: u64, [a, b, c, d, e, _]: [u64; 6]) -> i64 {
    let result: i64;
    // SAFETY: as above. What the compiler keeps in rbx is put back; older kernels clear r8 to r11.
    unsafe {
        std::arch::asm!(
            "xchg {first}, rbx",
            "int 0x80",
            "xchg {first}, rbx",
            first = inout(reg) a => _,
            inlateout("rax") number as i64 => result,
            in("rcx") b, in("rdx") c, in("rsi") d, in("rdi") e,
            lateout("r8") _, lateout("r9") _, lateout("r10") _, lateout("r11") _,
        );
    }
    i64::from(result as i32)
}

/// Makes a call in a process of its own, which ends with what was answered.
fn in_child(call: impl FnOnce() -> i64) -> String {
    // SAFETY: this program has one thread.
    let child = unsafe { libc::fork() };
    if child == 0 {
        // SAFETY: neither touches memory of ours.
        unsafe {
            libc::alarm(PATIENCE);
            libc::_exit(match call() {
                error @ -4095..=-1 => -error as i32,
                _ => 0,
            })
        }
    }
    let mut status = 0;
    // SAFETY: the pointer names the place where one number is written.
    unsafe { libc::waitpid(child, &raw mut status, 0) };
    match libc::WEXITSTATUS(status) {
        _ if libc::WIFSIGNALED(status) => format!("signal {}", libc::WTERMSIG(status)),
        0 => "ok".to_owned(),
        errno => errno.to_string(),
    }
}
