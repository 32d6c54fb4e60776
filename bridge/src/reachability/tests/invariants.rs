//! What holds in every world.

use super::*;
use crate::egress::Egress;
use proptest::prelude::*;
use proptest::sample::subsequence;

const NETWORKS: usize = 3;
const RESIDENTS: usize = 5;

fn any_kind() -> impl Strategy<Value = Kind> {
    let reach = prop_oneof![3 => Just(Reach::External), 1 => Just(Reach::Internal)];
    let mode = prop_oneof![2 => Just(GatewayMode::Nat), 1 => Just(GatewayMode::Routed)];
    (any::<bool>(), any::<bool>(), mode, reach).prop_map(|(icc, masquerade, mode, reach)| Kind {
        icc: icc.into(),
        masquerade: masquerade.into(),
        gateway_mode: mode,
        reach,
    })
}

fn any_resident() -> impl Strategy<Value = Resident> {
    let networks = subsequence((0..NETWORKS).collect::<Vec<_>>(), 1..=NETWORKS);
    let links = subsequence((0..RESIDENTS).collect::<Vec<_>>(), 0..=2);
    (networks, links, any::<bool>()).prop_map(|(networks, links, publishes)| Resident {
        networks,
        links,
        publishes,
        ..Resident::default()
    })
}

fn any_kinds() -> impl Strategy<Value = Vec<Kind>> {
    prop::collection::vec(any_kind(), NETWORKS)
}

fn any_residents() -> impl Strategy<Value = Vec<Resident>> {
    prop::collection::vec(any_resident(), RESIDENTS)
}

/// Every question that can be asked in a world: who calls, and where.
fn questions(residents: &[Resident]) -> Vec<(usize, Target)> {
    let mut targets = Vec::new();
    for (container, resident) in residents.iter().enumerate() {
        targets.push(Target::Published { container });
        for network in resident.networks.iter().copied() {
            targets.extend([80, 81].map(|port| Target::At {
                container,
                network,
                port,
            }));
        }
    }
    let callers = 0..residents.len();
    callers
        .flat_map(|caller| targets.iter().map(move |target| (caller, *target)))
        .collect()
}

fn verdicts(world: &World, residents: &[Resident]) -> Vec<Verdict> {
    let questions = questions(residents).into_iter();
    questions
        .map(|(caller, target)| verdict(world, caller, target))
        .collect()
}

proptest! {
    #[test]
    fn with_icc_off_peers_meet_if_and_only_if_one_is_linked_and_the_other_exposes_the_port(
        kinds in any_kinds(), residents in any_residents()
    ) {
        let world = world(&kinds, &residents);
        for (caller, target) in questions(&residents) {
            let Target::At { container, network, port } = target else { continue };
            let shares = residents[caller].networks.contains(&network);
            if caller == container || !shares || kinds[network].icc == Icc::Enabled {
                continue;
            }
            let wanted = residents[caller].links.contains(&container) && port == 80;
            prop_assert_eq!(verdict(&world, caller, target) == Verdict::Open, wanted);
        }
    }

    #[test]
    fn an_internal_network_is_closed_from_everywhere_and_to_everywhere(
        kinds in any_kinds(), residents in any_residents()
    ) {
        let world = world(&kinds, &residents);
        let is_internal = |network: &usize| kinds[*network].reach == Reach::Internal;
        for (caller, target) in questions(&residents) {
            let from = &residents[caller].networks;
            let shut = match target {
                _ if caller == target.container() => false,
                Target::At { network, .. } => {
                    !from.contains(&network)
                        && (is_internal(&network) || from.iter().all(is_internal))
                }
                Target::Published { container } => {
                    from.iter().all(is_internal)
                        || residents[container].networks.iter().all(is_internal)
                }
            };
            if shut {
                prop_assert_ne!(verdict(&world, caller, target), Verdict::Open);
            }
        }
    }

    #[test]
    fn a_link_never_opens_the_way_back_or_any_other(
        kinds in any_kinds(), residents in any_residents(), source in 0..RESIDENTS, to in 0..RESIDENTS
    ) {
        let before = world(&kinds, &residents);
        let mut more = residents.clone();
        more[source].links.push(to);
        let after = world(&kinds, &more);
        for (caller, target) in questions(&residents) {
            let (was, is) = (verdict(&before, caller, target), verdict(&after, caller, target));
            if (caller, target.container()) == (source, to) {
                prop_assert!(was != Verdict::Open || is == Verdict::Open, "a link closes nothing");
            } else {
                prop_assert_eq!(was, is, "from {} to {:?}", caller, target);
            }
        }
    }

    #[test]
    fn what_is_neither_shared_nor_published_is_closed(
        kinds in any_kinds(), residents in any_residents()
    ) {
        let world = world(&kinds, &residents);
        for (caller, target) in questions(&residents) {
            let container = target.container();
            let shares = match target {
                Target::At { network, .. } => residents[caller].networks.contains(&network),
                Target::Published { .. } => false,
            };
            let is_published = residents[container].publishes
                && !matches!(target, Target::At { port: 81, .. });
            if caller != container && !shares && !is_published {
                prop_assert_ne!(verdict(&world, caller, target), Verdict::Open);
            }
        }
    }

    #[test]
    fn the_order_of_networks_and_endpoints_is_of_no_account(
        kinds in any_kinds(), residents in any_residents(), turn in 0..NETWORKS
    ) {
        let mut places = places(&kinds, &residents);
        let straight = World::new(places.clone(), HOST);
        places.rotate_left(turn);
        for (_, endpoints) in &mut places {
            endpoints.reverse();
        }
        let turned = World::new(places, HOST);
        prop_assert_eq!(verdicts(&straight, &residents), verdicts(&turned, &residents));
    }

    #[test]
    fn a_restriction_closes_what_leads_beyond_the_network_and_nothing_else(
        kinds in any_kinds(), residents in any_residents()
    ) {
        let restricted: Vec<Resident> = residents
            .iter()
            .map(|resident| Resident {
                egress: Egress { allowed: "none".parse().unwrap(), ..Egress::default() },
                ..resident.clone()
            })
            .collect();
        let (free, closed) = (world(&kinds, &residents), world(&kinds, &restricted));
        for (caller, target) in questions(&residents) {
            let (before, after) = (verdict(&free, caller, target), verdict(&closed, caller, target));
            let networks = &residents[caller].networks;
            let is_beside = matches!(target, Target::At { network, .. } if networks.contains(&network));
            prop_assert!(before == after || after == Verdict::Closed(Obstacle::NotAllowed));
            prop_assert!(!is_beside || before == after, "{caller} to {target:?}");
        }
    }
}
