//! `--status-fd`: what becomes of a container, for programs: one line of JSON for each event, written to a descriptor of
//! the caller's.
//!
//! The descriptor is the command's alone: it is closed when a program is executed, and a monitor keeps nothing that it
//! was not given. So whoever reads the other end sees it close when the command ends. Each line is one `write(2)`. Nobody has
//! to read them: that a line could not be written is told once, and changes nothing else.

use crate::failure::{Failure, complain};
use crate::show::moment::seconds;
use jiff::Timestamp;
use minirun_runtime::config::ContainerConfig;
use minirun_runtime::container_state::ExitRecord;
use minirun_runtime::report::Report;
use minirun_runtime::run_usage::{MeasuredMemory, RunUsage};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::write;
use serde::Serialize;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};

/// Where the lines go, if anywhere.
pub struct StatusLines {
    output: Option<OwnedFd>,
}

/// One line.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum Line<'a> {
    Created {
        id: String,
        name: String,
    },
    Started {
        id: String,
        name: String,
        pid: i32,
        time: Timestamp,
    },
    Exited(Exited<'a>),
    Failed {
        error: String,
        code: u8,
    },
}

/// How a run ended.
#[derive(Debug, Serialize)]
struct Exited<'a> {
    id: String,
    name: String,
    code: i32,
    signal: Option<i32>,
    oom: bool,
    timed_out: bool,
    error: Option<&'a str>,
    started: Timestamp,
    finished: Timestamp,
    wall_seconds: Option<f64>,
    user_seconds: Option<f64>,
    system_seconds: Option<f64>,
    peak_memory_bytes: Option<u64>,
    peak_memory_of: Option<MeasuredMemory>,
    refused_processes: Option<u64>,
}

impl StatusLines {
    /// Takes the descriptor of this number, which the caller must have opened for writing.
    pub fn open(number: Option<RawFd>) -> Result<StatusLines, Failure> {
        let output = number.map(take).transpose()?;
        Ok(StatusLines { output })
    }

    /// Whether anybody wants them.
    pub fn are_wanted(&self) -> bool {
        self.output.is_some()
    }

    /// Tells that there is a container.
    pub fn created(&mut self, config: &ContainerConfig) {
        self.write(|| Line::Created {
            id: config.id.to_string(),
            name: config.name.to_string(),
        });
    }

    /// Tells what a monitor has reported, if that is about the container's life.
    pub fn hear(&mut self, config: &ContainerConfig, report: &Report) {
        match report {
            Report::Started { pid, since } => self.write(|| Line::Started {
                id: config.id.to_string(),
                name: config.name.to_string(),
                pid: *pid,
                time: *since,
            }),
            Report::Exited(end) => self.write(|| Line::Exited(exited(config, end))),
            Report::Step { .. } | Report::Warned { .. } | Report::Failed { .. } => {}
        }
    }

    /// Tells why there is nothing more to tell.
    pub fn failed(&mut self, failure: &Failure) {
        self.write(|| Line::Failed {
            error: failure.to_string(),
            code: failure.code(),
        });
    }

    fn write<'a>(&mut self, line: impl FnOnce() -> Line<'a>) {
        let Some(output) = &self.output else {
            return;
        };
        let written = serde_json::to_vec(&line())
            .map_err(|error| error.to_string())
            .and_then(|mut text| {
                text.push(b'\n');
                write_whole(output.as_fd(), &text).map_err(|error| error.desc().to_owned())
            });
        if let Err(error) = written {
            self.output = None;
            complain(
                "warning",
                &format!("cannot write to `--status-fd`: {error}"),
            );
        }
    }
}

fn exited<'a>(config: &ContainerConfig, end: &'a ExitRecord) -> Exited<'a> {
    let usage = end.usage.as_ref();
    let time = |of: fn(&RunUsage) -> std::time::Duration| usage.map(|usage| seconds(of(usage)));
    Exited {
        id: config.id.to_string(),
        name: config.name.to_string(),
        code: end.exit_code,
        signal: end.signal,
        oom: end.oom_killed,
        timed_out: end.timed_out(),
        error: end.error.as_deref(),
        started: end.started,
        finished: end.finished,
        wall_seconds: time(|usage| usage.wall),
        user_seconds: time(|usage| usage.user),
        system_seconds: time(|usage| usage.system),
        peak_memory_bytes: usage.map(|usage| usage.peak_memory),
        peak_memory_of: usage.map(|usage| usage.peak_memory_of),
        refused_processes: usage.and_then(|usage| usage.refused_processes),
    }
}

