//! Leases compared with a model of them that has no files.

use std::collections::BTreeMap;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use proptest::prelude::*;

use super::tests::container;
use super::*;
use crate::addressing::{from_number, to_number};

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
    /// Every offset but the first, the gateway's, and with IPv4 the last.
    fn new(subnet: IpNet, size: u32, gateway: u32) -> Self {
        let end = match subnet {
            IpNet::V4(_) => size - 1,
            IpNet::V6(_) => size,
        };
        let usable: Vec<u32> = (1..end).filter(|offset| *offset != gateway).collect();
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

fn address_at(subnet: IpNet, offset: u32) -> IpAddr {
    from_number(subnet, to_number(subnet.network()) + u128::from(offset))
}

fn offset_of(subnet: IpNet, address: IpAddr) -> u32 {
    u32::try_from(to_number(address) - to_number(subnet.network())).unwrap()
}

/// A subnet of each family that has `size` addresses.
fn subnets(size: u32) -> [IpNet; 2] {
    let bits = u8::try_from(size.trailing_zeros()).unwrap();
    [
        Ipv4Net::new_assert("10.0.0.0".parse().unwrap(), 32 - bits).into(),
        Ipv6Net::new_assert("fd00::".parse().unwrap(), 128 - bits).into(),
    ]
}

/// Does one deed to both and compares what came of it.
fn compare(leases: &Leases, model: &mut Model, deed: &Deed) {
    let subnet = leases.addressing.subnet;
    let at = |offset: u32| address_at(subnet, offset);
    match *deed {
        Deed::Claim {
            container: number,
            preferred,
        } => {
            let preferred_is_taken = preferred.is_some_and(|offset| model.take(offset, number));
            let claimed = leases.claim(&container(number), preferred.map(at));
            match claimed {
                Ok(address) if preferred_is_taken => assert_eq!(Some(address), preferred.map(at)),
                Ok(address) => model.hand_out(offset_of(subnet, address), number),
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
        (size, subnet, gateway, deeds) in (3u32..=4).prop_flat_map(|bits| {
            let size = 1 << bits;
            let deeds = prop::collection::vec(any_deed(size), 1..120);
            (Just(size), prop::sample::select(subnets(size).to_vec()), 0..size, deeds)
        }),
    ) {
        let addressing = Addressing::new(subnet, address_at(subnet, gateway));
        let directory = tempfile::tempdir().unwrap();
        let leases = Leases::open(directory.path(), &addressing);
        let mut model = Model::new(subnet, size, gateway);
        for deed in &deeds {
            compare(&leases, &mut model, deed);
        }
        let held: BTreeMap<IpAddr, ContainerId> = leases.holders().unwrap().into_iter().collect();
        let expected: BTreeMap<IpAddr, ContainerId> = model
            .owners
            .iter()
            .map(|(offset, number)| (address_at(subnet, *offset), container(*number)))
            .collect();
        prop_assert_eq!(held, expected);
    }
}
