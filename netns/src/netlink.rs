//! The connection to the kernel's network configuration of one namespace.
//!
//! # Theory of operation
//!
//! 1. `Netlink::open` builds a tokio runtime that lives on the calling thread alone, makes the socket, and hands the
//!    connection to the runtime as a task. Nothing runs until somebody waits, and no thread is started.
//! 2. A request is queued by `Handle::request`. Several may be queued before anybody waits (`pipeline`); the connection sends
//!    them in that order, and the kernel works through them in that order. It does not stop at one that fails.
//! 3. `block_on` drives the runtime until the kernel's verdict on each request is there. The connection is told to hand on
//!    acknowledgements: without that the end of the replies could also mean that the connection broke.
//! 4. A list (a dump) during which the namespace changed carries a flag, and is read again.
//!
//! A network socket belongs for ever to the namespace its thread was in when it was made. So `open_in` is only in the other
//! namespace for the moment of making it.

use futures_util::{Stream, StreamExt};
use netlink_packet_core::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_ECHO, NLM_F_EXCL, NLM_F_REPLACE,
    NLM_F_REQUEST, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::RouteNetlinkMessage;
use rtnetlink::Handle;
use rtnetlink::sys::AsyncSocket;
use tokio::runtime::{Builder, Runtime};

use crate::error::NetnsError;
use crate::namespace::Namespace;
use crate::request_error::RequestError;

/// How often a list is read again that changed while it was read.
const DUMP_ATTEMPTS: usize = 16;

/// A connection to the network configuration of one namespace. It keeps talking to that namespace, whatever namespace the
/// thread is in later. It owns a socket and an epoll descriptor, both closed on exec, and no thread; dropping it frees all of
/// it, also in a forked child. Calls block until the kernel has answered; they must not be made from asynchronous code.
#[derive(Debug)]
pub struct Netlink {
    handle: Handle,
    runtime: Runtime,
}

impl Netlink {
    /// Connects to the network namespace of the calling thread.
    ///
    /// # Errors
    ///
    /// Fails when the kernel gives no netlink socket or no epoll descriptor.
    pub fn open() -> Result<Netlink, NetnsError> {
        let runtime = build_runtime()?;
        let handle = connect(&runtime)?;
        Ok(Netlink { handle, runtime })
    }

    /// Connects to another network namespace. The calling thread is back where it was when this returns.
    ///
    /// # Errors
    ///
    /// As [`Netlink::open`], and when the namespace cannot be entered or left.
    pub fn open_in(namespace: &Namespace) -> Result<Netlink, NetnsError> {
        let runtime = build_runtime()?;
        let handle = namespace.run(|| connect(&runtime))??;
        Ok(Netlink { handle, runtime })
    }

    /// Sends one request and waits for the verdict. Gives what the kernel sent back before it.
    pub(crate) fn request(
        &mut self,
        request: Request,
    ) -> Result<Vec<RouteNetlinkMessage>, RequestError> {
        let replies = submit(&mut self.handle, request)?;
        let answer = self.runtime.block_on(collect(replies))?;
        Ok(answer.messages)
    }

    /// Sends several requests without waiting in between, then waits for all verdicts. They come in the order of the
    /// requests; each request is tried even if one before it failed.
    pub(crate) fn pipeline<const N: usize>(
        &mut self,
        requests: [Request; N],
    ) -> [Result<Vec<RouteNetlinkMessage>, RequestError>; N] {
        let waiting = requests.map(|request| submit(&mut self.handle, request));
        waiting.map(|replies| {
            let answer = self.runtime.block_on(collect(replies?))?;
            Ok(answer.messages)
        })
    }

    /// As `pipeline`, for requests of which nobody knows the number beforehand and which have no reply but the verdict.
    pub(crate) fn pipeline_all(
        &mut self,
        requests: impl IntoIterator<Item = Request>,
    ) -> Vec<Result<(), RequestError>> {
        let waiting: Vec<_> = requests
            .into_iter()
            .map(|request| submit(&mut self.handle, request))
            .collect();
        waiting
            .into_iter()
            .map(|replies| self.runtime.block_on(collect(replies?)).map(drop))
            .collect()
    }

