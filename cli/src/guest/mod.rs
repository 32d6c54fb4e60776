//! The small programs that minirun plays inside the built-in `demo` image, where it lies under their names.
//!
//! A container of that image holds nothing else: no shell, no library. So each program does without both, is content to
//! be process 1, and says what it does in words that can be read from a projector. They are asked for before anything else
//! in `main`, because under these names minirun is not minirun.
//!
//! One file per program; what several need is in `program`, `reason`, `options`, `signals`,
//! `hosts_file` and `http`.

mod cat;
mod echo;
mod environment;
mod falsehood;
mod hostname;
mod hosts_file;
mod http;
mod httpd;
mod options;
mod program;
mod reason;
#[cfg(test)]
mod scratch_network;
mod signals;
mod sleep;
mod truth;
mod wget;

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;

/// A program's entry: the arguments that follow its name in, the status it ends with out.
pub type Main = fn(&[OsString]) -> ExitCode;

/// The program that the last part of `argv0` names, or nothing if minirun was called as itself.
pub fn dispatch(argv0: &OsStr) -> Option<Main> {
    match Path::new(argv0).file_name()?.to_str()? {
        "cat" => Some(cat::main),
        "echo" => Some(echo::main),
        "env" => Some(environment::main),
        "false" => Some(falsehood::main),
        "hostname" => Some(hostname::main),
        "httpd" => Some(httpd::main),
        "sleep" => Some(sleep::main),
        "true" => Some(truth::main),
        "wget" => Some(wget::main),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_by_the_last_part_of_its_path() {
        assert!(dispatch(OsStr::new("/bin/httpd")).is_some());
        assert!(dispatch(OsStr::new("wget")).is_some());
    }

    #[test]
    fn under_its_own_name_minirun_is_no_guest() {
        for name in ["/bin/minirun", "minirun", "", "/", "envy", "httpd/.."] {
            assert!(dispatch(OsStr::new(name)).is_none(), "{name}");
        }
    }
}
