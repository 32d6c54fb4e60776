//! Tests of addresses, in namespaces of their own.

use super::*;
use crate::bridge_device::BridgeDevice;
use crate::endpoint::bring_up_loopback;
use crate::scratch::in_fresh_namespace;
use std::net::Ipv6Addr;

const GATEWAY: InterfaceAddress = InterfaceAddress {
    address: IpAddr::V4(Ipv4Addr::new(172, 17, 0, 1)),
    prefix_length: 16,
};

const GATEWAY_V6: InterfaceAddress = InterfaceAddress {
    address: IpAddr::V6(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1)),
    prefix_length: 64,
};

fn bridge(netlink: &mut Netlink) -> LinkIndex {
    netlink.create_bridge(&BridgeDevice::for_tests()).unwrap()
}

/// The flags that the kernel shows for an IPv6 address of the calling thread's namespace.
fn flags(address: &str) -> u32 {
    let table = std::fs::read_to_string("/proc/thread-self/net/if_inet6").unwrap();
    let line = table.lines().find(|line| line.starts_with(address));
    let flags = line.unwrap().split_whitespace().nth(4);
    u32::from_str_radix(flags.unwrap(), 16).unwrap()
}

#[test]
fn an_ipv6_address_may_be_used_as_soon_as_it_is_given() {
    in_fresh_namespace(|| {
        let mut netlink = Netlink::open().unwrap();
        let index = bridge(&mut netlink);
        netlink.add_address(index, GATEWAY_V6).unwrap();
        // IFA_F_PERMANENT and IFA_F_NODAD of `linux/if_addr.h`, and not IFA_F_TENTATIVE.
        assert_eq!(flags("fd000000000000000000000000000001"), 0x82);
        std::net::UdpSocket::bind((GATEWAY_V6.address, 0)).unwrap();
    });
}

#[test]
fn both_families_are_listed_without_what_the_kernel_gives_itself() {
    in_fresh_namespace(|| {
        let mut netlink = Netlink::open().unwrap();
        bring_up_loopback(&mut netlink).unwrap();
        let index = bridge(&mut netlink);
        let link_local = InterfaceAddress {
            address: "fe80::1".parse().unwrap(),
            prefix_length: 64,
        };
        for address in [link_local, GATEWAY_V6, GATEWAY] {
            netlink.add_address(index, address).unwrap();
        }
        let listed = netlink.list_addresses(index).unwrap();
        assert_eq!(listed, [GATEWAY, GATEWAY_V6]);
        let local = netlink.local_addresses().unwrap();
        let expected = ["127.0.0.1", "172.17.0.1", "::1", "fd00::1", "fe80::1"];
        for address in expected {
            assert!(local.contains(&address.parse().unwrap()), "{local:?}");
        }
        assert!(local.is_sorted());
    });
}

#[test]
fn an_address_is_deleted_once_and_only_with_its_own_prefix() {
    in_fresh_namespace(|| {
        let mut netlink = Netlink::open().unwrap();
        let index = bridge(&mut netlink);
        for address in [GATEWAY, GATEWAY_V6] {
            netlink.add_address(index, address).unwrap();
            let narrower = InterfaceAddress {
                prefix_length: address.prefix_length + 1,
                ..address
            };
            assert!(!netlink.delete_address(index, narrower).unwrap());
            assert!(netlink.delete_address(index, address).unwrap());
            assert!(!netlink.delete_address(index, address).unwrap());
        }
        assert_eq!(netlink.list_addresses(index).unwrap(), []);
        let error = netlink.delete_address(LinkIndex(77), GATEWAY).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ENODEV));
    });
}

#[test]
fn an_interface_with_ipv6_disabled_refuses_an_ipv6_address() {
    in_fresh_namespace(|| {
        let mut netlink = Netlink::open().unwrap();
        let index = bridge(&mut netlink);
        crate::prepare_interface("minirun0", crate::Ipv6::Disabled).unwrap();
        let error = netlink.add_address(index, GATEWAY_V6).unwrap_err();
        assert!(error.to_string().contains("`fd00::1/64`"), "{error}");
    });
}

#[test]
fn an_address_is_added_once_and_listed() {
    in_fresh_namespace(|| {
        let mut netlink = Netlink::open().unwrap();
        let index = netlink.create_bridge(&BridgeDevice::for_tests()).unwrap();
        netlink.add_address(index, GATEWAY).unwrap();
        assert_eq!(netlink.list_addresses(index).unwrap(), [GATEWAY]);
        assert_eq!(netlink.list_addresses(LinkIndex::LOOPBACK).unwrap(), []);

        let error = netlink.add_address(index, GATEWAY).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EEXIST));
        let text = error.to_string();
        assert!(
            text.contains("`172.17.0.1/16`") && text.contains("`minirun0`"),
            "{text}"
        );
    });
}

#[test]
fn an_impossible_prefix_is_refused_by_the_kernel() {
    in_fresh_namespace(|| {
        let mut netlink = Netlink::open().unwrap();
        let index = netlink.create_bridge(&BridgeDevice::for_tests()).unwrap();
        let address = InterfaceAddress {
            prefix_length: 33,
            ..GATEWAY
        };
        let error = netlink.add_address(index, address).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EINVAL));
    });
}

#[test]
fn the_broadcast_address_is_the_last_of_the_network() {
    let broadcast = |prefix_length| {
        InterfaceAddress {
            prefix_length,
            ..GATEWAY
        }
        .broadcast()
    };
    assert_eq!(broadcast(0), Some(Ipv4Addr::BROADCAST));
    assert_eq!(broadcast(16), Some(Ipv4Addr::new(172, 17, 255, 255)));
    assert_eq!(broadcast(30), Some(Ipv4Addr::new(172, 17, 0, 3)));
    assert_eq!([broadcast(31), broadcast(32), broadcast(33)], [None; 3]);
}

#[test]
fn ipv6_has_no_broadcast() {
    assert_eq!(GATEWAY_V6.broadcast(), None);
}

#[test]
fn the_steps_print_their_commands() {
    let name = "minirun0".to_string();
    let adding = |address| AddAddress {
        name: name.clone(),
        address,
    };
    assert_eq!(
        adding(GATEWAY).explain().command,
        "ip address add 172.17.0.1/16 broadcast 172.17.255.255 dev minirun0"
    );
    assert_eq!(
        adding(GATEWAY_V6).explain().command,
        "ip address add fd00::1/64 dev minirun0 nodad"
    );
    let removing = RemoveAddress {
        name: name.clone(),
        address: GATEWAY_V6,
    };
    assert_eq!(
        removing.explain().command,
        "ip address delete fd00::1/64 dev minirun0"
    );
}
