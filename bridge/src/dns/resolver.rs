//! Where queries go, however they came: answered at once, or with other servers until these have answered.

use std::time::Instant;

use simple_dns::RCODE;

use super::answer::{Decision, decide};
use super::connection::Outcome;
use super::exchange::{Client, Exchange, refusal};
use super::names::Names;
use super::upstream::Upstream;
use crate::random::random_bytes;

/// How many queries are with other servers at a time. Each holds a socket.
const MOST_EXCHANGES: usize = 256;

/// What is known, whom to ask, and what was asked.
pub(super) struct Resolver {
    pub(super) names: Box<dyn Names>,
    pub(super) upstream: Upstream,
    pub(super) exchanges: Vec<Exchange>,
}

impl Resolver {
    /// Takes in a client's message.
    pub(super) fn handle(&mut self, client: Client, message: &[u8], now: Instant) -> Outcome {
        // Without randomness the order of addresses stays, which is no reason to give no answer.
        let turn = random_bytes().map_or(0, u32::from_ne_bytes);
        match decide(message, client.transport(), &*self.names, turn) {
            Decision::Silence => Outcome::Nothing,
            Decision::Reply(reply) => Outcome::Reply(reply),
            Decision::Forward => self.forward(client, message, now),
        }
    }

    fn forward(&mut self, client: Client, message: &[u8], now: Instant) -> Outcome {
        let mut exchanges = self.exchanges.iter();
        // Only a datagram is sent again because nothing came; on a connection everything wants its own reply.
        if matches!(client, Client::Datagram(_))
            && exchanges.any(|exchange| exchange.is_about(client, message))
        {
            return Outcome::Nothing;
        }
        if self.exchanges.len() >= MOST_EXCHANGES {
            return Outcome::Reply(refusal(message, RCODE::Refused));
        }
        match Exchange::begin(client, message, &mut self.upstream, now) {
            Some(exchange) => {
                self.exchanges.push(exchange);
                Outcome::Later
            }
            None => Outcome::Reply(refusal(message, RCODE::ServerFailure)),
        }
    }

    /// Goes on with everything that is with other servers; the replies that have come.
    pub(super) fn collect(&mut self, now: Instant, buffer: &mut [u8]) -> Vec<(Client, Vec<u8>)> {
        let mut replies = Vec::new();
        let upstream = &self.upstream;
        self.exchanges.retain_mut(|exchange| {
            let reply = exchange.go_on(upstream, now, buffer);
            let goes_on = reply.is_none();
            replies.extend(reply.map(|reply| (exchange.client, reply)));
            goes_on
        });
        if self.exchanges.is_empty() {
            self.exchanges = Vec::new();
        }
        replies
    }

    /// Forgets what was asked for a connection that is gone.
    pub(super) fn forget(&mut self, number: u64) {
        self.exchanges
            .retain(|exchange| exchange.client != Client::Connection(number));
    }
}
