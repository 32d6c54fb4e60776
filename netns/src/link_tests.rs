//! Links, as the kernel shows and changes them.

use super::*;
use crate::bridge_device::BridgeDevice;
use crate::scratch::in_fresh_namespace;

#[test]
fn a_link_shows_its_settings() {
    in_fresh_namespace(|| {
        let mut netlink = Netlink::open().unwrap();
        netlink.create_bridge(&BridgeDevice::for_tests()).unwrap();
        let mut shown = |key: &str, value: &str| {
            let sysctl = crate::Sysctl::of_interface("minirun0", key);
            sysctl.ensure(value).unwrap();
            let link = netlink.find_link("minirun0").unwrap().unwrap();
            let settings = link.ipv4.unwrap();
            (settings.send_redirects, settings.proxy_arp_pvlan)
        };
        shown("send_redirects", "1");
        assert_eq!(shown("proxy_arp_pvlan", "0"), (true, false));
        assert_eq!(shown("send_redirects", "0"), (false, false));
        assert_eq!(shown("proxy_arp_pvlan", "1"), (false, true));
    });
}

#[test]
fn loopback_is_found_first_and_down_in_a_fresh_namespace() {
    in_fresh_namespace(|| {
        let link = Netlink::open().unwrap().find_link("lo").unwrap().unwrap();
        assert_eq!(link.index, LinkIndex::LOOPBACK);
        assert_eq!((link.mac, link.mtu, link.up), (None, 65536, false));
        assert_eq!(link.kind, LinkKind::Physical);
    });
}

#[test]
fn a_missing_link_is_none_and_deleting_it_is_false() {
    in_fresh_namespace(|| {
        let mut netlink = Netlink::open().unwrap();
        assert_eq!(netlink.find_link("minirun0").unwrap(), None);
        assert!(!netlink.delete_link("minirun0").unwrap());
    });
}

#[test]
fn a_link_that_exists_is_deleted() {
    in_fresh_namespace(|| {
        let mut netlink = Netlink::open().unwrap();
        netlink.create_bridge(&BridgeDevice::for_tests()).unwrap();
        assert!(netlink.delete_link("minirun0").unwrap());
        assert_eq!(netlink.find_link("minirun0").unwrap(), None);
    });
}

#[test]
fn a_refused_deletion_names_the_link_and_keeps_the_error_number() {
    in_fresh_namespace(|| {
        let error = Netlink::open().unwrap().delete_link("lo").unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EOPNOTSUPP));
        assert!(error.to_string().contains("`lo`"), "{error}");
    });
}

#[test]
fn a_link_is_set_down_and_stays_so_if_that_is_done_again() {
    in_fresh_namespace(|| {
        let mut netlink = Netlink::open().unwrap();
        let bridge = netlink.create_bridge(&BridgeDevice::for_tests()).unwrap();
        for _ in 0..2 {
            netlink.set_down(bridge).unwrap();
            assert!(!netlink.find_link("minirun0").unwrap().unwrap().up);
        }
    });
}

#[test]
fn setting_up_a_missing_link_names_its_number() {
    in_fresh_namespace(|| {
        let error = Netlink::open().unwrap().set_up(LinkIndex(77)).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ENODEV));
        assert!(error.to_string().contains("`#77`"), "{error}");
    });
}

#[test]
fn a_name_that_is_too_long_is_an_error_and_not_a_missing_link() {
    in_fresh_namespace(|| {
        let error = Netlink::open()
            .unwrap()
            .find_link("a-name-of-16-chr")
            .unwrap_err();
        assert!(error.to_string().contains("`a-name-of-16-chr`"), "{error}");
    });
}
