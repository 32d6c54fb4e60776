//! The options of commands that attach the user to a program.

use super::switch::parse_switch;
use crate::failure::Failure;
use crate::relay::{DetachKeys, Manners, SignalProxy, require_terminal};
use crate::status_lines::StatusLines;
use clap::Args;
use minirun_runtime::streams::Attachment;
use std::os::fd::RawFd;

/// The keys by which a terminal is left.
#[derive(Debug, Args)]
pub struct DetachOptions {
    /// Keys that leave a terminal while its program goes on, such as `ctrl-a,d` [default: ctrl-p,ctrl-q]
    #[arg(long, value_name = "KEYS")]
    detach_keys: Option<DetachKeys>,
}

/// Where events are told to programs.
#[derive(Debug, Args)]
pub struct StatusOptions {
    /// Write what becomes of the container to this open descriptor, as lines of JSON
    #[arg(long, value_name = "NUMBER", value_parser = descriptor)]
    status_fd: Option<RawFd>,
}

fn descriptor(word: &str) -> Result<RawFd, String> {
    word.parse()
        .ok()
        .filter(|number| *number >= 0)
        .ok_or_else(|| {
            format!("`{word}` is no descriptor: write the number of an open one, such as 3")
        })
}

/// Whether signals are passed on.
#[derive(Debug, Args)]
pub struct ProxyOptions {
    /// Pass signals on to the program; else they end this command only [default: true]
    #[arg(
        long,
        value_name = "true|false",
        value_parser = parse_switch,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true"
    )]
    sig_proxy: Option<bool>,
}

impl DetachOptions {
    /// How the user wants to be attached.
    pub fn manners(&self, signals: SignalProxy) -> Manners {
        Manners {
            detach_keys: self.detach_keys.clone().unwrap_or_default(),
            signals,
        }
    }
}

impl StatusOptions {
    /// The lines, for a descriptor that must be open.
    pub fn open(&self) -> Result<StatusLines, Failure> {
        StatusLines::open(self.status_fd)
    }
}

impl ProxyOptions {
    /// What becomes of signals.
    pub fn proxy(&self) -> SignalProxy {
        SignalProxy::of(self.sig_proxy.unwrap_or(true))
    }
}

/// What a user can only type must come from a terminal.
pub fn check_input(attachment: Attachment, terminal: bool) -> Result<(), Failure> {
    match (attachment, terminal) {
        (Attachment::OutputAndInput, true) => require_terminal(),
        _ => Ok(()),
    }
}
