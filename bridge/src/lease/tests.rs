use std::collections::BTreeMap;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

fn address(text: &str) -> Ipv4Addr {
    text.parse().unwrap()
}

fn container(number: u8) -> ContainerId {
    format!("{number:02x}").repeat(32).parse().unwrap()
}

fn leases(subnet: &str, gateway: &str) -> (TempDir, Leases) {
    let directory = tempfile::tempdir().unwrap();
    let leases = Leases::open(
        directory.path().join("leases"),
        subnet.parse().unwrap(),
        address(gateway),
    )
    .unwrap();
    (directory, leases)
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
fn a_freed_address_is_not_handed_out_again_at_once() {
    let (_directory, leases) = leases("10.0.0.0/29", "10.0.0.1");
    let first = leases.claim(&container(1), None).unwrap();
    assert!(leases.release(first, &container(1)).unwrap());
    assert_eq!(leases.owner(first).unwrap(), None);
    let next: Vec<Ipv4Addr> = (2..=5)
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
    let again = Leases::open(path, "10.0.0.0/24".parse().unwrap(), address("10.0.0.1")).unwrap();
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
        assert!(leases.subnet.contains(&claimed));
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

/// What the property test does to the leases. Offsets are those of addresses from the start of the subnet.
#[derive(Debug, Clone)]
enum Deed {
    Claim {
        container: u8,
        preferred: Option<u32>,
    },
    ClaimStatic {
        container: u8,
        offset: u32,
    },
    Release {
        container: u8,
        offset: u32,
    },
}

fn any_deed(size: u32) -> impl Strategy<Value = Deed> {
    let container = 0u8..6;
    let offset = 0..size + 2;
    prop_oneof![
        4 => container.clone().prop_map(|container| Deed::Claim { container, preferred: None }),
        1 => (container.clone(), offset.clone()).prop_map(|(container, offset)| {
            Deed::Claim { container, preferred: Some(offset) }
        }),
        1 => (container.clone(), offset.clone()).prop_map(|(container, offset)| {
            Deed::ClaimStatic { container, offset }
        }),
        6 => (container, offset).prop_map(|(container, offset)| Deed::Release { container, offset }),
    ]
}

/// What must hold, kept without files: who owns what, and how far the cursor has travelled since each address was freed.
struct Model {
    /// Offsets that can be leased, in the order of the cursor.
    usable: Vec<u32>,
    owners: BTreeMap<u32, u8>,
    /// How far the cursor had travelled when the address was last given back.
    freed_at: BTreeMap<u32, usize>,
    travelled: usize,
    /// Position in `usable` of the last address of the cursor.
    cursor: usize,
}

impl Model {
    fn new(size: u32, gateway: u32) -> Self {
        let usable: Vec<u32> = (1..size - 1).filter(|offset| *offset != gateway).collect();
        Self {
            cursor: usable.len() - 1,
            usable,
            owners: BTreeMap::new(),
            freed_at: BTreeMap::new(),
            travelled: 0,
        }
    }

    /// Steps from the cursor to the address: 1 for the next one, a full round for the cursor's own.
    fn distance(&self, offset: u32) -> usize {
        let position = self.usable.iter().position(|usable| *usable == offset);
        let n = self.usable.len();
        (position.unwrap() + n - self.cursor - 1) % n + 1
    }

    /// Whether the cursor, going to this free address, will not have gone round since the address was given back.
    fn is_early(&self, offset: u32) -> bool {
        self.freed_at.get(&offset).is_some_and(|freed_at| {
            self.travelled - freed_at + self.distance(offset) <= self.usable.len()
        })
    }

    fn free(&self) -> impl Iterator<Item = u32> {
        self.usable
            .iter()
            .copied()
            .filter(|offset| !self.owners.contains_key(offset))
    }

    /// Notes an address that the cursor handed out, having checked that it had the right to.
    fn hand_out(&mut self, offset: u32, container: u8) {
        assert!(self.usable.contains(&offset), "reserved: {offset}");
        assert!(!self.owners.contains_key(&offset), "two owners: {offset}");
        if self.is_early(offset) {
            assert!(self.free().all(|other| self.is_early(other)), "{offset}");
            self.travelled += self.usable.len();
        }
        self.travelled += self.distance(offset);
        self.cursor = self
            .usable
            .iter()
            .position(|usable| *usable == offset)
            .unwrap();
        self.freed_at.remove(&offset);
        self.owners.insert(offset, container);
    }

    /// Notes a claim of a certain address; says whether it must succeed.
    fn take(&mut self, offset: u32, container: u8) -> bool {
        if !self.usable.contains(&offset) {
            return false;
        }
        let owner = *self.owners.entry(offset).or_insert(container);
        if owner == container {
            self.freed_at.remove(&offset);
        }
        owner == container
    }

    fn release(&mut self, offset: u32, container: u8) -> bool {
        let is_owner = self.owners.get(&offset) == Some(&container);
        if is_owner {
            self.owners.remove(&offset);
            self.freed_at.insert(offset, self.travelled);
        }
        is_owner
    }
}

/// Does one deed to both and compares what came of it.
fn compare(leases: &Leases, model: &mut Model, deed: &Deed) {
    let network = u32::from(leases.subnet.network());
    let at = |offset: u32| Ipv4Addr::from(network + offset);
    match *deed {
        Deed::Claim {
            container: number,
            preferred,
        } => {
            let preferred_is_taken = preferred.is_some_and(|offset| model.take(offset, number));
            let claimed = leases.claim(&container(number), preferred.map(at));
            match claimed {
                Ok(address) if preferred_is_taken => assert_eq!(Some(address), preferred.map(at)),
                Ok(address) => model.hand_out(u32::from(address) - network, number),
                Err(LeaseError::Exhausted { held, .. }) => {
                    assert_eq!(held, model.usable.len());
                    assert_eq!(model.free().count(), 0);
                }
                Err(error) => panic!("{error}"),
            }
        }
        Deed::ClaimStatic {
            container: number,
            offset,
        } => {
            let claimed = leases.claim_static(at(offset), &container(number));
            assert_eq!(claimed.is_ok(), model.take(offset, number));
        }
        Deed::Release {
            container: number,
            offset,
        } => {
            let released = leases.release(at(offset), &container(number)).unwrap();
            assert_eq!(released, model.release(offset, number));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn leases_agree_with_a_model_that_has_no_files(
        (size, gateway, deeds) in (3u32..=4).prop_flat_map(|bits| {
            let size = 1 << bits;
            (Just(size), 0..size, prop::collection::vec(any_deed(size), 1..120))
        }),
    ) {
        let subnet = Ipv4Net::new(Ipv4Addr::new(10, 0, 0, 0), (32 - size.trailing_zeros()) as u8).unwrap();
        let gateway_address = Ipv4Addr::from(u32::from(subnet.network()) + gateway);
        let directory = tempfile::tempdir().unwrap();
        let leases = Leases::open(directory.path(), subnet, gateway_address).unwrap();
        let mut model = Model::new(size, gateway);
        for deed in &deeds {
            compare(&leases, &mut model, deed);
        }
        let held: BTreeMap<Ipv4Addr, ContainerId> = leases.holders().unwrap().into_iter().collect();
        let expected: BTreeMap<Ipv4Addr, ContainerId> = model
            .owners
            .iter()
            .map(|(offset, number)| (Ipv4Addr::from(u32::from(subnet.network()) + offset), container(*number)))
            .collect();
        prop_assert_eq!(held, expected);
    }
}
