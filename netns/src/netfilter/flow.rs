//! Forgetting tracked UDP flows, so that a change of published ports reaches clients that keep sending.
//!
//! The kernel decides on the translation of a flow at its first packet and keeps to that as long as the flow is tracked. UDP
//! has no beginning that a client could make again: one that keeps sending from the same port would never meet a port which
//! was published after its first datagram, and would go on to meet a container that has lost the port.

use std::net::{IpAddr, SocketAddr};

use super::flow_messages::{Flow, delete_question, list_question, plain_list_question};
use super::socket::NetfilterSocket;
use crate::error::NetnsError;
use crate::explain::{Explain, Explanation};
use crate::request_error::RequestError;

/// How many flows are deleted before the acknowledgements are read; that many fit into the smallest usual socket buffer.
const DELETED_AT_ONCE: usize = 64;

/// A UDP port on an address of the host, as clients outside address it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UdpPort {
    /// The address; the unspecified one stands for every local address of its family.
    pub address: IpAddr,
    /// The port.
    pub port: u16,
}

/// An address family, which is what the kernel lists flows by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

/// Forgetting the flows of [`forget_flows`], in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForgetFlows {
    /// The ports.
    pub flows: Vec<UdpPort>,
    /// The addresses of the host.
    pub local: Vec<IpAddr>,
}

/// Makes the kernel forget the tracked UDP flows, in the network namespace of the calling thread, whose first datagram was
/// sent to one of the ports in `flows`. With its next datagram such a flow is a new one, which meets the rules of that moment.
/// `local` are the addresses of the namespace, which an unspecified address stands for; loopback addresses need not be
/// listed. A flow that only passes through, to a port of the same number somewhere else, stays. Gives the number of flows that
/// were forgotten, which is zero where nothing is tracked.
///
/// # Errors
///
/// Fails without `CAP_NET_ADMIN` over the namespace, and when the kernel refuses to list flows or to delete one. All others are
/// deleted nevertheless. A flow that ended meanwhile is no error.
pub fn forget_flows(flows: &[UdpPort], local: &[IpAddr]) -> Result<usize, NetnsError> {
    if flows.is_empty() {
        return Ok(0);
    }
    let Some(mut socket) = NetfilterSocket::open()? else {
        return Ok(0);
    };
    let mut forgotten = Ok(0);
    for family in [Family::V4, Family::V6] {
        let wanted: Vec<UdpPort> = flows
            .iter()
            .copied()
            .filter(|flow| family.has(flow))
            .collect();
        if wanted.is_empty() {
            continue;
        }
        let outcome = forget_family(&mut socket, family, &wanted, local);
        forgotten = match (forgotten, outcome) {
            (Ok(sum), Ok(count)) => Ok(sum + count),
            (Err(first), _) => Err(first),
            (_, Err(error)) => Err(error),
        };
    }
    forgotten
}

fn forget_family(
    socket: &mut NetfilterSocket,
    family: Family,
    wanted: &[UdpPort],
    local: &[IpAddr],
) -> Result<usize, NetnsError> {
    let tracked = list(socket, family, wanted).map_err(|cause| NetnsError::ListFlows { cause })?;
    let doomed: Vec<Flow> = tracked
        .into_iter()
        .filter(|flow| {
            wanted
                .iter()
                .any(|port| port.meets(flow.destination, local))
        })
        .collect();
    delete(socket, family, &doomed)
}

/// Lists the flows of a family: at least those which are wanted, at most all.
fn list(
    socket: &mut NetfilterSocket,
    family: Family,
    wanted: &[UdpPort],
) -> Result<Vec<Flow>, RequestError> {
    // A kernel before 5.8 does not know the filter and lists everything, which is as good. One that refuses the filter is
    // asked without; if it refuses that as well, which could not be asked wrongly, nothing is tracked in it at all.
    let mut replies = socket.dump(list_question(family, wanted));
    if is_invalid(&replies) {
        replies = socket.dump(plain_list_question(family));
    }
    if is_invalid(&replies) {
        return Ok(Vec::new());
    }
    Ok(replies?.into_iter().filter_map(Flow::from_reply).collect())
}

pub(super) fn is_invalid<T>(replies: &Result<T, RequestError>) -> bool {
    let errno = replies.as_ref().err().and_then(RequestError::raw_os_error);
    matches!(errno, Some(libc::EINVAL | libc::EOPNOTSUPP))
}

