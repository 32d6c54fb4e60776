//! The connection to the kernel's network configuration of one namespace.
//!
//! # Theory of operation
//!
//! 1. The socket blocks and is connected to the kernel. No thread and no event loop is needed: the kernel has worked through a
//!    datagram when `send` returns.
//! 2. Requests that belong together leave in one datagram (`request_each`). The kernel works through them in their order, and
//!    does not stop at one that fails.
//! 3. The last request asks for an acknowledgement. When that is there, whichever before it was not refused has succeeded: a
//!    refusal is sent unasked. Verdicts and replies are told apart by their sequence numbers.
//! 4. A list (a dump) during which the namespace changed carries a flag, and is read again.
//!
//! A network socket belongs for ever to the namespace its thread was in when it was made. So `open_in` is only in the other
//! namespace for the moment of making it.

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_ECHO, NLM_F_EXCL, NLM_F_REPLACE,
    NLM_F_REQUEST, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_sys::Socket;
use netlink_sys::protocols::NETLINK_ROUTE;

use crate::datagram::{self, BUFFER_LENGTH, messages, refusal};
use crate::error::NetnsError;
use crate::namespace::Namespace;
use crate::request_error::RequestError;

/// How often a list is read again that changed while it was read.
const DUMP_ATTEMPTS: usize = 16;
/// How many requests leave in one datagram at most, since all refusals wait in the socket's buffer.
const REQUESTS_AT_ONCE: usize = 64;

/// A connection to the network configuration of one namespace. It keeps talking to that namespace, whatever namespace the
/// thread is in later. It owns one socket, closed on exec, and no thread; dropping it frees it, also in a forked child. Calls
/// block until the kernel has answered.
#[derive(Debug)]
pub struct Netlink {
    socket: Socket,
    sequence: u32,
    buffer: Vec<u8>,
}

/// What the kernel sent back for one request before its verdict, or why it refused.
pub(crate) type Outcome = Result<Vec<RouteNetlinkMessage>, RequestError>;

impl Netlink {
    /// Connects to the network namespace of the calling thread.
    ///
    /// # Errors
    ///
    /// Fails when the kernel gives no netlink socket.
    pub fn open() -> Result<Netlink, NetnsError> {
        let socket =
            datagram::connect(NETLINK_ROUTE).map_err(|cause| NetnsError::OpenNetlink { cause })?;
        // Only with this does the kernel heed what narrows a list; one that does not know it sends more, which is sorted out.
        let _ = socket.set_netlink_get_strict_chk(true);
        Ok(Netlink {
            socket,
            // Zero is the number of what nobody asked for.
            sequence: 1,
            buffer: Vec::with_capacity(BUFFER_LENGTH),
        })
    }

    /// Connects to another network namespace. The calling thread is back where it was when this returns.
    ///
    /// # Errors
    ///
    /// As [`Netlink::open`], and when the namespace cannot be entered or left.
    pub fn open_in(namespace: &Namespace) -> Result<Netlink, NetnsError> {
        namespace.run(Netlink::open)?
    }

    /// Sends one request and waits for the verdict. Gives what the kernel sent back before it.
    pub(crate) fn request(&mut self, request: Request) -> Outcome {
        let mut outcomes = self.exchange(vec![request]).outcomes;
        outcomes.pop().unwrap_or(Err(RequestError::Unexpected))
    }

    /// Sends several requests at once and gives their outcomes in their order; each request is tried even if one before it
    /// failed.
    pub(crate) fn request_each(
        &mut self,
        requests: impl IntoIterator<Item = Request>,
    ) -> Vec<Outcome> {
        let mut requests = requests.into_iter().peekable();
        let mut outcomes = Vec::new();
        while requests.peek().is_some() {
            let together = requests.by_ref().take(REQUESTS_AT_ONCE).collect();
            outcomes.extend(self.exchange(together).outcomes);
        }
        outcomes
    }

    /// Reads a whole list, again if it changed meanwhile.
    pub(crate) fn dump(&mut self, question: RouteNetlinkMessage) -> Outcome {
        for _ in 0..DUMP_ATTEMPTS {
            let answer = self.exchange(vec![Request::list(question.clone())]);
            if answer.consistency == Consistency::Whole {
                let mut outcomes = answer.outcomes;
                return outcomes.pop().unwrap_or(Err(RequestError::Unexpected));
            }
        }
        Err(RequestError::Unstable)
    }

