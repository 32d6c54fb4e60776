//! What netlink sockets of every kind have in common: blocking, connected to the kernel alone, and several messages in one
//! datagram.

use std::io;

use netlink_packet_core::{NetlinkDeserializable, NetlinkMessage, NetlinkSerializable};
use netlink_sys::{Socket, SocketAddr};

use crate::request_error::RequestError;

/// The kernel makes no part of a list longer than this (`netlink_dump` in `net/netlink/af_netlink.c`).
pub(crate) const BUFFER_LENGTH: usize = 32 * 1024;
/// The length of `struct nlmsghdr`.
const HEADER_LENGTH: usize = 16;

/// Makes a socket in the network namespace of the calling thread, closed on exec. Nobody else's message is ever received on it.
pub(crate) fn connect(protocol: isize) -> io::Result<Socket> {
    let socket = Socket::new(protocol)?;
    socket.connect(&SocketAddr::new(0, 0))?;
    // Both only make the kernel's errors shorter and richer, so a kernel that knows neither is good enough.
    let _ = socket.set_ext_ack(true);
    let _ = socket.set_cap_ack(true);
    Ok(socket)
}

/// Puts a message behind those of a datagram that are there already.
pub(crate) fn append<M: NetlinkSerializable>(
    datagram: &mut Vec<u8>,
    mut message: NetlinkMessage<M>,
) {
    message.finalize();
    let start = datagram.len();
    datagram.resize(start + align(message.buffer_len()), 0);
    message.serialize(&mut datagram[start..]);
}

/// Sends a datagram. The kernel has worked through all of it on return; only the parts of a list are made one by one as they
/// are received.
pub(crate) fn send(socket: &Socket, datagram: &[u8]) -> Result<(), RequestError> {
    let sent = retry(|| socket.send(datagram, 0))?;
    if sent == datagram.len() {
        Ok(())
    } else {
        Err(RequestError::Disconnected)
    }
}

/// Receives the next datagram in the place of what the buffer holds.
pub(crate) fn receive(socket: &Socket, buffer: &mut Vec<u8>) -> Result<(), RequestError> {
    buffer.clear();
    buffer.reserve(BUFFER_LENGTH);
    let length = retry(|| socket.recv(buffer, libc::MSG_TRUNC))?;
    match length {
        0 => Err(RequestError::Disconnected),
        length if length > buffer.len() => Err(RequestError::Unexpected),
        _ => Ok(()),
    }
}

/// The messages of one datagram. One that is not understood does not hide those behind it.
pub(crate) fn messages<M: NetlinkDeserializable>(
    datagram: &[u8],
) -> impl Iterator<Item = Result<NetlinkMessage<M>, RequestError>> {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let message = NetlinkMessage::deserialize(rest).map_err(|_| RequestError::Unexpected);
        rest = rest.get(length_of_first(rest)..).unwrap_or_default();
        Some(message)
    })
}

/// The kernel's refusal without words of its own.
pub(crate) fn refusal(errno: i32) -> RequestError {
    RequestError::Refused { errno, words: None }
}

/// How far it is to the second message; all of it where the header makes no sense.
fn length_of_first(datagram: &[u8]) -> usize {
    let length = datagram.get(..4).and_then(|bytes| bytes.try_into().ok());
    match length.map(|bytes| u32::from_ne_bytes(bytes) as usize) {
        Some(length) if length >= HEADER_LENGTH => align(length),
        _ => datagram.len(),
    }
}

fn retry(mut call: impl FnMut() -> io::Result<usize>) -> Result<usize, RequestError> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                return Err(error
                    .raw_os_error()
                    .map_or(RequestError::Disconnected, refusal));
            }
            Ok(length) => return Ok(length),
        }
    }
}

/// Netlink pads to four bytes.
fn align(length: usize) -> usize {
    length.saturating_add(3) & !3
}

#[cfg(test)]
mod tests {
    use super::*;
    use netlink_packet_netfilter::NetfilterMessage;
    use netlink_packet_route::RouteNetlinkMessage;
    use proptest::prelude::*;

    fn message(kind: u16, payload: &[u8]) -> Vec<u8> {
        let length = (HEADER_LENGTH + payload.len()) as u32;
        let mut bytes = [
            length.to_ne_bytes().as_slice(),
            &kind.to_ne_bytes(),
            &[0; 10],
        ]
        .concat();
        bytes.extend(payload);
        bytes
    }

    #[test]
    fn what_stands_behind_something_unknown_is_found() {
        // A link's message is too short to be one, and the second is the end of a list.
        let datagram = [
            message(libc::RTM_NEWLINK, &[]),
            message(libc::NLMSG_DONE as u16, &[0; 4]),
        ]
        .concat();
        let found: Vec<_> = messages::<RouteNetlinkMessage>(&datagram).collect();
        assert_eq!(found[0], Err(RequestError::Unexpected));
        assert!(found[1].is_ok());
        assert_eq!(found.len(), 2);
    }

    proptest! {
        #[test]
        fn no_datagram_makes_the_reader_panic_or_loop(datagram: Vec<u8>) {
            prop_assert!(messages::<NetfilterMessage>(&datagram).count() <= datagram.len());
            prop_assert!(messages::<RouteNetlinkMessage>(&datagram).count() <= datagram.len());
        }

        #[test]
        fn no_attributes_make_the_reader_panic(kind: u16, payload: Vec<u8>) {
            let datagram = message(kind, &payload);
            prop_assert_eq!(messages::<NetfilterMessage>(&datagram).count(), 1);
            prop_assert_eq!(messages::<RouteNetlinkMessage>(&datagram).count(), 1);
        }
    }
}