    /// Reads a whole list, again if it changed meanwhile.
    pub(crate) fn dump(
        &mut self,
        question: RouteNetlinkMessage,
    ) -> Result<Vec<RouteNetlinkMessage>, RequestError> {
        for _ in 0..DUMP_ATTEMPTS {
            let replies = submit(&mut self.handle, Request::list(question.clone()))?;
            let answer = self.runtime.block_on(collect(replies))?;
            if answer.consistency == Consistency::Whole {
                return Ok(answer.messages);
            }
        }
        Err(RequestError::Unstable)
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
        let flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
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
        let flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE;
        Request { message, flags }
    }

    /// Makes something beside what is there already.
    #[cfg(test)]
    pub(crate) fn append(message: RouteNetlinkMessage) -> Request {
        let append = netlink_packet_core::NLM_F_APPEND;
        let flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | append;
        Request { message, flags }
    }

    /// Changes, removes or asks for something that must exist. An acknowledgement is asked for even where there is a reply,
    /// so that a reply which cannot be decoded does not leave us waiting.
    pub(crate) fn existing(message: RouteNetlinkMessage) -> Request {
        let flags = NLM_F_REQUEST | NLM_F_ACK;
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

struct Answer {
    messages: Vec<RouteNetlinkMessage>,
    consistency: Consistency,
}

fn build_runtime() -> Result<Runtime, NetnsError> {
    Builder::new_current_thread()
        .enable_io()
        .build()
        .map_err(|cause| NetnsError::OpenNetlink { cause })
}

fn connect(runtime: &Runtime) -> Result<Handle, NetnsError> {
    let _inside = runtime.enter();
    let (mut connection, handle, _unsolicited) =
        rtnetlink::new_connection().map_err(|cause| NetnsError::OpenNetlink { cause })?;
    connection.set_forward_ack(true);
    connection.set_forward_done(true);
    let socket = connection.socket_mut().socket_ref();
    // Both only make the kernel's errors shorter and richer, so a kernel that knows neither is good enough.
    let _ = socket.set_ext_ack(true);
    let _ = socket.set_cap_ack(true);
    runtime.spawn(connection);
    Ok(handle)
}

fn submit(
    handle: &mut Handle,
    request: Request,
) -> Result<impl Stream<Item = NetlinkMessage<RouteNetlinkMessage>> + Unpin + use<>, RequestError> {
    let mut message = NetlinkMessage::from(request.message);
    message.header.flags = request.flags;
    handle
        .request(message)
        .map_err(|_| RequestError::Disconnected)
}

/// Takes replies until the verdict.
async fn collect(
    mut replies: impl Stream<Item = NetlinkMessage<RouteNetlinkMessage>> + Unpin,
) -> Result<Answer, RequestError> {
    let mut answer = Answer {
        messages: Vec::new(),
        consistency: Consistency::Whole,
    };
    while let Some(reply) = replies.next().await {
        let flags = reply.header.flags;
        if flags & NLM_F_DUMP_INTR != 0 {
            answer.consistency = Consistency::Interrupted;
        }
        match reply.payload {
            NetlinkPayload::InnerMessage(message) => answer.messages.push(message),
            NetlinkPayload::Error(error) if error.code.is_some() => {
                return Err(RequestError::from_message(&error, flags));
            }
            NetlinkPayload::Done(done) if done.code < 0 => {
                return Err(RequestError::Refused {
                    errno: -done.code,
                    words: None,
                });
            }
            NetlinkPayload::Error(_) | NetlinkPayload::Done(_) => return Ok(answer),
            _ => return Err(RequestError::Unexpected),
        }
    }
    Err(RequestError::Disconnected)
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
