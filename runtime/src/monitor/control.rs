//! Where commands tell a monitor that they want something of it.
//!
//! A command connects, says one word, with which it may send descriptors, and waits for the answer: nothing if all is well,
//! else what went wrong. Only root can enter the directory of the socket. A command that says nothing is not waited for
//! long.

use super::MonitorStreams;
use crate::container_state::{CONTROL, ContainerPaths};
use crate::descriptors::{receive, send};
use crate::error::RuntimeError;
use crate::report::Reporter;
use crate::terminal::Terminal;
use nix::sys::socket::MsgFlags;
use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind, PipeWriter, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::time::Duration;

/// How long a command may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long a monitor may take to do it. One that ends closes the connection, so nobody waits for a dead one.
const ANSWER_PATIENCE: Duration = Duration::from_secs(30);

/// How often a command asks again that was too slow to say what it wants.
const ASKED_AGAIN: u32 = 10;

/// "Look at the networks again."
const NETWORKS_CHANGED: u8 = b'n';

/// "Look at the time limit again."
const TIME_LIMIT_CHANGED: u8 = b'l';

/// "Tell me as well", with a socket for reports and the pipes for output, of which a terminal has one.
const ATTACH: u8 = b'a';

/// "Keep this", with the master of a terminal.
const KEEP_TERMINAL: u8 = b't';

/// What a command wants.
pub(super) enum Request {
    /// That a change of the networks is followed.
    FollowNetworks,
    /// That a change of the time limit is followed.
    FollowTimeLimit,
    /// To hear what the program writes, and how it ends.
    Attach {
        reporter: Reporter,
        stdout: PipeWriter,
        stderr: Option<PipeWriter>,
    },
    /// That a terminal does not hang up, although nobody looks at it.
    KeepTerminal(OwnedFd),
}

impl Request {
    fn understand(word: u8, descriptors: Vec<OwnedFd>) -> Option<Request> {
        let mut descriptors = descriptors.into_iter();
        Some(match word {
            NETWORKS_CHANGED => Request::FollowNetworks,
            TIME_LIMIT_CHANGED => Request::FollowTimeLimit,
            ATTACH => Request::Attach {
                reporter: Reporter::from(descriptors.next()?),
                stdout: descriptors.next()?.into(),
                stderr: descriptors.next().map(PipeWriter::from),
            },
            KEEP_TERMINAL => Request::KeepTerminal(descriptors.next()?),
            _ => return None,
        })
    }
}

/// The monitor's end.
#[derive(Debug)]
pub(super) struct Control {
    listener: UnixListener,
}

impl Control {
    /// Begins to listen.
    pub(super) fn open(paths: &ContainerPaths) -> Result<Control, RuntimeError> {
        let path = paths.control();
        let bind = || {
            let (_directory, short) = short_path(paths)?;
            let listener = UnixListener::bind(&short)?;
            listener.set_nonblocking(true)?;
            // Also where the directory was made by somebody with another mind.
            fs::set_permissions(&short, Permissions::from_mode(0o600))?;
            Ok(listener)
        };
        let listener =
            bind().map_err(|error: io::Error| RuntimeError::file("bind", &path, error))?;
        Ok(Control { listener })
    }

    /// What to wait for.
    pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }

    /// Hears what a command wants, does it, and answers. A command that went away needs no answer.
    pub(super) fn hear(&self, obey: impl FnOnce(Request) -> Result<(), RuntimeError>) {
        let Ok((mut command, _)) = self.listener.accept() else {
            return;
        };
        let _ = serve(&mut command, obey);
    }
}

fn serve(
    command: &mut UnixStream,
    obey: impl FnOnce(Request) -> Result<(), RuntimeError>,
) -> io::Result<()> {
    command.set_nonblocking(false)?;
    command.set_read_timeout(Some(PATIENCE))?;
    command.set_write_timeout(Some(PATIENCE))?;
    let mut word = [0];
    let (length, descriptors) = receive(command.as_fd(), &mut word)?;
    if length == 0 {
        return Ok(());
    }
    let answer = match Request::understand(word[0], descriptors) {
        Some(request) => obey(request).err().map(|error| error.to_string()),
        None => Some("unknown request".into()),
    };
    command.write_all(answer.unwrap_or_default().as_bytes())
}

/// The socket by a path that is short however deep the state directory is: addresses of sockets have 108 bytes (unix(7)). It
/// leads there as long as the directory is held open.
fn short_path(paths: &ContainerPaths) -> io::Result<(File, PathBuf)> {
    let directory = File::open(&paths.state)?;
    let number = directory.as_raw_fd();
    Ok((
        directory,
        format!("/proc/self/fd/{number}/{CONTROL}").into(),
    ))
}

/// Tells the monitor of a running container that its networks have changed, and waits until it has followed. The answer is
/// what went wrong, if something did.
///
/// # Errors
/// When the monitor cannot be reached.
pub(crate) fn tell_networks_changed(paths: &ContainerPaths) -> io::Result<Option<String>> {
    ask(paths, NETWORKS_CHANGED, &[])
}

/// Tells the monitor of a running container that its time limit has changed, in the same way.
///
/// # Errors
/// When the monitor cannot be reached.
pub(crate) fn tell_time_limit_changed(paths: &ContainerPaths) -> io::Result<Option<String>> {
    ask(paths, TIME_LIMIT_CHANGED, &[])
}

/// Asks the monitor to pass output and news on to this command as well. It then reports the start of the program once more.
///
/// # Errors
/// When the monitor cannot be reached.
pub(crate) fn ask_to_attach(
    paths: &ContainerPaths,
    (streams, reporter): (&MonitorStreams, &Reporter),
) -> io::Result<Option<String>> {
    let outputs = [&streams.stdout, &streams.stderr];
    let descriptors: Vec<BorrowedFd<'_>> = [reporter.as_fd()]
        .into_iter()
        .chain(outputs.into_iter().flatten().map(AsFd::as_fd))
        .collect();
    ask(paths, ATTACH, &descriptors)
}

/// Asks the monitor to keep a terminal.
///
/// # Errors
/// When the monitor cannot be reached.
pub(crate) fn ask_to_keep(
    paths: &ContainerPaths,
    terminal: &Terminal,
) -> io::Result<Option<String>> {
    ask(paths, KEEP_TERMINAL, &[terminal.as_fd()])
}

/// Asks until the monitor has heard: it hangs up on whoever says nothing for a while, as a command on a busy host may. One
/// that has ended refuses the next connection.
fn ask(
    paths: &ContainerPaths,
    word: u8,
    descriptors: &[BorrowedFd<'_>],
) -> io::Result<Option<String>> {
    for _ in 0..ASKED_AGAIN {
        match ask_once(paths, word, descriptors) {
            Err(error) if is_hung_up(&error) => {}
            answer => return answer,
        }
    }
    ask_once(paths, word, descriptors)
}

fn is_hung_up(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::BrokenPipe | ErrorKind::ConnectionReset
    )
}

fn ask_once(
    paths: &ContainerPaths,
    word: u8,
    descriptors: &[BorrowedFd<'_>],
) -> io::Result<Option<String>> {
    let (_directory, short) = short_path(paths)?;
    let mut monitor = UnixStream::connect(short)?;
    monitor.set_read_timeout(Some(ANSWER_PATIENCE))?;
    send(
        monitor.as_fd(),
        (&[word], descriptors),
        MsgFlags::MSG_NOSIGNAL,
    )?;
    let mut answer = String::new();
    monitor.read_to_string(&mut answer)?;
    Ok((!answer.is_empty()).then_some(answer))
}
