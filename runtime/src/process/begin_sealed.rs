//! Sealing before the C library has begun.
//!
//! What this does is what [`Sealed::ensure`](super::Sealed::ensure) does, and whatever hinders it is left to that. It is only
//! sooner: a process that is to execute itself once more has no use for a C library, an allocator and a standard library that
//! are set up first, which takes longer than the sealing. (On a virtual machine, the C library's questions about the caches of
//! the processor alone take some 0.1 ms, because each `cpuid` instruction is answered by the hypervisor.)
//!
//! Nothing here may call a function of the C library, not even one that the compiler puts in (`memcpy`, `memcmp`): their
//! addresses are not known yet. Nor is there an `errno`, or anything else of a thread. So it is raw system calls, and loops.

use std::mem::MaybeUninit;
use std::ptr;

use super::raw_call::raw_call;
use super::sealed::{EXECUTABLE, SEAL, SEAL_SHOWN};
use super::system_call::{MountAttributes, OPEN_TREE_CLOEXEC, OPEN_TREE_CLONE};

/// How every name begins under which this program is itself: that of its file, as it is called.
const OWN_NAME: &[u8] = b"minirun";

/// `struct statfs` as the kernel fills it on machines of 64 bits: twelve words and four spare ones, of which this is that of the flags.
const FLAGS: usize = 10;

/// Executes this program once more from a mount that nobody can change, unless it runs from one already, is called by another
/// name, or with one of these first words. Returns when there is nothing to do, and when something hinders it.
///
/// # Safety
///
/// `stack` is where the kernel has put the number of arguments, the arguments, and the environment (System V ABI, "Process
/// Initialization").
pub unsafe fn begin_sealed(stack: *const usize, unsealed: &[&[u8]]) {
    // SAFETY: the caller says what lies there: a number, as many pointers, a null pointer, and the environment.
    let (arguments, environment) = unsafe { (stack.add(1), stack.add(*stack + 2)) };
    // SAFETY: each argument is a string that ends with a zero; where there are none, there is a null pointer.
    let called = unsafe {
        let name = *arguments as *const u8;
        if name.is_null() {
            return;
        }
        let word = *arguments.add(1) as *const u8;
        begins_with(last_part(name), OWN_NAME)
            && !word.is_null()
            && !unsealed.iter().any(|other| is(word, other))
    };
    if !called || is_sealed() {
        return;
    }
    let flags = (OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC) as usize;
    let here = libc::AT_FDCWD as usize;
    let empty = c"".as_ptr() as usize;
    let itself = libc::AT_EMPTY_PATH as usize;
    let opened = [here, EXECUTABLE.as_ptr() as usize, flags, 0, 0];
    // SAFETY: the path is a C string.
    let executable = unsafe { raw_call(libc::SYS_open_tree, &opened) };
    if executable < 0 {
        return;
    }
    let executable = executable as usize;
    let described = [
        executable,
        empty,
        itself,
        ptr::from_ref(&SEAL) as usize,
        size_of::<MountAttributes>(),
    ];
    let program = [
        executable,
        empty,
        arguments as usize,
        environment as usize,
        itself,
    ];
    // SAFETY: the path is a C string, the attributes outlive the calls, and the arguments and the environment are lists of strings
    // as the kernel itself has made them.
    unsafe {
        if raw_call(libc::SYS_mount_setattr, &described) == 0 {
            raw_call(libc::SYS_execveat, &program);
        }
        raw_call(libc::SYS_close, &[executable, 0, 0, 0, 0]);
    }
}

fn is_sealed() -> bool {
    let mut words: MaybeUninit<[u64; 16]> = MaybeUninit::uninit();
    let place = words.as_mut_ptr() as usize;
    // SAFETY: the path is a C string, and there is room for more than one `struct statfs`.
    let result = unsafe {
        raw_call(
            libc::SYS_statfs,
            &[EXECUTABLE.as_ptr() as usize, place, 0, 0, 0],
        )
    };
    if result != 0 {
        return false;
    }
    // SAFETY: the call has succeeded, so the kernel has written this word.
    let flags = unsafe { *words.as_ptr().cast::<u64>().add(FLAGS) };
    flags & SEAL_SHOWN == SEAL_SHOWN
}

/// What follows the last slash.
///
/// # Safety
/// The text ends with a zero.
unsafe fn last_part(text: *const u8) -> *const u8 {
    let mut part = text;
    let mut at = text;
    // SAFETY: nothing is read behind the zero.
    unsafe {
        while *at != 0 {
            if *at == b'/' {
                part = at.add(1);
            }
            at = at.add(1);
        }
    }
    part
}

/// Whether a text begins with a word.
///
/// # Safety
/// The text ends with a zero, and the word has none.
unsafe fn begins_with(text: *const u8, word: &[u8]) -> bool {
    let mut index = 0;
    while index < word.len() {
        // SAFETY: all before was equal to the word, which has no zero, so the text has not ended yet.
        if unsafe { *text.add(index) } != word[index] {
            return false;
        }
        index += 1;
    }
    true
}

/// Whether a text is a word.
///
/// # Safety
/// As `begins_with`.
unsafe fn is(text: *const u8, word: &[u8]) -> bool {
    // SAFETY: the text is at least as long as a word that it begins with.
    unsafe { begins_with(text, word) && *text.add(word.len()) == 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_program_is_the_last_part_of_its_path() {
        for (path, name) in [
            (c"/usr/bin/minirun", c"minirun"),
            (c"minirun-1.0", c"minirun-1.0"),
            (c"/", c""),
            (c"", c""),
        ] {
            // SAFETY: C strings end with a zero.
            let part = unsafe { std::ffi::CStr::from_ptr(last_part(path.as_ptr().cast()).cast()) };
            assert_eq!(part, name);
        }
    }

    #[test]
    fn a_word_is_told_from_what_only_begins_like_it() {
        // SAFETY: C strings end with a zero.
        let (is, begins) = unsafe {
            let whole = |text: &std::ffi::CStr| is(text.as_ptr().cast(), b"ps");
            let begin = |text: &std::ffi::CStr| begins_with(text.as_ptr().cast(), b"ps");
            let words = [c"ps", c"psx", c"p", c"", c"run"];
            (words.map(whole), words.map(begin))
        };
        assert_eq!(is, [true, false, false, false, false]);
        assert_eq!(begins, [true, true, false, false, false]);
    }

    #[test]
    fn a_test_is_not_sealed() {
        assert!(!is_sealed());
    }
}
