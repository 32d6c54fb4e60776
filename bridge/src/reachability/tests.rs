//! The prediction for small worlds, and what holds in all of them.

mod invariants;
mod small_world;

use super::*;
use crate::network::{GatewayMode, Masquerade};
use small_world::{HOST, Kind, Resident, Target, at, places, verdict, world};

const OPEN: Kind = Kind {
    icc: Icc::Enabled,
    masquerade: Masquerade::Enabled,
    gateway_mode: GatewayMode::Nat,
    reach: Reach::External,
};
const CLOSED: Kind = Kind {
    icc: Icc::Disabled,
    ..OPEN
};
const ROUTED: Kind = Kind {
    gateway_mode: GatewayMode::Routed,
    ..OPEN
};
const INTERNAL: Kind = Kind {
    reach: Reach::Internal,
    ..OPEN
};

fn on(networks: &[usize]) -> Resident {
    Resident {
        networks: networks.to_vec(),
        ..Resident::default()
    }
}

fn publishing(networks: &[usize]) -> Resident {
    Resident {
        publishes: true,
        ..on(networks)
    }
}

fn linked(networks: &[usize], links: &[usize]) -> Resident {
    Resident {
        links: links.to_vec(),
        ..on(networks)
    }
}

fn closed(obstacle: Obstacle) -> Verdict {
    Verdict::Closed(obstacle)
}

#[test]
fn with_icc_off_a_link_opens_exposed_ports_one_way() {
    let world = world(&[CLOSED], &[on(&[0]), linked(&[0], &[0]), on(&[0])]);
    let other_port = Target::At {
        container: 0,
        network: 0,
        port: 81,
    };
    assert_eq!(verdict(&world, 1, at(0, 0)), Verdict::Open);
    for (caller, target) in [(1, other_port), (0, at(1, 0)), (2, at(0, 0))] {
        assert_eq!(verdict(&world, caller, target), closed(Obstacle::NotLinked));
    }
}

#[test]
fn a_published_port_is_open_to_itself_to_other_networks_and_to_linked_peers() {
    let residents = [publishing(&[0]), linked(&[0], &[0]), on(&[0]), on(&[1])];
    let published = Target::Published { container: 0 };
    let world = world(&[CLOSED, OPEN], &residents);
    for caller in [0, 1, 3] {
        assert_eq!(
            verdict(&world, caller, published),
            Verdict::Open,
            "{caller}"
        );
    }
    assert_eq!(verdict(&world, 2, published), closed(Obstacle::NotLinked));
    let nobody = Target::Published { container: 3 };
    assert_eq!(verdict(&world, 0, nobody), closed(Obstacle::NobodyThere));
}

#[test]
fn between_networks_addresses_are_hidden_or_published_ones_are_open() {
    let residents = [publishing(&[0]), publishing(&[1]), on(&[1]), on(&[0])];
    let world = world(&[OPEN, ROUTED], &residents);
    assert_eq!(verdict(&world, 1, at(0, 0)), closed(Obstacle::Hidden));
    assert_eq!(verdict(&world, 0, at(1, 1)), Verdict::Open);
    assert_eq!(verdict(&world, 0, at(2, 1)), closed(Obstacle::NotPublished));
    assert_eq!(verdict(&world, 3, at(0, 0)), Verdict::Open);
}

#[test]
fn an_internal_network_leads_nowhere_even_for_those_who_know_the_way() {
    let world = world(
        &[INTERNAL, OPEN],
        &[on(&[0]), publishing(&[1]), on(&[0, 1])],
    );
    let published = Target::Published { container: 1 };
    assert_eq!(verdict(&world, 0, published), closed(Obstacle::NoRoute));
    assert_eq!(verdict(&world, 1, at(0, 0)), closed(Obstacle::Internal));
    assert_eq!(verdict(&world, 2, published), Verdict::Open);
    let by_its_own_gateway = Question {
        address: "10.0.0.1".parse().expect("an address"),
        ..published.question(0, Family::Ipv4)
    };
    let answer = world.predict(&by_its_own_gateway);
    assert_eq!(answer, closed(Obstacle::Internal));
}

#[test]
fn a_target_on_the_network_of_a_caller_who_is_not_hidden_answers_astray() {
    let residents = [on(&[0]), publishing(&[0, 1])];
    let published = Target::Published { container: 1 };
    let unmasked = Kind {
        masquerade: Masquerade::Disabled,
        ..OPEN
    };
    for (kinds, expected) in [
        // Of equals the first by name leads out, so the port is published through the first network.
        ([OPEN, OPEN], Verdict::Open),
        ([unmasked, OPEN], Verdict::Open),
    ] {
        assert_eq!(verdict(&world(&kinds, &residents), 0, published), expected);
    }
    let residents = [on(&[1]), publishing(&[0, 1])];
    for (kinds, expected) in [
        ([OPEN, OPEN], Verdict::Open),
        ([OPEN, unmasked], closed(Obstacle::AnswersAstray)),
        ([OPEN, ROUTED], closed(Obstacle::AnswersAstray)),
    ] {
        assert_eq!(verdict(&world(&kinds, &residents), 0, published), expected);
    }
    let residents = [on(&[0]), publishing(&[0, 1])];
    let closed_and_routed = Kind {
        icc: Icc::Disabled,
        ..ROUTED
    };
    for (kinds, expected) in [
        ([ROUTED, ROUTED], Verdict::Open),
        ([closed_and_routed, ROUTED], closed(Obstacle::AnswersAstray)),
    ] {
        assert_eq!(verdict(&world(&kinds, &residents), 0, at(1, 1)), expected);
    }
}

#[test]
fn what_is_a_containers_own_never_leaves_it() {
    let world = world(&[CLOSED, CLOSED], &[on(&[0, 1])]);
    assert_eq!(verdict(&world, 0, at(0, 0)), Verdict::Open);
    assert_eq!(verdict(&world, 0, at(0, 1)), Verdict::Open);
}
