//! What holds for every request.

use std::net::Ipv4Addr;

use ipnet::{IpNet, Ipv4Net};
use proptest::prelude::*;

use super::request;
use crate::network_request::{Surroundings, decide};
use crate::pool::{AddressPool, Held, Holder, overlaps};

prop_compose! {
    fn any_net()(low in 0u32..0x1_0000, prefix in 16u8..=32) -> IpNet {
        Ipv4Net::new(Ipv4Addr::from(0x0a00_0000 | low), prefix).unwrap().trunc().into()
    }
}

prop_compose! {
    fn any_ipv6_net()(low in 0u16..4, prefix in 40u8..=64) -> IpNet {
        IpNet::new([0xfd00, 0, low, 0, 0, 0, 0, 0].into(), prefix).unwrap().trunc()
    }
}

proptest! {
    #[test]
    fn a_decision_never_overlaps_anything_held(
        ipv4 in prop::collection::vec(any_net(), 0..10),
        ipv6 in prop::collection::vec(any_ipv6_net(), 0..4),
        networks in prop::collection::vec(any_net(), 0..4),
        asked in prop::option::of(any_net()),
        last in 0u8..4,
        size in 18u8..=30,
    ) {
        let held: Vec<Held> = ipv4
            .iter()
            .chain(&ipv6)
            .map(|net| Held { net: *net, by: Holder::Table(254) })
            .collect();
        let networks: Vec<_> = networks
            .iter()
            .enumerate()
            .map(|(number, net)| (format!("n{number}").parse().unwrap(), vec![*net]))
            .collect();
        let mut request = request("ipv6:yes");
        request.subnets = asked.iter().map(ToString::to_string).collect();
        let surroundings = Surroundings {
            held: &held,
            networks: &networks,
            bridges: &[],
            pools: &[AddressPool::new("10.0.0.0/17".parse().unwrap(), size).unwrap()],
            random: [0, 0, 0, 0, last],
        };
        if let Ok(decision) = decide(&request, &surroundings) {
            let nets = held.iter().map(|held| held.net).chain(networks.iter().flat_map(|(_, nets)| nets.clone()));
            for net in nets {
                prop_assert!(!overlaps(decision.ipv4.subnet, net));
                prop_assert!(!overlaps(decision.ipv6.clone().unwrap().subnet, net));
            }
            for addressing in [Some(decision.ipv4), decision.ipv6].into_iter().flatten() {
                prop_assert!(addressing.contains(addressing.gateway));
            }
        }
    }

    #[test]
    fn no_request_is_too_strange(texts in prop::collection::vec("[0-9a-f:./=-]{0,20}", 5)) {
        let mut request = request("");
        request.name = texts[0].clone();
        request.subnets = vec![texts[1].clone()];
        request.gateways = vec![texts[2].clone()];
        request.ip_ranges = vec![texts[3].clone()];
        request.auxiliary = vec![texts[4].clone()];
        let surroundings = Surroundings { held: &[], networks: &[], bridges: &[], pools: &[], random: [0; 5] };
        let _ = decide(&request, &surroundings);
    }
}
