//! The command line of minirun: words in, words out.
//!
//! `main` first looks whether it was called by the name of one of the [`guest`] programs of the built-in image; if not, the
//! words are parsed ([`command_line`]) into one struct for each command ([`commands`]), which calls the runtime and shows
//! what it says ([`show`], [`output`]). Streams of attached containers go through [`relay`].
//!
//! Invariant: nothing is decided here that a user of the library would miss.

// Both panic when the reader has gone or the disk is full.
#![deny(clippy::print_stderr, clippy::print_stdout)]

mod ahead;
mod command_line;
mod commands;
mod context;
#[cfg(all(target_arch = "x86_64", target_feature = "crt-static"))]
mod entry;
mod failure;
mod guest;
mod log_lines;
mod narration;
mod output;
mod profiles;
mod relay;
mod show;
mod status_lines;
mod unsupported;
mod whole_file;

use failure::Failure;
use minirun_runtime::process::Sealed;
use nix::libc;
use nix::sys::signal::{SigHandler, SigSet, Signal, signal};
use nix::sys::stat::{Mode, umask};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut words = std::env::args_os();
    if let Some(program) = words.next().and_then(|name| guest::dispatch(&name)) {
        return program(&words.collect::<Vec<_>>());
    }
    // Later is soon enough, but costs the reading of the command line twice. What hinders it is told by the command that needs it.
    if !std::env::args_os()
        .nth(1)
        .is_some_and(|word| only_asks(&word))
    {
        let _ = Sealed::ensure();
    }
    protect_what_is_made();
    ask_for_memory_seldom();
    let outcome = take_usual_signals()
        .map_err(|error| Failure::own(format!("cannot set up signals: {error}")))
        .and_then(|()| command_line::run());
    match outcome {
        Ok(code) => code,
        Err(failure) => failure.show(),
    }
}

/// The first words of command lines that hardly ever make anything run.
const ASKING: &[&[u8]] = &[
    b"info",
    b"inspect",
    b"port",
    b"ps",
    b"version",
    b"--version",
];

/// Whether the command line begins with a command that hardly ever needs to be sealed.
fn only_asks(word: &OsStr) -> bool {
    ASKING.iter().any(|asking| word.as_bytes() == *asking)
}

/// Whatever mask of permissions the caller has, nobody else is to write to records, which root acts on.
fn protect_what_is_made() {
    let given = umask(Mode::S_IWGRP | Mode::S_IWOTH);
    umask(given | Mode::S_IWGRP | Mode::S_IWOTH);
}

/// How much memory is asked for at once, in bytes.
const PORTION: libc::c_int = 256 * 1024;

/// What is as large as the memory of a pipe comes from the kernel by itself, cleared and not yet there.
const LARGE: libc::c_int = 64 * 1024;

/// A command is short, so what it has freed it is better to keep than to give back and to ask for again.
fn ask_for_memory_seldom() {
    // SAFETY: mallopt(3) takes numbers, and touches no memory that is in use.
    unsafe {
        libc::mallopt(libc::M_TOP_PAD, PORTION);
        libc::mallopt(libc::M_TRIM_THRESHOLD, 2 * PORTION);
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE);
    }
}

/// Some callers pass on that they ignore SIGCHLD, and then no exit code could be learnt; or that they block signals, and
/// then neither Ctrl-C nor `kill` would be noticed.
fn take_usual_signals() -> nix::Result<()> {
    // SAFETY: the default disposition is no handler, so no code of ours can be interrupted.
    unsafe { signal(Signal::SIGCHLD, SigHandler::SigDfl) }?;
    SigSet::empty().thread_set_mask()
}
