//! Where commands tell a monitor that something has changed for its container.
//!
//! A command connects, says one word and waits for the answer: nothing if all is well, else what went wrong. Only root can
//! enter the directory of the socket. A command that says nothing is not waited for long.

use crate::container_state::{CONTROL, ContainerPaths};
use crate::error::RuntimeError;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::time::Duration;

/// How long a command may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long a monitor may take to follow.
const ANSWER_PATIENCE: Duration = Duration::from_secs(3);

/// The one thing that can be said: look at the networks again.
const NETWORKS_CHANGED: u8 = b'n';

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
            let listener = UnixListener::bind(short)?;
            listener.set_nonblocking(true)?;
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

    /// Hears what a command has to say, does it, and answers. A command that went away needs no answer.
    pub(super) fn hear(&self, follow: impl FnOnce() -> Result<(), RuntimeError>) {
        let Ok((mut command, _)) = self.listener.accept() else {
            return;
        };
        let _ = serve(&mut command, follow);
    }
}

fn serve(
    command: &mut UnixStream,
    follow: impl FnOnce() -> Result<(), RuntimeError>,
) -> io::Result<()> {
    command.set_nonblocking(false)?;
    command.set_read_timeout(Some(PATIENCE))?;
    command.set_write_timeout(Some(PATIENCE))?;
    let mut word = [0];
    command.read_exact(&mut word)?;
    let answer = match word[0] {
        NETWORKS_CHANGED => follow().err().map(|error| error.to_string()),
        _ => Some("unknown request".into()),
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
    let (_directory, short) = short_path(paths)?;
    let mut monitor = UnixStream::connect(short)?;
    monitor.set_read_timeout(Some(ANSWER_PATIENCE))?;
    monitor.write_all(&[NETWORKS_CHANGED])?;
    let mut answer = String::new();
    monitor.read_to_string(&mut answer)?;
    Ok((!answer.is_empty()).then_some(answer))
}
