//! A process on a test host that starts programs and says how long each took to its end.
//!
//! What is timed must not be the harness: it would move each child into the host's namespaces and control group, and the latter waits
//! for every processor. This process is there already, as a person's shell is, and starts all programs in the same way (`vfork` and
//! `execve`, output to `/dev/null`), whoever's they are.
//!
//! One JSON list of command lines comes in on a socket, `{"milliseconds": …, "complaints": […]}` goes out, until the socket is closed.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, Write};
use std::os::unix::fs::symlink;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use serde_json::{Value, json};

use crate::benchmark::findings::Trouble;
use crate::host::TestHost;
use crate::running::Running;

/// In the host's own `/run`.
const SOCKET: &str = "/run/test-host/stopwatch";

/// The benchmark itself, found by its name on the host.
const PROGRAM: &str = "/run/test-host/bin/benchmark";

/// The word by which the benchmark calls itself as this process.
pub const WORD: &str = "stopwatch";

/// The harness's end. Dropped, it ends the process.
#[derive(Debug)]
pub struct Stopwatch {
    connection: RefCell<BufReader<UnixStream>>,
    _process: Running,
}

impl Stopwatch {
    /// Starts it on a host, on which it can be only once.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    pub fn start(host: &TestHost) -> Self {
        let own = std::env::current_exe().expect("the running executable has a path");
        let listener = host.inside(|| {
            symlink(own, PROGRAM).expect("a host has one stopwatch");
            UnixListener::bind(SOCKET).expect("a host has one stopwatch")
        });
        let process = host.place().program(PROGRAM, WORD).spawn();
        let (connection, _) = listener.accept().expect("the stopwatch calls");
        Self {
            connection: RefCell::new(BufReader::new(connection)),
            _process: process,
        }
    }

    /// How long, in milliseconds, these programs take from the start of the first to the end of the last, all at the same time.
    ///
    /// # Errors
    ///
    /// What the first of those said that did not succeed.
    pub fn time(&self, commands: &[Vec<String>]) -> Result<f64, Trouble> {
        let broken = |error: io::Error| Trouble::Failed(format!("the stopwatch broke: {error}"));
        let mut connection = self.connection.borrow_mut();
        let request = format!("{}\n", json!(commands));
        connection
            .get_mut()
            .write_all(request.as_bytes())
            .map_err(broken)?;
        let mut line = String::new();
        connection.read_line(&mut line).map_err(broken)?;
        let answer: Value = serde_json::from_str(&line).map_err(|error| broken(error.into()))?;
        if let Some(complaint) = answer["complaints"][0].as_str() {
            return Err(Trouble::from_complaint(complaint));
        }
        answer["milliseconds"]
            .as_f64()
            .ok_or_else(|| Trouble::Failed("the stopwatch told no time".to_owned()))
    }
}

/// The process itself, until the harness closes the socket.
///
/// # Errors
///
/// If the socket breaks, or what comes is no list of command lines.
pub fn serve() -> io::Result<()> {
    let mut connection = BufReader::new(UnixStream::connect(SOCKET)?);
    let mut line = String::new();
    while connection.read_line(&mut line)? > 0 {
        let commands: Vec<Vec<String>> = serde_json::from_str(&line)?;
        let answer = format!("{}\n", run_together(&commands)?);
        connection.get_mut().write_all(answer.as_bytes())?;
        line.clear();
    }
    Ok(())
}

fn run_together(commands: &[Vec<String>]) -> io::Result<Value> {
    let mut prepared = Vec::new();
    for words in commands {
        let errors = tempfile::tempfile_in("/run/test-host")?;
        prepared.push((command(words, &errors)?, errors));
    }
    let begun = Instant::now();
    let mut children: Vec<Child> = Vec::new();
    for (command, _) in &mut prepared {
        children.push(command.spawn()?);
    }
    let mut statuses = Vec::new();
    for child in &mut children {
        statuses.push(child.wait()?);
    }
    let elapsed = begun.elapsed();
    let mut complaints = Vec::new();
    for (status, (_, errors)) in statuses.iter().zip(&mut prepared) {
        if !status.success() {
            complaints.push(complaint(errors)?);
        }
    }
    Ok(json!({"milliseconds": elapsed.as_secs_f64() * 1000.0, "complaints": complaints}))
}

fn command(words: &[String], errors: &File) -> io::Result<Command> {
    let (name, arguments) = words
        .split_first()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "a command has a name"))?;
    let mut command = Command::new(name);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(errors.try_clone()?);
    Ok(command)
}

fn complaint(errors: &mut File) -> io::Result<String> {
    let mut text = Vec::new();
    errors.rewind()?;
    errors.read_to_end(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
