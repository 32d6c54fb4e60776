//! How fast minirun is, beside the bare kernel and its peers: `benchmark --help` tells the options.
//!
//! The program calls itself as `benchmark floor …`, the other side of a comparison, and as `benchmark stopwatch`, which times both.

use std::env;
use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

use minirun_integration::benchmark::options::{self, Request};
use minirun_integration::benchmark::{self, bare, stopwatch};

fn main() -> ExitCode {
    let words: Vec<OsString> = env::args_os().skip(1).collect();
    match words.split_first() {
        Some((word, command)) if word == bare::WORD => be_the_floor(command),
        Some((word, [])) if word == stopwatch::WORD => be_the_stopwatch(stopwatch::serve()),
        _ => measure(&words),
    }
}

fn measure(words: &[OsString]) -> ExitCode {
    let words: Vec<String> = words
        .iter()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    match options::parse(&words) {
        Ok(Request::Help) => {
            print!("{}", options::HELP);
            ExitCode::SUCCESS
        }
        Ok(Request::Measure(options)) => match benchmark::run(&options) {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(message) => complain(&message, 1),
        },
        Err(message) => complain(&message, 2),
    }
}

/// The other side of the comparison is a process of its own, as minirun is.
fn be_the_floor(command: &[OsString]) -> ExitCode {
    match bare::run(command.to_vec()) {
        Ok(code) => ExitCode::from(u8::try_from(code).unwrap_or(125)),
        Err(error) => complain(&format!("the floor failed: {error}"), 125),
    }
}

fn be_the_stopwatch(ended: io::Result<()>) -> ExitCode {
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(&format!("the stopwatch failed: {error}"), 1),
    }
}

fn complain(message: &str, code: u8) -> ExitCode {
    eprintln!("error: {message}");
    ExitCode::from(code)
}
