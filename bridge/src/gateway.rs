//! Which of a container's networks leads everywhere else.
//!
//! The order is Docker's: the highest priority wins; among equals one that has both families, then the first by name. An
//! internal network leads nowhere. The families are decided one by one, so that they may go different ways.

use crate::network::{Family, Network, Reach};
use std::cmp::Reverse;

/// A network that a container is on, and how much its user wants it to be the way out.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// The network.
    pub network: &'a Network,
    /// The higher, the rather.
    pub priority: i32,
}

/// The network of `candidates` that has the default route of a family; none if no network leads out.
pub fn choose_gateway<'a>(
    candidates: impl IntoIterator<Item = Candidate<'a>>,
    family: Family,
) -> Option<&'a Network> {
    candidates
        .into_iter()
        .filter(|candidate| candidate.network.reach == Reach::External)
        .filter(|candidate| candidate.network.addressing(family).is_some())
        .min_by_key(|candidate| {
            (
                Reverse(candidate.priority),
                candidate.network.ipv6.is_none(),
                &candidate.network.name,
            )
        })
        .map(|candidate| candidate.network)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Icc;
    use crate::test_support::{dual_stack, network};

    fn named(name: &str) -> Network {
        Network {
            name: name.parse().expect("a name"),
            ..network(Icc::Enabled)
        }
    }

    fn chosen(networks: &[(&Network, i32)], family: Family) -> Option<String> {
        let candidates = networks.iter().map(|(network, priority)| Candidate {
            network,
            priority: *priority,
        });
        choose_gateway(candidates, family).map(|network| network.name.to_string())
    }

    #[test]
    fn the_highest_priority_wins_and_among_equals_the_first_by_name() {
        let (front, back) = (named("front"), named("back"));
        let choose = |networks: &[_]| chosen(networks, Family::Ipv4);
        assert_eq!(choose(&[(&front, 0), (&back, 0)]).as_deref(), Some("back"));
        assert_eq!(choose(&[(&front, 1), (&back, 0)]).as_deref(), Some("front"));
        assert_eq!(
            choose(&[(&front, 0), (&back, -1)]).as_deref(),
            Some("front")
        );
    }

    #[test]
    fn an_internal_network_leads_nowhere() {
        let internal = Network {
            reach: Reach::Internal,
            ..named("a")
        };
        let front = named("front");
        assert_eq!(chosen(&[(&internal, 9)], Family::Ipv4), None);
        let both = [(&internal, 9), (&front, 0)];
        assert_eq!(chosen(&both, Family::Ipv4).as_deref(), Some("front"));
    }

    #[test]
    fn a_network_with_both_families_comes_before_one_with_ipv4_alone_and_families_may_differ() {
        let old = named("a");
        let new = Network {
            name: "z".parse().expect("a name"),
            ..dual_stack(Icc::Enabled)
        };
        let equal = [(&old, 0), (&new, 0)];
        assert_eq!(chosen(&equal, Family::Ipv4).as_deref(), Some("z"));
        let preferred = [(&old, 1), (&new, 0)];
        assert_eq!(chosen(&preferred, Family::Ipv4).as_deref(), Some("a"));
        assert_eq!(chosen(&preferred, Family::Ipv6).as_deref(), Some("z"));
    }
}
