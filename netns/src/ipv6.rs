//! Whether an interface speaks IPv6.
//!
//! minirun gives every address and route itself. So an interface that speaks IPv6 must not make up addresses and routes of its
//! own from what others send, nor wait a second to hear whether somebody else uses the address that only it was given.

use std::path::Path;

use crate::error::NetnsError;
use crate::sysctl::{Sysctl, SysctlChange};

/// Where the kernel keeps the IPv6 settings of interfaces; not there in a kernel without IPv6, or that was started with
/// `ipv6.disable=1`.
const SETTINGS: &str = "/proc/sys/net/ipv6/conf";

/// Whether an interface speaks IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ipv6 {
    /// It has addresses and routes, and only those that somebody gave it.
    Enabled,
    /// It has none and sends and takes no IPv6 packet.
    Disabled,
}

/// The settings that make an interface speak IPv6 or not, in the order they must be written: with `Enabled`, IPv6 begins when
/// all others hold.
pub fn interface_settings(interface: &str, ipv6: Ipv6) -> Vec<SysctlChange> {
    let settings: &[(&str, &str)] = match ipv6 {
        Ipv6::Enabled => &[
            ("accept_ra", "0"),
            ("autoconf", "0"),
            // Until the kernel knows that nobody else has an address, it neither answers for it nor sends from it; a bridge
            // could not ask for its members' Ethernet addresses for its first second or two.
            ("accept_dad", "0"),
            // A host cannot be kept from telling of the shorter way between containers (IPv6 has no `send_redirects`), and
            // with isolated ports that way is closed.
            ("accept_redirects", "0"),
            ("disable_ipv6", "0"),
        ],
        Ipv6::Disabled => &[("disable_ipv6", "1")],
    };
    let change = |(key, value): &(&str, &str)| SysctlChange {
        sysctl: Sysctl::of_interface_v6(interface, key),
        value: value.to_string(),
    };
    settings.iter().map(change).collect()
}

/// Makes an interface of the calling thread's namespace speak IPv6 or not; before it is set up, so that it never speaks
/// otherwise. Settings that are right already are not written. Where there is no IPv6 to disable, disabling does nothing.
///
/// # Errors
///
/// Fails when the kernel has no IPv6, the interface has none because its MTU is below the 1280 bytes that IPv6 needs
/// (RFC 8200, section 5), there is no such interface, or a setting cannot be read or written.
pub fn prepare_interface(interface: &str, ipv6: Ipv6) -> Result<(), NetnsError> {
    match (ipv6, ipv6_of(interface)) {
        (_, Presence::There) => {}
        (Ipv6::Disabled, Presence::NotInKernel | Presence::NotOnInterface) => return Ok(()),
        (Ipv6::Enabled, Presence::NotInKernel) => {
            return Err(NetnsError::KernelWithoutIpv6 {
                interface: interface.to_string(),
            });
        }
        (Ipv6::Enabled, Presence::NotOnInterface) => {
            return Err(NetnsError::InterfaceWithoutIpv6 {
                interface: interface.to_string(),
            });
        }
    }
    for setting in interface_settings(interface, ipv6) {
        setting.sysctl.ensure(&setting.value)?;
    }
    Ok(())
}

/// As [`prepare_interface`], for an interface that was just made and has the settings that the kernel gives to every new one:
/// they are written without a look, unless that fails.
///
/// # Errors
///
/// As [`prepare_interface`].
pub fn prepare_new_interface(interface: &str, ipv6: Ipv6) -> Result<(), NetnsError> {
    let written = interface_settings(interface, ipv6)
        .iter()
        .all(|setting| setting.sysctl.write(&setting.value).is_ok());
    match written {
        true => Ok(()),
        false => prepare_interface(interface, ipv6),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presence {
    /// The interface has IPv6 settings, or is not there at all, which shows when the first setting is read.
    There,
    NotOnInterface,
    NotInKernel,
}

fn ipv6_of(interface: &str) -> Presence {
    let (settings, name) = (Path::new(SETTINGS), Path::new(interface));
    let has_ipv4 = || Sysctl::of_interface(interface, "forwarding").read().is_ok();
    if !settings.exists() {
        Presence::NotInKernel
    } else if !settings.join(name).exists() && has_ipv4() {
        Presence::NotOnInterface
    } else {
        Presence::There
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bridge_device::BridgeDevice;
    use crate::netlink::Netlink;
    use crate::scratch::in_fresh_namespace;
    use nix::mount::{MsFlags, mount};
    use nix::sched::{CloneFlags, unshare};

    fn bridge(mtu: u32) {
        let device = BridgeDevice {
            mtu,
            ..BridgeDevice::for_tests()
        };
        Netlink::open().unwrap().create_bridge(&device).unwrap();
    }

    fn read(key: &str) -> String {
        Sysctl::of_interface_v6("minirun0", key).read().unwrap()
    }

    /// Takes the kernel's IPv6 settings out of the calling thread's sight, as in a kernel without IPv6.
    fn hide_ipv6() {
        unshare(CloneFlags::CLONE_NEWNS).unwrap();
        let none = None::<&str>;
        mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).unwrap();
        let empty = "/proc/sys/net/ipv6";
        mount(Some("tmpfs"), empty, Some("tmpfs"), MsFlags::empty(), none).unwrap();
    }

    #[test]
    fn ipv6_is_disabled_and_enabled_again_without_what_others_could_steer() {
        in_fresh_namespace(|| {
            bridge(1450);
            prepare_interface("minirun0", Ipv6::Disabled).unwrap();
            assert_eq!(read("disable_ipv6"), "1");
            prepare_interface("minirun0", Ipv6::Enabled).unwrap();
            let keys = [
                "accept_ra",
                "autoconf",
                "accept_dad",
                "accept_redirects",
                "disable_ipv6",
            ];
            assert_eq!(keys.map(read), ["0"; 5]);
        });
    }

    #[test]
    fn a_kernel_without_ipv6_has_nothing_to_disable_and_says_what_it_lacks() {
        in_fresh_namespace(|| {
            bridge(1450);
            hide_ipv6();
            prepare_interface("minirun0", Ipv6::Disabled).unwrap();
            let error = prepare_interface("minirun0", Ipv6::Enabled).unwrap_err();
            assert_eq!(
                error.to_string(),
                "cannot enable IPv6 on the interface `minirun0`: the kernel has no IPv6"
            );
            assert!(error.hint().unwrap().contains("ipv6.disable=1"));
        });
    }

    #[test]
    fn an_interface_too_small_for_ipv6_has_none_and_the_hint_says_why() {
        in_fresh_namespace(|| {
            bridge(1000);
            prepare_interface("minirun0", Ipv6::Disabled).unwrap();
            let error = prepare_interface("minirun0", Ipv6::Enabled).unwrap_err();
            assert!(error.to_string().contains("`minirun0`"), "{error}");
            assert!(error.hint().unwrap().contains("1280"));
        });
    }

    #[test]
    fn a_missing_interface_is_an_error_either_way() {
        in_fresh_namespace(|| {
            for ipv6 in [Ipv6::Enabled, Ipv6::Disabled] {
                let error = prepare_interface("minirun0", ipv6).unwrap_err();
                assert_eq!(error.raw_os_error(), Some(libc::ENOENT));
                assert!(error.to_string().contains("minirun0"), "{error}");
            }
        });
    }
}
