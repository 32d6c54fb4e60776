//! The command line of minirun: words in, words out.
//!
//! `main` first looks whether it was called by the name of one of the [`guest`] programs of the built-in image; if not, the
//! words are parsed ([`command_line`]) into one struct for each command ([`commands`]), which calls the runtime and shows
//! what it says ([`show`], [`output`]). Streams of attached containers go through [`relay`].
//!
//! Invariant: nothing is decided here that a user of the library would miss.

mod command_line;
mod commands;
mod context;
mod failure;
mod guest;
mod narration;
mod output;
mod relay;
mod show;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut words = std::env::args_os();
    if let Some(program) = words.next().and_then(|name| guest::dispatch(&name)) {
        return program(&words.collect::<Vec<_>>());
    }
    match command_line::run() {
        Ok(code) => code,
        Err(failure) => failure.show(),
    }
}
