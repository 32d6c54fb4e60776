//! One query that others are asked about, from server to server until one has an answer.

use std::net::SocketAddr;
use std::time::{Duration, Instant};
use std::vec::IntoIter;

use nix::poll::PollFd;
use simple_dns::RCODE;

use super::channel::{Channel, Heard};
use super::message::{HEADER, LONGEST, is_response, number, question_end, response_code, set_id};
use super::query::{Query, Transport};
use super::reply::{OUR_DATAGRAM, failure, truncated};
use super::upstream::Upstream;
use crate::random::random_bytes;

/// How long one server may take. Three of them then take less than the five seconds after which resolver libraries ask
/// again (resolv.conf(5), `timeout`).
const PATIENCE: Duration = Duration::from_millis(1500);

/// How many messages of one server are looked at before others get their turn.
const MESSAGES_AT_ONCE: usize = 16;

/// Who asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Client {
    /// By a datagram from this address.
    Datagram(SocketAddr),
    /// On the connection of this number.
    Connection(u64),
}

impl Client {
    pub(super) fn transport(self) -> Transport {
        match self {
            Client::Datagram(_) => Transport::Udp,
            Client::Connection(_) => Transport::Tcp,
        }
    }
}

/// A query that was passed on.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) client: Client,
    message: Vec<u8>,
    /// The servers that were not asked yet.
    servers: IntoIter<SocketAddr>,
    attempt: Attempt,
}

/// The query at one server.
#[derive(Debug)]
struct Attempt {
    channel: Channel,
    id: [u8; 2],
    until: Instant,
}

/// What a message from a server means.
enum Verdict {
    PassOn,
    AskNext,
    Ignore,
}

impl Exchange {
    /// Asks the first server that can be asked; none if there is none.
    pub(super) fn begin(
        client: Client,
        message: &[u8],
        upstream: &mut Upstream,
        now: Instant,
    ) -> Option<Exchange> {
        let mut servers = upstream.servers().into_iter();
        let attempt = attempt(&mut servers, client, message, upstream, now)?;
        Some(Exchange {
            client,
            message: message.to_vec(),
            servers,
            attempt,
        })
    }

    /// Whether this is the same query, asked once more because the answer takes its time.
    pub(super) fn is_about(&self, client: Client, message: &[u8]) -> bool {
        self.client == client && self.message == message
    }

    pub(super) fn wanted(&self) -> PollFd<'_> {
        self.attempt.channel.wanted()
    }

    pub(super) fn deadline(&self) -> Instant {
        self.attempt.until
    }

    /// The reply, if there is one now: a server's answer or the message that there will be none.
    pub(super) fn go_on(
        &mut self,
        upstream: &Upstream,
        now: Instant,
        buffer: &mut [u8],
    ) -> Option<Vec<u8>> {
        for _ in 0..MESSAGES_AT_ONCE {
            let answer = match self.attempt.channel.go_on(buffer) {
                Ok(Heard::Nothing) if now < self.attempt.until => return None,
                Ok(Heard::Nothing) | Err(_) => None,
                Ok(Heard::Message(answer)) => Some((answer, LONGEST)),
                Ok(Heard::TooLong(beginning)) => Some((beginning, 0)),
            };
            if let Some((answer, longest)) = answer {
                match self.judge(&answer) {
                    Verdict::PassOn => return Some(self.reply(answer, longest)),
                    // What does not count must not buy time either.
                    Verdict::Ignore if now < self.attempt.until => continue,
                    Verdict::Ignore | Verdict::AskNext => {}
                }
            }
            let (client, message) = (self.client, &self.message);
            match attempt(&mut self.servers, client, message, upstream, now) {
                Some(next) => self.attempt = next,
                None => return Some(refusal(message, RCODE::ServerFailure)),
            }
        }
        None
    }

    /// Whether a message answers our question, and not with an excuse.
    fn judge(&self, answer: &[u8]) -> Verdict {
        let code = response_code(answer);
        let is_excuse = code == RCODE::ServerFailure as u8 || code == RCODE::Refused as u8;
        let is_ours = answer.len() >= HEADER
            && answer[..2] == self.attempt.id
            && is_response(answer)
            && (is_same_question(answer, &self.message)
                // A server that could not read the question need not repeat it.
                || (code != 0 && number(answer, 4) == Some(0)));
        match (is_ours, is_excuse) {
            (false, _) => Verdict::Ignore,
            (true, true) => Verdict::AskNext,
            (true, false) => Verdict::PassOn,
        }
    }

    /// The answer as the client gets it: with its own id, and not longer than it wants.
    fn reply(&self, mut answer: Vec<u8>, longest: usize) -> Vec<u8> {
        set_id(&mut answer, [self.message[0], self.message[1]]);
        let Ok(query) = Query::read(&self.message) else {
            return answer;
        };
        let wanted = match query.edns {
            // The server got the client's own words about this, so no limit of ours comes on top of them.
            Some(edns) => query.longest_reply(self.client.transport(), edns.size),
            None => query.longest_reply(self.client.transport(), OUR_DATAGRAM),
        };
        if answer.len() <= wanted.min(longest) {
            return answer;
        }
        truncated(&query).unwrap_or(answer)
    }
}

/// The reply that a message gets when nobody can help. Only a message that was read before is passed on at all, so the
/// empty reply for others is never sent.
pub(super) fn refusal(message: &[u8], code: RCODE) -> Vec<u8> {
    Query::read(message)
        .ok()
        .and_then(|query| failure(&query, code))
        .unwrap_or_default()
}

/// Asks the next server that can be asked.
fn attempt(
    servers: &mut IntoIter<SocketAddr>,
    client: Client,
    message: &[u8],
    upstream: &Upstream,
    now: Instant,
) -> Option<Attempt> {
    servers.find_map(|server| {
        let id = random_bytes().ok()?;
        let mut question = message.to_vec();
        set_id(&mut question, id);
        let channel = upstream.ask(server, client.transport(), &question).ok()?;
        let until = now + PATIENCE;
        Some(Attempt { channel, id, until })
    })
}

/// Whether two messages ask the same; servers may change the case of letters.
fn is_same_question(answer: &[u8], query: &[u8]) -> bool {
    let (Some(end), Some(1)) = (question_end(query), number(answer, 4)) else {
        return false;
    };
    let question = |message: &[u8]| Some(message.get(HEADER..end)?.to_ascii_lowercase());
    question(answer) == question(query)
}
