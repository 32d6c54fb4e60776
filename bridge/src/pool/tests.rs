use proptest::prelude::*;

use super::*;

fn net(text: &str) -> Ipv4Net {
    text.parse().unwrap()
}

fn pool(base: &str, size: u8) -> AddressPool {
    AddressPool::new(net(base), size).unwrap()
}

fn held(nets: &[&str]) -> Vec<Held> {
    nets.iter()
        .map(|text| Held {
            net: text.parse().unwrap(),
            by: Holder::Interface("eth7".to_owned()),
        })
        .collect()
}

#[test]
fn the_preferred_subnet_is_taken_when_it_is_free() {
    let chosen = choose_subnet(
        net("172.17.0.1/16"),
        &[pool("172.16.0.0/12", 24)],
        &held(&["0.0.0.0/0", "192.168.1.0/24"]),
    );
    assert_eq!(chosen.unwrap(), net("172.17.0.0/16"));
}

#[test]
fn a_held_preferred_subnet_gives_way_to_the_pools() {
    let chosen = choose_subnet(
        net("172.17.0.0/16"),
        &[pool("172.16.0.0/12", 24)],
        &held(&["172.17.3.0/24", "172.16.0.0/24", "172.16.1.128/25"]),
    );
    assert_eq!(chosen.unwrap(), net("172.16.2.0/24"));
}

#[test]
fn a_route_wider_than_the_pool_uses_it_up() {
    let error = choose_from_pools(
        &[pool("10.0.0.0/8", 30)],
        &held(&["10.0.0.0/8", "192.168.0.0/16"]),
    )
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        "no free subnet is left for the network: `10.0.0.0/8` is held by a route through `eth7`"
    );
    assert!(error.hint().unwrap().contains("address_pools"));
}

#[test]
fn both_halves_of_a_default_route_hold_nothing() {
    let chosen = choose_subnet(
        net("172.17.0.0/16"),
        &[],
        &held(&["0.0.0.0/1", "128.0.0.0/1"]),
    );
    assert_eq!(chosen.unwrap(), net("172.17.0.0/16"));
}

#[test]
fn the_last_subnet_of_the_whole_address_space_can_be_chosen() {
    let chosen = choose_from_pools(
        &[pool("255.255.255.0/24", 25)],
        &held(&["255.255.255.0/25"]),
    );
    assert_eq!(chosen.unwrap(), net("255.255.255.128/25"));
    let none = choose_from_pools(
        &[pool("255.255.255.0/24", 25)],
        &held(&["255.255.255.0/24"]),
    );
    assert!(none.is_err());
}

#[test]
fn an_error_counts_the_holders_it_does_not_name() {
    let nets: Vec<String> = (0..12).map(|third| format!("10.0.{third}.0/24")).collect();
    let nets: Vec<&str> = nets.iter().map(String::as_str).collect();
    let error = choose_subnet(net("10.0.0.0/20"), &[], &held(&nets)).unwrap_err();
    assert!(error.to_string().ends_with(" and 4 more"), "{error}");
    let PoolError::Exhausted { holders } = error;
    assert_eq!(holders.len(), 12);
}

#[test]
fn a_unique_local_subnet_is_made_of_the_random_bytes() {
    for (random, expected) in [
        ([0x12, 0x34, 0x56, 0x78, 0x9a], "fd12:3456:789a::/64"),
        ([0; 5], "fd00::/64"),
        ([0xff; 5], "fdff:ffff:ffff::/64"),
    ] {
        let chosen = choose_ula(random, &held(&["::/0", "2000::/3", "10.0.0.0/8"])).unwrap();
        assert_eq!(chosen, expected.parse().unwrap());
    }
}

#[test]
fn a_unique_local_site_that_somebody_uses_is_passed_over() {
    let nets = held(&["fdff:ffff:ffff:7::/64", "fd00::1/128"]);
    let chosen = choose_ula([0xff; 5], &nets).unwrap();
    assert_eq!(chosen, "fd9e:3779:b97e::/64".parse().unwrap());
    let error = choose_ula([1; 5], &held(&["fc00::/7"])).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("`fc00::/7` is held by a route through `eth7`")
    );
}

#[test]
fn the_families_do_not_overlap() {
    let ipv4: IpNet = "0.0.0.0/0".parse().unwrap();
    assert!(!overlaps(ipv4, "::/0".parse().unwrap()));
    let mapped = "::ffff:10.0.0.0/104".parse().unwrap();
    assert!(!overlaps("10.0.0.0/8".parse().unwrap(), mapped));
}

#[test]
fn a_pool_that_cannot_be_cut_is_refused() {
    assert_eq!(
        AddressPool::new(net("10.1.2.3/8"), 24)
            .unwrap_err()
            .to_string(),
        "pool base `10.1.2.3/8` has host bits set; write `10.0.0.0/8`"
    );
    assert_eq!(
        AddressPool::new(net("10.0.0.0/24"), 16)
            .unwrap_err()
            .to_string(),
        "pool size 16 does not fit `10.0.0.0/24`; write a prefix length from 24 to 30"
    );
    assert!(AddressPool::new(net("10.0.0.0/24"), 31).is_err());
}

prop_compose! {
    fn any_net(shortest: u8, longest: u8)(address: u32, prefix in shortest..=longest) -> Ipv4Net {
        Ipv4Net::new(Ipv4Addr::from(address), prefix).unwrap().trunc()
    }
}

prop_compose! {
    fn nearby_net()(low in 0u32..0x0400, prefix in 20u8..=32) -> Ipv4Net {
        Ipv4Net::new(Ipv4Addr::from(0x0a00_0000 | low), prefix).unwrap().trunc()
    }
}

proptest! {
    #[test]
    fn overlap_means_a_shared_address(one in any_net(0, 32), other in any_net(0, 32)) {
        let share = one.network() <= other.broadcast() && other.network() <= one.broadcast();
        prop_assert_eq!(overlaps(one.into(), other.into()), share);
    }

    #[test]
    fn the_choice_is_what_trying_every_subnet_finds(
        nets in prop::collection::vec(nearby_net(), 0..12),
        size in 22u8..=30,
    ) {
        let pool = pool("10.0.0.0/22", size);
        let held: Vec<Held> = nets.iter().map(|net| Held { net: (*net).into(), by: Holder::Table(7) }).collect();
        let tried = pool.base.subnets(size).unwrap().find(|subnet| {
            nets.iter().all(|net| !overlaps((*subnet).into(), (*net).into()))
        });
        prop_assert_eq!(choose_from_pools(&[pool], &held).ok(), tried);
    }
}
