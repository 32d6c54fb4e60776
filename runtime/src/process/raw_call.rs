//! System calls that leave no trace in the memory of whoever makes them: not by way of the C library, which keeps `errno`.

use std::arch::asm;

/// A system call with up to five arguments: what it gives, or a negative error number.
///
/// # Safety
/// As the call. It is for those that leave the caller's stack alone.
#[cfg(target_arch = "x86_64")]
pub(crate) unsafe fn raw_call(number: libc::c_long, &[a, b, c, d, e]: &[usize; 5]) -> isize {
    let result;
    // SAFETY: the kernel leaves all other registers alone; the rest is the caller's.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number as isize => result,
            in("rdi") a,
            in("rsi") b,
            in("rdx") c,
            in("r10") d,
            in("r8") e,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    result
}

/// The same.
///
/// # Safety
/// The same.
#[cfg(target_arch = "aarch64")]
pub(crate) unsafe fn raw_call(number: libc::c_long, &[a, b, c, d, e]: &[usize; 5]) -> isize {
    let result;
    // SAFETY: the kernel leaves all other registers alone; the rest is the caller's.
    unsafe {
        asm!(
            "svc 0",
            in("x8") number,
            inlateout("x0") a as isize => result,
            in("x1") b,
            in("x2") c,
            in("x3") d,
            in("x4") e,
            options(nostack),
        );
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_answers_is_given_back() {
        // SAFETY: neither call takes a pointer; no process has so many descriptors.
        let (process, refused) = unsafe {
            (
                raw_call(libc::SYS_getpid, &[0; 5]),
                raw_call(libc::SYS_close, &[1 << 30, 0, 0, 0, 0]),
            )
        };
        assert_eq!(process, std::process::id() as isize);
        assert_eq!(refused, -(libc::EBADF as isize));
    }
}
