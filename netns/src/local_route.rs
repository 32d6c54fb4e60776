//! Waiting until the kernel takes packets for a new IPv6 address.
//!
//! The kernel answers the request for an address first, and makes the address's route in the table of local addresses a little
//! later, on a thread of its own, which first has to get the lock that all network configuration takes. Until then it drops
//! what arrives for the address, the answer to a first connection too, and that is sent again only after a second. So a
//! program must not start in between. Nothing tells of the route alone; it is asked for until it is there.

use std::net::Ipv6Addr;
use std::time::{Duration, Instant};

use netlink_packet_route::route::{RouteAddress, RouteAttribute, RouteMessage, RouteType};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

use crate::netlink::{Netlink, Request};
use crate::request_error::RequestError;

/// How long the first pause between two questions is; each next one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_micros(20);
/// How long the longest pause is.
const LONGEST_PAUSE: Duration = Duration::from_millis(2);
/// How long is waited at most. Longer than the lock is ever held; beyond it, waiting helps less than going on.
const PATIENCE: Duration = Duration::from_secs(1);

impl Netlink {
    /// Waits until the kernel takes packets for an address that a link which is up was given, for a second at most.
    ///
    /// # Errors
    ///
    /// Fails when the kernel refuses to look a route up.
    pub(crate) fn wait_until_local(&mut self, address: Ipv6Addr) -> Result<(), RequestError> {
        let begin = Instant::now();
        let mut pause = FIRST_PAUSE;
        while !self.is_local(address)? && begin.elapsed() < PATIENCE {
            std::thread::sleep(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        Ok(())
    }

    fn is_local(&mut self, address: Ipv6Addr) -> Result<bool, RequestError> {
        let mut message = RouteMessage::default();
        message.header.address_family = AddressFamily::Inet6;
        message.header.destination_prefix_length = 128;
        let destination = RouteAttribute::Destination(RouteAddress::Inet6(address));
        message.attributes = vec![destination];
        let question = Request::existing(RouteNetlinkMessage::GetRoute(message));
        let replies = match self.request(question) {
            // No route leads there at all yet.
            Err(error) if error.raw_os_error() == Some(libc::ENETUNREACH) => return Ok(false),
            outcome => outcome?,
        };
        Ok(replies.iter().any(|reply| {
            matches!(reply, RouteNetlinkMessage::NewRoute(found)
                if found.header.kind == RouteType::Local)
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::InterfaceAddress;
    use crate::bridge_device::BridgeDevice;
    use crate::scratch::in_fresh_namespace;

    const ADDRESS: Ipv6Addr = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1);

    #[test]
    fn an_address_is_local_once_it_was_waited_for_and_its_neighbour_is_not() {
        in_fresh_namespace(|| {
            let mut netlink = Netlink::open().unwrap();
            assert!(!netlink.is_local(ADDRESS).unwrap());
            let index = netlink.create_bridge(&BridgeDevice::for_tests()).unwrap();
            let address = InterfaceAddress {
                address: ADDRESS.into(),
                prefix_length: 64,
            };
            netlink.add_address(index, address).unwrap();
            netlink.wait_until_local(ADDRESS).unwrap();
            assert!(netlink.is_local(ADDRESS).unwrap());
            let neighbour = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 2);
            assert!(!netlink.is_local(neighbour).unwrap());
        });
    }
}
