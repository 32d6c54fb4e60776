//! Forgetting tracked flows by who began them, so that what they are part of is judged anew.

use std::net::IpAddr;

use super::flow::{Family, delete, is_invalid};
use super::flow_messages::{Flow, plain_list_question};
use super::socket::NetfilterSocket;
use crate::error::NetnsError;

/// A tracked flow, as its first packet was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutgoingFlow {
    /// Who sent it.
    pub source: IpAddr,
    /// To whom, before any translation.
    pub destination: IpAddr,
    /// The number of the protocol.
    pub protocol: u8,
    /// The port, for protocols that have ports.
    pub port: Option<u16>,
}

/// Makes the kernel forget the tracked flows, in the network namespace of the calling thread, that `source` began and that are
/// `doomed`. Gives the number of them, which is zero where nothing is tracked.
///
/// # Errors
///
/// Fails without `CAP_NET_ADMIN` over the namespace, and when the kernel refuses to list flows or to delete one. A flow that
/// ended meanwhile is no error.
pub fn forget_flows_from(
    source: IpAddr,
    doomed: impl Fn(&OutgoingFlow) -> bool,
) -> Result<usize, NetnsError> {
    let Some(mut socket) = NetfilterSocket::open()? else {
        return Ok(0);
    };
    let family = match source {
        IpAddr::V4(_) => Family::V4,
        IpAddr::V6(_) => Family::V6,
    };
    let replies = socket.dump(plain_list_question(family));
    if is_invalid(&replies) {
        return Ok(0);
    }
    let replies = replies.map_err(|cause| NetnsError::ListFlows { cause })?;
    let flows: Vec<Flow> = replies
        .into_iter()
        .filter_map(Flow::outgoing)
        .filter(|(outgoing, _)| outgoing.source == source && doomed(outgoing))
        .map(|(_, flow)| flow)
        .collect();
    delete(&mut socket, family, &flows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::bring_up_loopback;
    use crate::netlink::Netlink;
    use crate::scratch::{in_fresh_namespace, shell};
    use std::cell::RefCell;
    use std::net::UdpSocket;

    #[test]
    fn flows_are_forgotten_by_their_beginner_and_destination() {
        in_fresh_namespace(|| {
            bring_up_loopback(&mut Netlink::open().unwrap()).unwrap();
            shell("iptables -A OUTPUT -m conntrack --ctstate NEW -j ACCEPT");
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            for port in [7001, 7002, 7003] {
                socket.send_to(b"x", ("127.0.0.1", port)).unwrap();
            }
            let source = IpAddr::from([127, 0, 0, 1]);
            let stranger = IpAddr::from([127, 0, 0, 2]);
            assert_eq!(forget_flows_from(stranger, |_| true).unwrap(), 0);
            let is_wanted = |flow: &OutgoingFlow| flow.port != Some(7002) && flow.protocol == 17;
            assert_eq!(forget_flows_from(source, is_wanted).unwrap(), 2);
            let seen = RefCell::new(Vec::new());
            let look = |flow: &OutgoingFlow| {
                seen.borrow_mut().extend(flow.port);
                false
            };
            assert_eq!(forget_flows_from(source, look).unwrap(), 0);
            assert_eq!(*seen.borrow(), [7002]);
        });
    }
}