    /// Sends requests in one datagram and receives until there is a verdict on the last.
    fn exchange(&mut self, requests: Vec<Request>) -> Answer {
        let (first, count) = (self.sequence, requests.len());
        let mut datagram = Vec::with_capacity(256);
        for (position, request) in requests.into_iter().enumerate() {
            let mut message = NetlinkMessage::from(request.message);
            message.header.flags = request.flags;
            // A list ends with its own verdict.
            if position + 1 == count && request.flags & NLM_F_DUMP != NLM_F_DUMP {
                message.header.flags |= NLM_F_ACK;
            }
            message.header.sequence_number = self.sequence;
            self.sequence = self.sequence.wrapping_add(1);
            datagram::append(&mut datagram, message);
        }
        let mut answer = Answer {
            outcomes: vec![Ok(Vec::new()); count],
            consistency: Consistency::Whole,
        };
        let received =
            datagram::send(&self.socket, &datagram).and_then(|()| self.receive(first, &mut answer));
        if let Err(error) = received {
            answer.outcomes = vec![Err(error); count];
        }
        answer
    }

    /// Receives until there is a verdict on the last of the requests, of which the first has the sequence number `first`.
    fn receive(&mut self, first: u32, answer: &mut Answer) -> Result<(), RequestError> {
        let last = answer.outcomes.len().saturating_sub(1);
        loop {
            datagram::receive(&self.socket, &mut self.buffer)?;
            // A reply that is not understood is of no use, but there is a verdict behind it.
            for message in messages::<RouteNetlinkMessage>(&self.buffer).flatten() {
                let index = message.header.sequence_number.wrapping_sub(first) as usize;
                let Some(outcome) = answer.outcomes.get_mut(index) else {
                    continue;
                };
                let flags = message.header.flags;
                if flags & NLM_F_DUMP_INTR != 0 {
                    answer.consistency = Consistency::Interrupted;
                }
                match message.payload {
                    NetlinkPayload::InnerMessage(reply) => {
                        if let Ok(replies) = outcome {
                            replies.push(reply);
                        }
                        continue;
                    }
                    NetlinkPayload::Error(error) if error.code.is_some() => {
                        *outcome = Err(RequestError::from_message(&error, flags));
                    }
                    NetlinkPayload::Done(done) if done.code < 0 => {
                        *outcome = Err(refusal(-done.code));
                    }
                    NetlinkPayload::Error(_) | NetlinkPayload::Done(_) => {}
                    _ => return Err(RequestError::Unexpected),
                }
                if index == last {
                    return Ok(());
                }
            }
        }
    }
}

/// One message and how it is meant.
pub(crate) struct Request {
    message: RouteNetlinkMessage,
    flags: u16,
}

impl Request {
    /// Makes something that must not exist yet.
    pub(crate) fn create(message: RouteNetlinkMessage) -> Request {
        let flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL;
        Request { message, flags }
    }

    /// As `create`, and asks to be shown what was made. Kernels that do not know this send nothing.
    pub(crate) fn create_and_show(message: RouteNetlinkMessage) -> Request {
        let mut request = Request::create(message);
        request.flags |= NLM_F_ECHO;
        request
    }

    /// Makes something, in the place of what is there already.
    pub(crate) fn replace(message: RouteNetlinkMessage) -> Request {
        let flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE;
        Request { message, flags }
    }

    /// Makes something beside what is there already.
    #[cfg(test)]
    pub(crate) fn append(message: RouteNetlinkMessage) -> Request {
        let append = netlink_packet_core::NLM_F_APPEND;
        let flags = NLM_F_REQUEST | NLM_F_CREATE | append;
        Request { message, flags }
    }

    /// Changes, removes or asks for something that must exist.
    pub(crate) fn existing(message: RouteNetlinkMessage) -> Request {
        let flags = NLM_F_REQUEST;
        Request { message, flags }
    }

    fn list(message: RouteNetlinkMessage) -> Request {
        let flags = NLM_F_REQUEST | NLM_F_DUMP;
        Request { message, flags }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Consistency {
    Whole,
    Interrupted,
}

/// What came back for several requests.
struct Answer {
    outcomes: Vec<Outcome>,
    consistency: Consistency,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::{fresh_namespace, in_fresh_namespace};

    fn open_descriptors() -> usize {
        std::fs::read_dir("/proc/thread-self/fd").unwrap().count()
    }

    #[test]
    fn a_connection_stays_with_the_namespace_it_was_made_in() {
        in_fresh_namespace(|| {
            let other = fresh_namespace();
            let mut outside = Netlink::open().unwrap();
            let mut inside = Netlink::open_in(&other).unwrap();
            crate::bring_up_loopback(&mut inside).unwrap();
            assert!(inside.find_link("lo").unwrap().unwrap().up);
            assert!(!outside.find_link("lo").unwrap().unwrap().up);
        });
    }

    #[test]
    fn dropping_a_connection_frees_its_descriptors() {
        in_fresh_namespace(|| {
            // A file table of its own, so that tests on other threads do not change the count.
            nix::sched::unshare(nix::sched::CloneFlags::CLONE_FILES).unwrap();
            let before = open_descriptors();
            let mut netlink = Netlink::open().unwrap();
            netlink.find_link("lo").unwrap();
            assert!(open_descriptors() > before);
            drop(netlink);
            assert_eq!(open_descriptors(), before);
        });
    }
}
