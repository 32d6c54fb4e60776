//! Waiting until packets pass a link whose other end has just been set up.
//!
//! The kernel learns at once that a link has a carrier, and acts on it a little later, on a thread of its own, which first has to
//! get the lock that all network configuration takes; what is not urgent it puts off for a second. Until then the link drops
//! what it is given, and a bridge does not pass what comes from it: a container's first datagrams would be lost, and with them
//! the second in which it asks for a neighbour again. The same holds for a bridge whose first port this is. Since Linux 6.8, looking at the link makes the kernel act first; with
//! older ones it is looked at until it has acted.

use std::time::{Duration, Instant};

use crate::error::NetnsError;
use crate::link::{self, LinkIndex};
use crate::netlink::Netlink;

/// How long the first pause is between two looks; each next one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_micros(20);
/// How long the longest pause is.
const LONGEST_PAUSE: Duration = Duration::from_millis(2);
/// How long is waited at most. Beyond it, waiting helps less than going on.
const PATIENCE: Duration = Duration::from_secs(1);

impl Netlink {
    /// Waits until packets pass between a bridge and its port `port`, both ends of which are up; for a second at most. A bridge
    /// that holds frames back by itself, as with the spanning tree protocol, is not waited for. Gives the number of the port among those of the bridge.
    ///
    /// # Errors
    ///
    /// Fails when there is no such link or the kernel refuses to show it.
    pub fn wait_for_carrier(
        &mut self,
        port: LinkIndex,
        bridge: LinkIndex,
    ) -> Result<Option<u16>, NetnsError> {
        let begin = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            let (passing, number) = self.pass_packets(port, bridge)?;
            if passing || begin.elapsed() >= PATIENCE {
                return Ok(number);
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// The port is looked at before the bridge, which has a carrier when its first port passes frames.
    fn pass_packets(
        &mut self,
        port: LinkIndex,
        bridge: LinkIndex,
    ) -> Result<(bool, Option<u16>), NetnsError> {
        let indexes = [port, bridge];
        let outcomes = self.request_each(indexes.map(link::ask_for_index));
        let mut found = Vec::new();
        for (index, outcome) in indexes.iter().zip(outcomes) {
            let name = format!("#{index}");
            match outcome {
                Ok(replies) => found.extend(link::links(replies)),
                Err(error) if error.raw_os_error() == Some(libc::ENODEV) => {
                    return Err(NetnsError::NoSuchLink { name });
                }
                Err(cause) => return Err(NetnsError::FindLink { name, cause }),
            }
        }
        let is_held_back = found.iter().any(|link| link.held_back);
        let is_open = is_held_back || found.iter().all(|link| link.operational);
        Ok((is_open, found.iter().find_map(|link| link.port_number)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::InterfaceAddress;
    use crate::bridge_device::BridgeDevice;
    use crate::endpoint::{EndpointAddress, configure_interface};
    use crate::scratch::{fresh_namespace, in_fresh_namespace, shell};
    use crate::veth_pair::VethPair;
    use std::net::UdpSocket;
    use std::os::fd::AsFd;

    fn address(address: &str) -> InterfaceAddress {
        InterfaceAddress {
            address: address.parse().unwrap(),
            prefix_length: 16,
        }
    }

    /// Sends one datagram from a fresh namespace as soon as it is on a bridge that is up; says whether it has arrived.
    fn first_datagram_arrives() -> bool {
        in_fresh_namespace(|| {
            let other = fresh_namespace();
            let mut netlink = Netlink::open().unwrap();
            let device = BridgeDevice::for_tests();
            let bridge = netlink.create_bridge(&device).unwrap();
            netlink.set_up(bridge).unwrap();
            netlink.add_address(bridge, address("172.17.0.1")).unwrap();
            let receiver = UdpSocket::bind("172.17.0.1:0").unwrap();
            let place = receiver.local_addr().unwrap();
            let pair = VethPair::for_tests(bridge, other.as_fd());
            let indexes = netlink.create_veth(&pair).unwrap();
            // Without a request for the neighbour, which would be repeated, nothing is repeated.
            let neighbour = format!("172.17.0.1 lladdr {} nud permanent dev eth0", device.mac);
            other
                .run(|| shell(&format!("ip neighbour add {neighbour}")))
                .unwrap();
            let endpoint = EndpointAddress {
                interface: pair.container_name.clone(),
                addresses: vec![address("172.17.0.2")],
                gateways: Vec::new(),
                namespace_label: pair.namespace_label.clone(),
            };
            let mut inside = Netlink::open_in(&other).unwrap();
            configure_interface(&mut inside, indexes.container, &endpoint).unwrap();
            netlink.wait_for_carrier(indexes.host, bridge).unwrap();
            other
                .run(|| UdpSocket::bind("172.17.0.2:0")?.send_to(b"first", place))
                .unwrap()
                .unwrap();
            receiver
                .set_read_timeout(Some(Duration::from_secs(5)))
                .unwrap();
            receiver.recv(&mut [0; 8]).is_ok()
        })
    }

    #[test]
    fn nothing_is_lost_of_what_is_sent_first() {
        let arrived = (0..20).filter(|_| first_datagram_arrives()).count();
        assert_eq!(arrived, 20);
    }

    #[test]
    fn a_link_that_is_gone_is_not_waited_for() {
        in_fresh_namespace(|| {
            let error = Netlink::open()
                .unwrap()
                .wait_for_carrier(LinkIndex(77), LinkIndex(78))
                .unwrap_err();
            assert_eq!(error.to_string(), "there is no interface `#77`");
        });
    }
}
