use tempfile::TempDir;

use super::*;

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

pub(super) fn container(number: u8) -> ContainerId {
    format!("{number:02x}").repeat(32).parse().unwrap()
}

fn addressing(subnet: &str, gateway: &str) -> Addressing {
    Addressing::new(subnet.parse().unwrap(), address(gateway))
}

fn open(addressing: &Addressing) -> (TempDir, Leases) {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("leases")).unwrap();
    let leases = Leases::open(directory.path().join("leases"), addressing);
    (directory, leases)
}

fn leases(subnet: &str, gateway: &str) -> (TempDir, Leases) {
    open(&addressing(subnet, gateway))
}

/// Leases from a range of a subnet.
fn ranged(subnet: &str, gateway: &str, range: &str) -> (TempDir, Leases) {
    open(&Addressing {
        range: Some(range.parse().unwrap()),
        ..addressing(subnet, gateway)
    })
}

fn claim_many(leases: &Leases, count: u8) -> Vec<String> {
    (1..=count)
        .map(|number| leases.claim(&container(number), None).unwrap().to_string())
        .collect()
}

#[test]
fn addresses_are_handed_out_one_after_the_other() {
    let (_directory, leases) = leases("172.17.0.1/16", "172.17.0.1");
    for (number, expected) in ["172.17.0.2", "172.17.0.3", "172.17.0.4"]
        .into_iter()
        .enumerate()
    {
        let container = container(u8::try_from(number).unwrap());
        assert_eq!(leases.claim(&container, None).unwrap(), address(expected));
        assert_eq!(leases.owner(address(expected)).unwrap(), Some(container));
    }
    let holders = leases.holders().unwrap();
    assert_eq!(holders.len(), 3);
    assert_eq!(holders[2], (address("172.17.0.4"), container(2)));
}

#[test]
fn ipv6_addresses_are_handed_out_behind_the_gateway() {
    let (_directory, leases) = leases("fd00:1:2:3::/64", "fd00:1:2:3::1");
    assert_eq!(claim_many(&leases, 2), ["fd00:1:2:3::2", "fd00:1:2:3::3"]);
    let holders = leases.holders().unwrap();
    assert_eq!(holders[0], (address("fd00:1:2:3::2"), container(1)));
    let foreign = leases.claim_static(address("10.0.0.2"), &container(1));
    assert!(matches!(foreign, Err(LeaseError::OutsideSubnet { .. })));
}

#[test]
fn addresses_come_from_the_range_and_certain_ones_from_the_whole_subnet() {
    let (_directory, leases) = ranged("10.0.0.0/24", "10.0.0.1", "10.0.0.128/30");
    assert_eq!(
        claim_many(&leases, 4),
        ["10.0.0.128", "10.0.0.129", "10.0.0.130", "10.0.0.131"]
    );
    leases
        .claim_static(address("10.0.0.7"), &container(5))
        .unwrap();
    let error = leases.claim(&container(6), None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no address is left in the range `10.0.0.128/30` of the subnet `10.0.0.0/24`: 4 of its addresses are leased"
    );
    assert!(error.hint().unwrap().contains("outside `10.0.0.128/30`"));
}

#[test]
fn a_range_at_the_end_of_the_subnet_stops_before_the_broadcast_address() {
    let (_directory, leases) = ranged("10.0.0.0/24", "10.0.0.1", "10.0.0.252/30");
    assert_eq!(
        claim_many(&leases, 3),
        ["10.0.0.252", "10.0.0.253", "10.0.0.254"]
    );
    assert!(leases.claim(&container(4), None).is_err());
}

#[test]
fn ranges_at_the_edge_of_64_bits_are_used_to_their_end() {
    let (_directory, leases) = ranged("fd00::/64", "fd00::1", "fd00::ffff:ffff:ffff:fffe/127");
    assert_eq!(
        claim_many(&leases, 2),
        ["fd00::ffff:ffff:ffff:fffe", "fd00::ffff:ffff:ffff:ffff"]
    );
    assert!(leases.claim(&container(3), None).is_err());
    let (_directory, leases) = ranged("fd00::/60", "fd00::1", "fd00:0:0:8::/61");
    let last = address("fd00::f:ffff:ffff:ffff:ffff");
    leases.move_cursor(last).unwrap();
    assert_eq!(claim_many(&leases, 2), ["fd00:0:0:8::", "fd00:0:0:8::1"]);
}

#[test]
fn an_auxiliary_address_is_nobodys() {
    let mut addressing = addressing("10.0.0.0/29", "10.0.0.1");
    for (name, auxiliary) in [("router", "10.0.0.2"), ("printer", "10.0.0.4")] {
        let auxiliary = address(auxiliary);
        addressing.auxiliary.insert(name.to_owned(), auxiliary);
    }
    let (_directory, leases) = open(&addressing);
    assert_eq!(claim_many(&leases, 3), ["10.0.0.3", "10.0.0.5", "10.0.0.6"]);
    let error = leases
        .claim_static(address("10.0.0.4"), &container(4))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "address `10.0.0.4` is the auxiliary address `printer` of `10.0.0.0/29`"
    );
}

#[test]
fn a_freed_address_is_not_handed_out_again_at_once() {
    let (_directory, leases) = leases("10.0.0.0/29", "10.0.0.1");
    let first = leases.claim(&container(1), None).unwrap();
    assert!(leases.release(first, &container(1)).unwrap());
    assert_eq!(leases.owner(first).unwrap(), None);
    let next: Vec<IpAddr> = (2..=5)
        .map(|number| leases.claim(&container(number), None).unwrap())
        .collect();
    assert_eq!(
        next,
        ["10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6"].map(address)
    );
    assert_eq!(leases.claim(&container(6), None).unwrap(), first);
}

