//! A client's connection: any number of queries one after the other, with limits to what it can hold up.

use std::io;
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags};

use super::frame::{Filled, Incoming, Outgoing};

/// The longest query taken, in bytes. Real ones are some hundred bytes at most.
const LONGEST_QUERY: usize = 4096;

/// How long a connection may stay without a whole query or the end of a reply. Longer than others may take to answer.
const IDLE: Duration = Duration::from_secs(10);

/// How many queries of one connection are with other servers at a time; the next is read when one is back.
const MOST_PENDING: usize = 4;

/// How often one connection is read before others get their turn.
const READS_AT_ONCE: usize = 4;

/// A client's connection.
#[derive(Debug)]
pub(super) struct Connection {
    /// By which replies find back; never used twice.
    pub(super) number: u64,
    socket: TcpStream,
    incoming: Incoming,
    outgoing: Outgoing,
    until: Instant,
    /// How many queries are with others.
    pending: usize,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// The client will ask nothing more, but may wait for answers.
    Ended,
    /// Nothing more can be done for it.
    Broken,
}

/// What becomes of a query at once.
pub(super) enum Outcome {
    Reply(Vec<u8>),
    /// Others are asked.
    Later,
    Nothing,
}

impl Connection {
    pub(super) fn new(number: u64, socket: TcpStream, now: Instant) -> io::Result<Connection> {
        socket.set_nonblocking(true)?;
        Ok(Connection {
            number,
            socket,
            incoming: Incoming::new(LONGEST_QUERY),
            outgoing: Outgoing::default(),
            until: now + IDLE,
            pending: 0,
            state: State::Open,
        })
    }

    /// What to wait for. Nothing, not even the end of the connection, which would be reported again and again, while
    /// there is nothing to be done about it.
    pub(super) fn wanted(&self) -> Option<PollFd<'_>> {
        let direction = if !self.outgoing.is_empty() {
            PollFlags::POLLOUT
        } else if self.state == State::Open && self.pending < MOST_PENDING {
            PollFlags::POLLIN
        } else {
            return None;
        };
        Some(PollFd::new(self.socket.as_fd(), direction))
    }

    pub(super) fn deadline(&self) -> Instant {
        self.until
    }

    /// Whether it can be closed.
    pub(super) fn is_done(&self, now: Instant) -> bool {
        let served = self.outgoing.is_empty() && self.pending == 0;
        match self.state {
            State::Open => now >= self.until,
            State::Ended => served || now >= self.until,
            State::Broken => true,
        }
    }

    /// Takes the reply to a query that was with others.
    pub(super) fn give(&mut self, reply: &[u8], now: Instant) {
        self.pending = self.pending.saturating_sub(1);
        self.outgoing.push(reply);
        self.until = now + IDLE;
    }

    /// Sends, reads and has queries handled, as far as that goes now. A client that does not take its replies is not read.
    pub(super) fn go_on(&mut self, now: Instant, handle: impl FnMut(&[u8]) -> Outcome) {
        if self.try_to_go_on(now, handle).is_err() {
            self.state = State::Broken;
        }
    }

    fn try_to_go_on(
        &mut self,
        now: Instant,
        mut handle: impl FnMut(&[u8]) -> Outcome,
    ) -> io::Result<()> {
        let mut reads = 0;
        loop {
            self.outgoing.flush(&mut self.socket)?;
            if !self.outgoing.is_empty() || self.pending >= MOST_PENDING {
                return Ok(());
            }
            if let Some(message) = self.incoming.take()? {
                self.until = now + IDLE;
                match handle(&message) {
                    Outcome::Reply(reply) => self.outgoing.push(&reply),
                    Outcome::Later => self.pending += 1,
                    Outcome::Nothing => {}
                }
                continue;
            }
            if self.state != State::Open || reads == READS_AT_ONCE {
                return Ok(());
            }
            reads += 1;
            match self.incoming.fill(&mut self.socket)? {
                Filled::More => {}
                Filled::Waiting => return Ok(()),
                Filled::Ended => self.state = State::Ended,
            }
        }
    }
}
