//! A connection to the packet filter of one network namespace.
//!
//! # Theory of operation
//!
//! 1. The socket is connected to the kernel, so nobody else's message is ever received on it.
//! 2. Messages that belong together go out in one datagram. The kernel works through all of them before `send` returns; only
//!    the parts of a list are made one by one as they are received.
//! 3. Every message asks for an acknowledgement and has a sequence number of its own, by which the verdict is told to belong
//!    to it. A list ends with its own verdict instead.
//! 4. A transaction is framed by two messages that are not acknowledged. A refusal of the frame itself is the verdict on the
//!    whole of it, and no other verdict may come then; so it ends the waiting.

use netlink_packet_core::{NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload};
use netlink_packet_netfilter::nftables::NfTablesMessage;
use netlink_packet_netfilter::none::ControlMessage;
use netlink_packet_netfilter::{NetfilterHeader, NetfilterMessage, NetfilterProtoFamily};
use netlink_sys::Socket;
use netlink_sys::protocols::NETLINK_NETFILTER;

use crate::datagram::{self, BUFFER_LENGTH, messages, refusal};
use crate::error::NetnsError;
use crate::request_error::RequestError;

/// `NFNL_SUBSYS_NFTABLES` of `linux/netfilter/nfnetlink.h`: whose transaction it is.
const NFTABLES_SUBSYSTEM: u16 = 10;

/// A connection to the packet filter of one network namespace; it blocks, and is closed on exec.
pub(super) struct NetfilterSocket {
    socket: Socket,
    sequence: u32,
    buffer: Vec<u8>,
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

    /// Changes nf_tables' rules: all of the messages, each with further flags, or none.
    pub(super) fn transaction(
        &mut self,
        family: NetfilterProtoFamily,
        messages: Vec<(NfTablesMessage, u16)>,
    ) -> Result<(), RequestError> {
        let mut datagram = Vec::new();
        self.append(&mut datagram, frame(ControlMessage::BatchBegin), 0);
        let (first, count) = (self.sequence, messages.len());
        for (message, flags) in messages {
            let message = NetfilterMessage::new(NetfilterHeader::new(family, 0, 0), message);
            self.append(&mut datagram, message, NLM_F_ACK | flags);
        }
        self.append(&mut datagram, frame(ControlMessage::BatchEnd), 0);
        datagram::send(&self.socket, &datagram)?;
        // What fails first makes others fail, so the first refusal is the one that says why.
        self.receive(first, count)?.verdicts.into_iter().collect()
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