#[test]
fn an_address_freed_just_ahead_of_the_cursor_is_passed_over() {
    let (_directory, leases) = leases("10.0.0.0/29", "10.0.0.1");
    let ahead = address("10.0.0.2");
    leases.claim_static(ahead, &container(1)).unwrap();
    leases.release(ahead, &container(1)).unwrap();
    assert_eq!(
        leases.claim(&container(2), None).unwrap(),
        address("10.0.0.3")
    );
}

#[test]
fn a_container_that_comes_back_gets_its_address_again() {
    let (_directory, leases) = leases("10.0.0.0/24", "10.0.0.1");
    let first = leases.claim(&container(1), None).unwrap();
    leases.release(first, &container(1)).unwrap();
    leases.claim(&container(2), None).unwrap();
    assert_eq!(leases.claim(&container(1), Some(first)).unwrap(), first);
    assert_eq!(leases.claim(&container(1), Some(first)).unwrap(), first);
}

#[test]
fn a_preferred_address_that_cannot_be_had_is_replaced_by_the_next_free_one() {
    let (_directory, leases) = leases("10.0.0.0/24", "10.0.0.1");
    let taken = leases.claim(&container(1), None).unwrap();
    for (preferred, expected) in [
        (taken, "10.0.0.3"),
        (address("10.0.0.1"), "10.0.0.4"),
        (address("192.168.0.9"), "10.0.0.5"),
    ] {
        let claimed = leases.claim(&container(2), Some(preferred)).unwrap();
        assert_eq!(claimed, address(expected));
    }
}

#[test]
fn an_address_that_is_taken_names_its_owner() {
    let (_directory, leases) = leases("10.0.0.0/24", "10.0.0.1");
    let wanted = address("10.0.0.9");
    leases.claim_static(wanted, &container(0xab)).unwrap();
    leases.claim_static(wanted, &container(0xab)).unwrap();
    let error = leases.claim_static(wanted, &container(2)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "address `10.0.0.9` is taken by container `abababababab`"
    );
}

#[test]
fn addresses_with_a_meaning_of_their_own_are_refused() {
    let (_directory, leases) = leases("10.0.0.0/24", "10.0.0.254");
    let refusal = |text| {
        leases
            .claim_static(address(text), &container(1))
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        refusal("10.0.0.254"),
        "address `10.0.0.254` is the gateway of `10.0.0.0/24`"
    );
    assert_eq!(
        refusal("10.0.0.0"),
        "address `10.0.0.0` is the network address of `10.0.0.0/24`"
    );
    assert_eq!(
        refusal("10.0.0.255"),
        "address `10.0.0.255` is the broadcast address of `10.0.0.0/24`"
    );
    assert_eq!(
        refusal("10.0.1.1"),
        "address `10.0.1.1` is not in the subnet `10.0.0.0/24`"
    );
}

#[test]
fn only_the_owner_releases_an_address() {
    let (_directory, leases) = leases("10.0.0.0/24", "10.0.0.1");
    let claimed = leases.claim(&container(1), None).unwrap();
    assert!(!leases.release(claimed, &container(2)).unwrap());
    assert!(!leases.release(address("10.0.0.77"), &container(1)).unwrap());
    assert_eq!(leases.owner(claimed).unwrap(), Some(container(1)));
}

#[test]
fn a_network_of_two_addresses_has_room_for_one_container() {
    let (_directory, leases) = leases("10.0.0.0/31", "10.0.0.0");
    assert_eq!(
        leases.claim(&container(1), None).unwrap(),
        address("10.0.0.1")
    );
    let error = leases.claim(&container(2), None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no address is left in the subnet `10.0.0.0/31`: 1 of its addresses is leased"
    );
}

#[test]
fn the_hint_for_a_foreign_address_names_the_range() {
    let (_directory, leases) = leases("10.0.0.0/8", "10.0.0.1");
    let error = leases
        .claim_static(address("11.0.0.1"), &container(1))
        .unwrap_err();
    assert_eq!(
        error.hint().unwrap(),
        "choose an address from `10.0.0.1` to `10.255.255.254`"
    );
}

#[test]
fn leases_outlive_the_process_that_made_them() {
    let (directory, leases) = leases("10.0.0.0/24", "10.0.0.1");
    leases.claim(&container(1), None).unwrap();
    let path = directory.path().join("leases");
    let again = Leases::open(path, &addressing("10.0.0.0/24", "10.0.0.1"));
    assert_eq!(
        again.claim(&container(2), None).unwrap(),
        address("10.0.0.3")
    );
}

#[test]
fn a_cursor_that_makes_no_sense_is_ignored() {
    let (directory, leases) = leases("10.0.0.0/24", "10.0.0.1");
    for nonsense in ["somewhere", "192.168.7.7"] {
        let cursor = directory.path().join("leases/cursor");
        remove_if_there(&cursor).unwrap();
        symlink(nonsense, &cursor).unwrap();
        let claimed = leases.claim(&container(1), None).unwrap();
        assert!(leases.addressing.contains(claimed));
    }
}

#[test]
fn a_lease_that_names_no_container_is_reported() {
    let (directory, leases) = leases("10.0.0.0/24", "10.0.0.1");
    let path = directory.path().join("leases/10.0.0.2");
    symlink("nobody", &path).unwrap();
    let error = leases
        .claim_static(address("10.0.0.2"), &container(1))
        .unwrap_err();
    assert!(matches!(&error, LeaseError::Corrupt { path: named } if *named == path));
    assert!(error.hint().unwrap().contains("10.0.0.2"));
}
