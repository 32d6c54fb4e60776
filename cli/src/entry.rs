//! Where the kernel begins this program, before the C library does (`build.rs` says so to the linker).
//!
//! All that is done here is to run from where a container cannot write, if that is not so yet; then the program begins as any
//! other does.

use crate::ASKING;
use minirun_runtime::process::begin_sealed;
use std::arch::global_asm;

// The C library expects the stack as the kernel has left it, and in rdx what the kernel has left there. The registers that keep
// both are those that a function leaves as they were.
global_asm!(
    ".globl minirun_entry",
    ".type minirun_entry, @function",
    "minirun_entry:",
    "mov r12, rsp",
    "mov r13, rdx",
    "mov rdi, rsp",
    "xor ebp, ebp",
    "call {begin}",
    "mov rsp, r12",
    "mov rdx, r13",
    "jmp _start",
    begin = sym begin,
);

extern "C" fn begin(stack: *const usize) {
    // SAFETY: this is what the kernel has left on the stack, and nothing was pushed before it was looked at.
    unsafe { begin_sealed(stack, ASKING) };
}
