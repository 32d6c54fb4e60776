//! Requests on connections of their own, in a number that is known: what a packet filter costs is paid at the first packet of each.
//!
//! A server thread answers as soon as it has read anything; a client closes with a reset, so that no address is kept waiting on either
//! side and connection tracking can forget quickly.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::socket::{setsockopt, sockopt};

use crate::place::Place;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n";
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n";

/// As many ask at the same time, so that all processors have something to do.
const CLIENTS: usize = 4;

/// How long one request may take; on a busy machine it is a few milliseconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// Serves at a port of a place for as long as this process lives.
///
/// # Errors
///
/// If the port cannot be had.
pub fn serve(place: &Place, port: u16) -> io::Result<()> {
    let listener = place.inside(|| TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)))?;
    for _ in 0..CLIENTS {
        let listener = listener.try_clone()?;
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A client that broke off was counted by itself.
                answer(stream).ok();
            }
        });
    }
    Ok(())
}

/// Makes about `count` requests from a place and says how many were answered in a second.
///
/// # Errors
///
/// The first that was not answered.
pub fn requests_per_second(place: &Place, target: SocketAddrV4, count: usize) -> io::Result<f64> {
    let each = count.div_ceil(CLIENTS);
    let elapsed = place.inside(|| {
        thread::scope(|scope| {
            let begun = Instant::now();
            let clients: Vec<_> = (0..CLIENTS)
                .map(|_| scope.spawn(move || (0..each).try_for_each(|_| ask(target))))
                .collect();
            for client in clients {
                client
                    .join()
                    .map_err(|_| io::Error::other("a client panicked"))??;
            }
            io::Result::Ok(begun.elapsed())
        })
    })?;
    Ok((each * CLIENTS) as f64 / elapsed.as_secs_f64())
}

fn ask(target: SocketAddrV4) -> io::Result<()> {
    let mut stream = TcpStream::connect_timeout(&target.into(), PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let reset = libc::linger {
        l_onoff: 1,
        l_linger: 0,
    };
    setsockopt(&stream, sockopt::Linger, &reset)?;
    stream.write_all(REQUEST)?;
    let mut answer = [0; ANSWER.len()];
    stream.read_exact(&mut answer)?;
    if answer == *ANSWER {
        return Ok(());
    }
    Err(io::Error::other("somebody else answered"))
}

fn answer(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = [0; 256];
    stream.set_read_timeout(Some(PATIENCE))?;
    if stream.read(&mut buffer)? > 0 {
        stream.write_all(ANSWER)?;
        // Until the client has gone: who closes first has the port kept waiting.
        io::copy(&mut stream, &mut io::sink())?;
    }
    Ok(())
}
