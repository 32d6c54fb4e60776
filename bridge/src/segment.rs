//! The further bridges of a network that has more containers than one bridge has ports.
//!
//! Theory of operation
//!
//! 1. A bridge of the kernel has at most 1,023 ports (`BR_MAX_PORTS` in net/bridge/br_private.h), and the kernel goes through all of
//!    them whenever one comes. So no bridge gets more than [`MOST_PORTS`] containers; the network's own, here the *main* one, has
//!    room for cables besides.
//! 2. A *segment* is a bridge without addresses, joined to the main one by a cable, a veth pair. Containers on it are in the
//!    same subnet and have the same gateway: the main bridge. All segments are joined to the main one, none to another, so
//!    there is one way between any two containers and never a loop.
//! 3. Policy stays where it was. With ICC off, the ports of containers are isolated on every bridge, and so are the main
//!    bridge's ends of cables, while the segments' ends are not: what a container sends comes to the main bridge's own
//!    interface and to nobody else, is answered for and routed there, and meets the rules.
//! 4. Nobody is robbed of frames. A container's Ethernet address is kept at its port and, of one on a segment, at the main
//!    bridge's end of the cable; the main bridge's own at the segment's end. A segment learns nothing at the ports of its
//!    containers.
//! 5. A segment's bridge is nobody to talk to: it has no address, answers no ARP, and rules drop what is sent to its
//!    Ethernet address (`firewall::network_rules`).
//! 6. How many segments there are stands in the network's definition, because the rules follow from it; on which one a
//!    container is, in its endpoint. `room` chooses, `segment_devices` makes the devices.

use crate::id::ContainerId;
use serde::{Deserialize, Serialize};

/// How many ports of a bridge containers get at most. Another port costs some 0.03 ms on a bridge with few, 0.8 ms on one with
/// 256, and 4 ms on one with 940.
pub const MOST_PORTS: u16 = 256;

/// How many segments a network has at most: with all of them it has as many ports as a /16 subnet has addresses.
pub const MOST_SEGMENTS: u16 = 255;

/// Which of a network's bridges.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Segment(u16);

/// What a segment consists of, by name. All names are at most 15 bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentDevices {
    /// Its bridge.
    pub bridge: String,
    /// The end of its cable that is a port of the main bridge.
    pub port_of_main: String,
    /// The end of its cable that is a port of its own bridge.
    pub port_of_segment: String,
}

impl Segment {
    /// The bridge that has the network's addresses.
    pub const MAIN: Segment = Segment(0);

    /// The further ones of a network that has `count` of them.
    pub fn further(count: u16) -> impl Iterator<Item = Segment> {
        (1..=count).map(Segment)
    }

    /// Whether it is the bridge that has the network's addresses.
    pub fn is_main(&self) -> bool {
        *self == Segment::MAIN
    }

    /// How the devices of a further segment of the network `id` are called.
    pub(crate) fn devices(self, id: &ContainerId) -> SegmentDevices {
        let id = id.short();
        let bridge = format!("mr-{}-{}", id.get(..7).unwrap_or(&id), self.0);
        SegmentDevices {
            port_of_main: format!("{bridge}m"),
            port_of_segment: format!("{bridge}s"),
            bridge,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_device_of_every_segment_has_a_name_that_the_kernel_takes_and_no_other_has() {
        let id = ContainerId::random().unwrap();
        let mut names: Vec<String> = Segment::further(MOST_SEGMENTS)
            .flat_map(|segment| {
                let devices = segment.devices(&id);
                [
                    devices.bridge,
                    devices.port_of_main,
                    devices.port_of_segment,
                ]
            })
            .collect();
        assert!(names.iter().all(|name| name.len() <= 15), "{names:?}");
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 3 * usize::from(MOST_SEGMENTS));
    }

    #[test]
    fn there_is_a_port_for_every_address_of_a_subnet_of_16_bits() {
        let bridges = u32::from(MOST_SEGMENTS) + 1;
        assert_eq!(bridges * u32::from(MOST_PORTS), 1 << 16);
    }

    #[test]
    fn a_network_that_has_not_grown_has_no_further_segments() {
        assert_eq!(Segment::further(0).count(), 0);
        assert!(Segment::further(3).all(|segment| !segment.is_main()));
    }
}
