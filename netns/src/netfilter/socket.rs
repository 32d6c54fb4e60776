//! A connection to the packet filter of one network namespace.
//!
//! # Theory of operation
//!
//! 1. The socket is connected to the kernel, so nobody else's message is ever received on it.
//! 2. Messages that belong together go out in one datagram. The kernel works through all of them before `send` returns; only
//!    the parts of a list are made one by one as they are received.
//! 3. Every message outside of transactions asks for an acknowledgement and has a sequence number of its own, by which the verdict is told to belong
//!    to it. A list ends with its own verdict instead.
//! 4. A transaction is framed by two messages that are not acknowledged. A refusal of the frame itself is the verdict on the
//!    whole of it, and no other verdict may come then; so it ends the waiting. Otherwise the last message's verdict does.
//! 5. The kernel sets free what a transaction took away when no packet uses it any more, and lets whoever closes a netfilter
//!    socket, of anybody, wait for that (`nft_rcv_nl_event`): 7 to 17 ms. So who has deleted something keeps its socket open as
//!    long as it can.

use std::os::fd::{AsRawFd, BorrowedFd};

use netlink_packet_core::{
    DefaultNla, NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_netfilter::none::ControlMessage;
use netlink_packet_netfilter::{NetfilterHeader, NetfilterMessage, NetfilterProtoFamily};
use netlink_sys::Socket;
use netlink_sys::protocols::NETLINK_NETFILTER;
use nix::sys::socket::{setsockopt, sockopt};

use crate::datagram::{self, BUFFER_LENGTH, messages, refusal};
use crate::error::NetnsError;
use crate::request_error::RequestError;

/// `NFNL_SUBSYS_NFTABLES` of `linux/netfilter/nfnetlink.h`: whose transaction it is.
const NFTABLES_SUBSYSTEM: u16 = 10;
/// `NFNL_MSG_BATCH_BEGIN` and `NFNL_BATCH_GENID` of `linux/netfilter/nfnetlink.h`.
const BATCH_BEGIN: u8 = 16;
const BATCH_GENERATION: u16 = 1;
/// The kernel's smallest buffer for what a socket sends (`net.core.wmem_default`, which is seldom changed).
const USUAL_SEND_BUFFER: usize = 212_992;

/// A connection to the packet filter of one network namespace; it blocks, and is closed on exec.
pub(super) struct NetfilterSocket {
    socket: Socket,
    sequence: u32,
    buffer: Vec<u8>,
}

/// Why a transaction did not happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TransactionError {
    /// A message was refused, the first of those that were.
    Message {
        /// Which one.
        index: usize,
        /// Why.
        cause: RequestError,
    },
    /// It was refused, or lost, as a whole.
    Whole(RequestError),
}

impl TransactionError {
    /// Why, wherever.
    pub(super) fn into_cause(self) -> RequestError {
        match self {
            TransactionError::Message { cause, .. } | TransactionError::Whole(cause) => cause,
        }
    }
}

/// What came back for several messages.
struct Answer {
    replies: Vec<NetfilterMessage>,
    verdicts: Vec<Result<(), RequestError>>,
}

impl NetfilterSocket {
    /// Connects in the network namespace of the calling thread; `None` when the kernel has no packet filter to talk to.
    pub(super) fn open() -> Result<Option<NetfilterSocket>, NetnsError> {
        match datagram::connect(NETLINK_NETFILTER) {
            Ok(socket) => Ok(Some(NetfilterSocket {
                socket,
                sequence: 0,
                buffer: Vec::with_capacity(BUFFER_LENGTH),
            })),
            Err(cause) if cause.raw_os_error() == Some(libc::EPROTONOSUPPORT) => Ok(None),
            Err(cause) => Err(NetnsError::OpenNetfilter { cause }),
        }
    }

    /// Asks one thing; gives what the kernel sent back before the verdict.
    pub(super) fn request(
        &mut self,
        message: NetfilterMessage,
    ) -> Result<Vec<NetfilterMessage>, RequestError> {
        self.ask(message, NLM_F_ACK)
    }

    /// Reads a list.
    pub(super) fn dump(
        &mut self,
        message: NetfilterMessage,
    ) -> Result<Vec<NetfilterMessage>, RequestError> {
        self.ask(message, NLM_F_DUMP)
    }

    /// Asks several things at once, each of which is tried even if one before it failed; gives the verdicts in order. The
    /// caller keeps the number small, because all acknowledgements wait in the socket's buffer.
    pub(super) fn request_each(
        &mut self,
        messages: Vec<NetfilterMessage>,
    ) -> Result<Vec<Result<(), RequestError>>, RequestError> {
        let (first, count) = (self.sequence, messages.len());
        let mut datagram = Vec::new();
        for message in messages {
            self.append(&mut datagram, message, NLM_F_ACK);
        }
        datagram::send(&self.socket, &datagram)?;
        Ok(self.receive(first, count)?.verdicts)
    }

    /// Changes nf_tables' rules: all of the messages, each with further flags, or none. With a generation, the kernel refuses
    /// with `ERESTART` if the rules are of another one.
    pub(super) fn transaction(
        &mut self,
        messages: Vec<(NetfilterMessage, u16)>,
        generation: Option<u32>,
    ) -> Result<(), TransactionError> {
        let mut datagram = Vec::new();
        self.append(&mut datagram, beginning(generation), 0);
        let (first, count) = (self.sequence, messages.len());
        // Refusals come without being asked for. The last verdict says that there are no more, and so many acknowledgements
        // as a large transaction has would not find room in the socket's buffer.
        for (index, (message, flags)) in (1..).zip(messages) {
            let wish = if index == count { NLM_F_ACK } else { 0 };
            self.append(&mut datagram, message, wish | flags);
        }
        self.append(&mut datagram, frame(ControlMessage::BatchEnd), 0);
        self.send_long(&datagram).map_err(TransactionError::Whole)?;
        self.receive_refusal(first, count)
    }