/// A copy of the descriptor that no program inherits; nor does one inherit the original.
fn take(number: RawFd) -> Result<OwnedFd, Failure> {
    let refused = |problem: &str| {
        Failure::own(format!("descriptor {number} of `--status-fd` {problem}")).with_hint(format!(
            "open it for writing, such as with `{number}>status` in a shell"
        ))
    };
    // SAFETY: asking for the flags of a number touches no memory; one that is not open is an error.
    let flags = Errno::result(unsafe { libc::fcntl(number, libc::F_GETFL) })
        .map_err(|_| refused("is not open"))?;
    if OFlag::from_bits_truncate(flags) & OFlag::O_ACCMODE == OFlag::O_RDONLY {
        return Err(refused("is not open for writing"));
    }
    // SAFETY: it is open, as was just seen, and nothing in this process closes what it was started with.
    let inherited = unsafe { BorrowedFd::borrow_raw(number) };
    let copied = inherited.try_clone_to_owned();
    let copy = copied.map_err(|error| refused(&format!("cannot be copied: {error}")))?;
    if number > libc::STDERR_FILENO {
        fcntl(inherited, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))
            .map_err(|error| refused(&format!("cannot be kept: {}", error.desc())))?;
    }
    Ok(copy)
}

/// Writes everything, if need be in parts, also to what somebody has made not to wait.
fn write_whole(output: BorrowedFd<'_>, mut text: &[u8]) -> nix::Result<()> {
    while !text.is_empty() {
        match write(output, text) {
            Ok(length) => text = &text[length..],
            Err(Errno::EINTR) => {}
            Err(Errno::EAGAIN) => {
                let mut question = [PollFd::new(output, PollFlags::POLLOUT)];
                match poll(&mut question, PollTimeout::NONE) {
                    Ok(_) | Err(Errno::EINTR) => {}
                    Err(error) => return Err(error),
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::signal::{SigSet, Signal};
    use std::io::{self, Read};
    use std::os::fd::AsRawFd;

    #[test]
    fn a_descriptor_that_cannot_be_written_to_is_refused() {
        let message = |number| match StatusLines::open(Some(number)) {
            Ok(_) => panic!("{number} was taken"),
            Err(failure) => (failure.to_string(), failure.code()),
        };
        let expected = "descriptor 4000 of `--status-fd` is not open";
        assert_eq!(message(4000), (expected.to_owned(), 125));
        let (reader, _writer) = io::pipe().unwrap();
        let (text, _) = message(reader.as_raw_fd());
        assert!(text.ends_with("is not open for writing"), "{text}");
        assert!(message(-1).0.ends_with("is not open"));
    }

    #[test]
    fn a_failure_is_a_line() {
        let (mut reader, writer) = io::pipe().unwrap();
        let mut lines = StatusLines::open(Some(writer.as_raw_fd())).unwrap();
        lines.failed(&Failure::own("there is no image `x`"));
        drop((lines, writer));
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        let expected = "{\"event\":\"failed\",\"error\":\"there is no image `x`\",\"code\":125}\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_reader_that_has_gone_ends_the_lines_and_nothing_else() {
        // It is ignored in every Rust program, but not in tests.
        let broken_pipe = SigSet::from_iter([Signal::SIGPIPE]);
        broken_pipe.thread_block().expect("it can be blocked");
        let (reader, writer) = io::pipe().unwrap();
        let mut lines = StatusLines::open(Some(writer.as_raw_fd())).unwrap();
        drop(reader);
        // A child that another test has just forked has a copy of the reader for a moment.
        let mut question = [PollFd::new(writer.as_fd(), PollFlags::empty())];
        poll(&mut question, PollTimeout::NONE).expect("it hangs up");
        lines.failed(&Failure::own("nobody hears this"));
        assert!(!lines.are_wanted());
    }
}