pub(super) fn delete(
    socket: &mut NetfilterSocket,
    family: Family,
    doomed: &[Flow],
) -> Result<usize, NetnsError> {
    let mut forgotten = 0;
    let mut failure = None;
    for flows in doomed.chunks(DELETED_AT_ONCE) {
        let questions = flows.iter().map(|flow| delete_question(family, flow));
        let verdicts = socket.request_each(questions.collect());
        let refused = |flow: &Flow, cause| NetnsError::ForgetFlow {
            destination: flow.destination,
            cause,
        };
        for (flow, verdict) in flows
            .iter()
            .zip(verdicts.map_err(|cause| refused(&flows[0], cause))?)
        {
            match verdict {
                Ok(()) => forgotten += 1,
                Err(cause) if cause.raw_os_error() == Some(libc::ENOENT) => {}
                Err(cause) => failure = failure.or(Some(refused(flow, cause))),
            }
        }
    }
    failure.map_or(Ok(forgotten), Err)
}

impl UdpPort {
    /// Whether a flow to `destination` is one to this port.
    fn meets(&self, destination: SocketAddr, local: &[IpAddr]) -> bool {
        let address = destination.ip();
        let is_address = if self.address.is_unspecified() {
            let is_family = address.is_ipv4() == self.address.is_ipv4();
            is_family && (address.is_loopback() || local.contains(&address))
        } else {
            self.address == address
        };
        is_address && self.port == destination.port()
    }

    /// The addresses that it stands for.
    fn addresses(self, local: &[IpAddr]) -> Vec<IpAddr> {
        if !self.address.is_unspecified() {
            return vec![self.address];
        }
        let is_family = |address: &IpAddr| address.is_ipv4() == self.address.is_ipv4();
        local.iter().copied().filter(is_family).collect()
    }
}

impl Family {
    fn has(self, port: &UdpPort) -> bool {
        port.address.is_ipv4() == (self == Family::V4)
    }
}

impl Explain for ForgetFlows {
    fn explain(&self) -> Explanation {
        let ports: Vec<String> = self
            .flows
            .iter()
            .map(|flow| SocketAddr::new(flow.address, flow.port).to_string())
            .collect();
        let commands = self.flows.iter().flat_map(|flow| {
            let addresses = flow.addresses(&self.local).into_iter();
            addresses.map(|address| {
                let family = match address {
                    IpAddr::V4(_) => "",
                    IpAddr::V6(_) => "-f ipv6 ",
                };
                format!(
                    "conntrack -D {family}-p udp --orig-dst {address} --orig-port-dst {}",
                    flow.port
                )
            })
        });
        Explanation {
            sentence: format!("forget the tracked UDP flows to {}", ports.join(", ")),
            command: commands.collect::<Vec<_>>().join("\n"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(address: &str) -> UdpPort {
        UdpPort {
            address: address.parse().unwrap(),
            port: 5000,
        }
    }

    fn meets(published: &str, destination: &str) -> bool {
        let local = ["10.8.0.1", "fd00::1"].map(|address| address.parse().unwrap());
        port(published).meets(destination.parse().unwrap(), &local)
    }

    #[test]
    fn an_address_meets_itself_with_the_same_port_only() {
        assert!(meets("10.8.0.1", "10.8.0.1:5000"));
        assert!(!meets("10.8.0.1", "10.8.0.1:5001"));
        assert!(!meets("10.8.0.1", "10.8.0.2:5000"));
        assert!(meets("fd00::1", "[fd00::1]:5000"));
    }

    #[test]
    fn the_unspecified_address_meets_local_addresses_of_its_family() {
        assert!(meets("0.0.0.0", "10.8.0.1:5000"));
        assert!(meets("0.0.0.0", "127.0.0.53:5000"));
        assert!(!meets("0.0.0.0", "10.9.0.3:5000"));
        assert!(!meets("0.0.0.0", "[fd00::1]:5000"));
        assert!(meets("::", "[fd00::1]:5000"));
        assert!(meets("::", "[::1]:5000"));
        assert!(!meets("::", "10.8.0.1:5000"));
    }

    #[test]
    fn the_step_prints_a_command_for_each_address() {
        let step = ForgetFlows {
            flows: vec![port("0.0.0.0"), port("fd00::1")],
            local: vec!["10.8.0.1".parse().unwrap(), "fd00::1".parse().unwrap()],
        };
        let explanation = step.explain();
        assert_eq!(
            explanation.sentence,
            "forget the tracked UDP flows to 0.0.0.0:5000, [fd00::1]:5000"
        );
        assert_eq!(
            explanation.command,
            "conntrack -D -p udp --orig-dst 10.8.0.1 --orig-port-dst 5000\n\
             conntrack -D -f ipv6 -p udp --orig-dst fd00::1 --orig-port-dst 5000"
        );
    }

    #[test]
    fn nothing_to_forget_asks_the_kernel_nothing() {
        assert_eq!(forget_flows(&[], &[]).unwrap(), 0);
    }
}