    /// Reads until there is a verdict on the last of `count` messages. What fails first makes others fail, so the first refusal
    /// is the one that says why.
    fn receive_refusal(&mut self, first: u32, count: usize) -> Result<(), TransactionError> {
        let mut refusal = None;
        loop {
            datagram::receive(&self.socket, &mut self.buffer).map_err(TransactionError::Whole)?;
            for message in messages::<NetfilterMessage>(&self.buffer) {
                let message = message.map_err(TransactionError::Whole)?;
                let flags = message.header.flags;
                let index = message.header.sequence_number.wrapping_sub(first) as usize;
                let NetlinkPayload::Error(error) = message.payload else {
                    return Err(TransactionError::Whole(RequestError::Unexpected));
                };
                let verdict = match error.code {
                    Some(_) => Err(RequestError::from_message(&error, flags)),
                    None => Ok(()),
                };
                if index >= count {
                    // The frame of the transaction; after its refusal nothing comes.
                    verdict.map_err(TransactionError::Whole)?;
                    continue;
                }
                if let (Err(cause), None) = (verdict, &refusal) {
                    refusal = Some(TransactionError::Message { index, cause });
                }
                if index + 1 == count {
                    return refusal.map_or(Ok(()), Err);
                }
            }
        }
    }

    fn ask(
        &mut self,
        message: NetfilterMessage,
        flags: u16,
    ) -> Result<Vec<NetfilterMessage>, RequestError> {
        let first = self.sequence;
        let mut datagram = Vec::new();
        self.append(&mut datagram, message, flags);
        datagram::send(&self.socket, &datagram)?;
        let answer = self.receive(first, 1)?;
        answer.verdicts.into_iter().collect::<Result<(), _>>()?;
        Ok(answer.replies)
    }

    fn append(&mut self, datagram: &mut Vec<u8>, message: NetfilterMessage, flags: u16) {
        let mut message = NetlinkMessage::from(message);
        message.header.flags = NLM_F_REQUEST | flags;
        message.header.sequence_number = self.sequence;
        self.sequence = self.sequence.wrapping_add(1);
        datagram::append(datagram, message);
    }

    /// Sends what may be longer than a socket's buffer usually is. Making the buffer larger needs `CAP_NET_ADMIN`, as does every
    /// transaction.
    fn send_long(&self, datagram: &[u8]) -> Result<(), RequestError> {
        if datagram.len() > USUAL_SEND_BUFFER / 2 {
            // SAFETY: the descriptor is open as long as `self.socket` lives, which is longer than this borrow.
            let socket = unsafe { BorrowedFd::borrow_raw(self.socket.as_raw_fd()) };
            let length = 2 * datagram.len();
            setsockopt(&socket, sockopt::SndBufForce, &length)
                .map_err(|errno| refusal(errno as i32))?;
        }
        datagram::send(&self.socket, datagram)
    }

    /// Reads until there is a verdict on each of `count` messages, the first of which has the sequence number `first`.
    fn receive(&mut self, first: u32, count: usize) -> Result<Answer, RequestError> {
        let mut verdicts = vec![None; count];
        let mut missing = count;
        let mut replies = Vec::new();
        while missing > 0 {
            datagram::receive(&self.socket, &mut self.buffer)?;
            for message in messages(&self.buffer) {
                let message = message?;
                let flags = message.header.flags;
                let index = message.header.sequence_number.wrapping_sub(first) as usize;
                let verdict = match message.payload {
                    NetlinkPayload::InnerMessage(reply) => {
                        replies.push(reply);
                        continue;
                    }
                    NetlinkPayload::Error(error) if error.code.is_some() => {
                        Err(RequestError::from_message(&error, flags))
                    }
                    NetlinkPayload::Done(done) if done.code < 0 => Err(refusal(-done.code)),
                    NetlinkPayload::Error(_) | NetlinkPayload::Done(_) => Ok(()),
                    _ => return Err(RequestError::Unexpected),
                };
                match verdicts.get_mut(index) {
                    Some(slot) if slot.is_none() => {
                        *slot = Some(verdict);
                        missing -= 1;
                    }
                    // The frame of a transaction; only its refusal counts.
                    _ => verdict?,
                }
            }
        }
        let verdicts = verdicts.into_iter().flatten().collect();
        Ok(Answer { replies, verdicts })
    }
}

/// The message before or after those of a transaction.
fn frame(message: ControlMessage) -> NetfilterMessage {
    let header = NetfilterHeader::new(NetfilterProtoFamily::Unspec, 0, NFTABLES_SUBSYSTEM);
    NetfilterMessage::new(header, message)
}

/// The message before those of a transaction.
fn beginning(generation: Option<u32>) -> NetfilterMessage {
    let Some(generation) = generation else {
        return frame(ControlMessage::BatchBegin);
    };
    let attribute = DefaultNla::new(BATCH_GENERATION, generation.to_be_bytes().into());
    frame(ControlMessage::Other {
        message_type: BATCH_BEGIN,
        attributes: vec![attribute],
    })
}
