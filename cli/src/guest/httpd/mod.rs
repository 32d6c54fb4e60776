//! `httpd`: a web server that shows who answered whom, so that a network can be seen working.
//!
//! Theory of operation
//!
//! 1. Every socket is bound before the first request is taken, so that a port that is taken ends the program at once ([`listen`]).
//! 2. Each TCP port has a thread that accepts; each connection has a thread of its own, and a connection beyond
//!    [`slots::MOST_CONNECTIONS`] waits in the kernel until another ends ([`slots`]).
//! 3. A connection serves request after request ([`connection`]); what is answered is decided in [`site`].
//! 4. The UDP ports send back what they get ([`udp_echo`]).
//!
//! The first socket that fails for good ends the program, because a server that serves half its ports would teach lies.

mod connection;
mod deadline;
mod listen;
mod request;
mod settings;
mod site;
mod slots;
mod static_files;
mod udp_echo;

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex};
use std::thread;

use self::listen::Listening;
use self::settings::Settings;
use self::site::Site;
use self::slots::Slots;
use self::static_files::StaticFiles;
use super::hostname::own_name;
use super::program::{Failure, Program, Status};
use super::reason::reason;
use super::signals;

const PROGRAM: Program = Program {
    name: "httpd",
    usage: "httpd [-p PORT]... [-u UDP_PORT]... [-h DIRECTORY] [-m TEXT]",
    misuse: 2,
};

/// Stack of a thread in bytes. Buffers are on the heap.
const STACK_SIZE: usize = 128 * 1024;

/// Runs `httpd`.
pub fn main(arguments: &[OsString]) -> ExitCode {
    PROGRAM.run(arguments, run)
}

fn run(arguments: &[OsString]) -> Result<Status, Failure> {
    let settings = Settings::parse(arguments)?;
    signals::end_when_asked()?;
    let listening: Vec<Listening> = [
        settings
            .tcp_ports
            .iter()
            .map(|port| listen::tcp(*port))
            .collect::<Result<Vec<_>, _>>()?,
        settings
            .udp_ports
            .iter()
            .map(|port| listen::udp(*port))
            .collect::<Result<Vec<_>, _>>()?,
    ]
    .into_iter()
    .flatten()
    .collect();
    let files = settings.directory.map(StaticFiles::open).transpose()?;
    let site = Arc::new(Site {
        name: own_name()?,
        text: settings.text,
        files,
        log: Mutex::new(Box::new(io::stdout())),
    });
    serve(listening, &site)
}

/// Serves all sockets until one of them fails for good.
fn serve(listening: Vec<Listening>, site: &Arc<Site>) -> Result<Status, Failure> {
    let (failed, failures) = mpsc::channel();
    let slots = Arc::new(Slots::default());
    for socket in &listening {
        site.log(&format!("listening on {socket}"));
    }
    for socket in listening {
        start(socket, Arc::clone(site), Arc::clone(&slots), failed.clone())
            .map_err(|error| Failure::new(format!("cannot start a thread: {}", reason(&error))))?;
    }
    drop(failed);
    Err(match failures.recv() {
        Ok(failure) => failure,
        Err(_) => Failure::new("nothing is left to be served".to_owned()),
    })
}

fn start(
    socket: Listening,
    site: Arc<Site>,
    slots: Arc<Slots>,
    failed: Sender<Failure>,
) -> io::Result<()> {
    let name = socket.to_string();
    let work = move || {
        let error = match socket {
            Listening::Tcp { listener, .. } => connection::accept_all(&listener, &site, &slots),
            Listening::Udp { socket, .. } => udp_echo::echo_all(&socket, &site),
        };
        let message = format!("cannot go on serving {name}: {}", reason(&error));
        // Nobody hears it only when the program is ending anyway.
        let _ = failed.send(Failure::new(message));
    };
    thread::Builder::new()
        .stack_size(STACK_SIZE)
        .spawn(work)
        .map(drop)
}

/// A server for the tests of its clients.
#[cfg(test)]
pub mod for_tests {
    use std::net::TcpListener;
    use std::sync::Mutex;

    use super::{Site, connection};

    /// Serves the next client of `listener` as the container `web1`.
    pub fn serve_one(listener: &TcpListener) {
        let site = Site {
            name: "web1".to_owned(),
            text: None,
            files: None,
            log: Mutex::new(Box::new(Vec::new())),
        };
        let (stream, _) = listener.accept().expect("no client came");
        connection::serve(&stream, &site).expect("the client left");
    }
}
