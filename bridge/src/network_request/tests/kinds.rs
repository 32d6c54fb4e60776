//! Each kind of problem, with its words.

use super::{decide_here, problems};

#[test]
fn names_and_drivers_that_cannot_be_are_refused() {
    for name in [
        "bridge",
        "host",
        "none",
        "default",
        "container",
        "container:x",
    ] {
        assert_eq!(
            problems(&format!("name:{name}")),
            [format!(
                "the name `{name}` has a meaning of its own; choose another one"
            )]
        );
    }
    assert_eq!(
        problems("name:db"),
        [
            "a network of this name exists already; choose another name, or remove it with `minirun network rm db`"
        ]
    );
    assert!(problems("name:-x")[0].starts_with("invalid network name `-x`"));
    assert!(problems("name:")[0].contains("it is empty"));
    assert_eq!(
        problems("driver:macvlan"),
        ["driver `macvlan` is not supported; the only driver is `bridge`"]
    );
}

#[test]
fn what_is_wrong_with_a_subnet_is_said() {
    for (line, expected) in [
        (
            "subnet:10.0.0",
            "subnet `10.0.0` is not a network; write an address and a prefix length, such as `10.1.2.0/24` or `fd00:1:2::/64`",
        ),
        (
            "subnet:10.0.0.0",
            "subnet `10.0.0.0` is not a network; write an address and a prefix length, such as `10.1.2.0/24` or `fd00:1:2::/64`",
        ),
        (
            "subnet:10.0.0.5/24",
            "subnet `10.0.0.5/24` has host bits set; write `10.0.0.0/24`",
        ),
        (
            "subnet:fd00::5/64",
            "subnet `fd00::5/64` has host bits set; write `fd00::/64`",
        ),
        (
            "subnet:10.0.0.0/24 subnet:10.0.1.0/24",
            "subnet is given twice for IPv4, as `10.0.0.0/24` and as `10.0.1.0/24`; a network has one for each family",
        ),
        (
            "subnet:fd00::/64 ipv6:no",
            "subnet `fd00::/64` is of IPv6, which is switched off; leave out the subnet, or `--ipv6=false` and `ipv6=false`",
        ),
        (
            "subnet:10.0.0.0/31",
            "subnet `10.0.0.0/31` is too small; write a prefix length of at most 30",
        ),
        (
            "subnet:0.0.0.0/31",
            "subnet `0.0.0.0/31` is too small; write a prefix length of at most 30",
        ),
        (
            "subnet:fd00::/127",
            "subnet `fd00::/127` is too small; write a prefix length of at most 126",
        ),
        (
            "subnet:0.0.0.0/0",
            "subnet `0.0.0.0/0` is too wide for one network; write a prefix length of at least 2",
        ),
        (
            "subnet:128.0.0.0/1",
            "subnet `128.0.0.0/1` is too wide for one network; write a prefix length of at least 2",
        ),
        (
            "subnet:::/0",
            "subnet `::/0` is too wide for one network; write a prefix length of at least 48",
        ),
        (
            "subnet:2000::/3",
            "subnet `2000::/3` is too wide for one network; write a prefix length of at least 4",
        ),
        (
            "subnet:127.5.0.0/16",
            "subnet `127.5.0.0/16` lies in the loopback addresses; write a private one such as `10.1.2.0/24`",
        ),
        (
            "subnet:239.1.0.0/24",
            "subnet `239.1.0.0/24` lies in the multicast addresses; write a private one such as `10.1.2.0/24`",
        ),
        (
            "subnet:fe80::/64",
            "subnet `fe80::/64` lies in the link-local addresses; write a private one such as `fd00:1:2::/64`",
        ),
        (
            "subnet:0.0.0.0/8",
            "no address pool holds a subnet of the size of `0.0.0.0/8`; write a longer prefix, or name a wider range in `address_pools` of minirun.toml",
        ),
        (
            "subnet:172.16.0.128/25",
            "subnet `172.16.0.128/25` overlaps `172.16.0.0/24` of network `db`; choose another, or leave it out to get a free one",
        ),
        (
            "subnet:fd12::/48",
            "subnet `fd12::/48` overlaps `fd12::/64` of network `db`; choose another, or leave it out to get a free one",
        ),
        (
            "subnet:192.168.0.0/16",
            "subnet `192.168.0.0/16` overlaps `192.168.1.0/24`, which the host reaches by a route through `eth0`, so that packets would go astray; choose another, or leave it out to get a free one",
        ),
        (
            "subnet:10.5.0.0/24 o:bridge_name=br1",
            "subnet `10.5.0.0/24` overlaps `10.5.0.0/24`, which the host reaches by a route through `br0`, so that packets would go astray; choose another, or leave it out to get a free one",
        ),
        (
            "subnet:2001:db8:0:7::/64",
            "subnet `2001:db8:0:7::/64` overlaps `2001:db8::/48`, which the host reaches by a route through `eth0`, so that packets would go astray; choose another, or leave it out to get a free one",
        ),
    ] {
        assert_eq!(problems(line), [expected], "{line}");
    }
}

#[test]
fn what_is_wrong_with_a_gateway_a_range_or_an_auxiliary_address_is_said() {
    for (line, expected) in [
        (
            "gateway:10.0.0",
            "gateway `10.0.0` is not an IP address; write one such as `10.1.2.1`",
        ),
        (
            "gateway:10.1.3.1",
            "gateway `10.1.3.1` is not in the subnet `10.1.2.0/24`; choose from `10.1.2.1` to `10.1.2.254`",
        ),
        (
            "gateway:10.1.2.0",
            "gateway `10.1.2.0` is the network address of `10.1.2.0/24`; choose from `10.1.2.1` to `10.1.2.254`",
        ),
        (
            "gateway:10.1.2.255",
            "gateway `10.1.2.255` is the broadcast address of `10.1.2.0/24`; choose from `10.1.2.1` to `10.1.2.254`",
        ),
        (
            "gateway:10.1.2.1 gateway:10.1.2.2",
            "gateway is given twice for IPv4, as `10.1.2.1` and as `10.1.2.2`; a network has one for each family",
        ),
        (
            "gateway:fd00::1",
            "gateway `fd00::1` needs a subnet of IPv6 that it is a part of; write it with `--subnet`, such as `fd00::/64`",
        ),
        (
            "range:10.1.2.128",
            "range `10.1.2.128` is not a network; write an address and a prefix length, such as `10.1.2.128/25`",
        ),
        (
            "range:10.1.2.129/25",
            "range `10.1.2.129/25` has host bits set; write `10.1.2.128/25`",
        ),
        (
            "range:10.1.0.0/16",
            "range `10.1.0.0/16` is larger than the subnet `10.1.2.0/24`; write a part of it, or leave the range out",
        ),
        (
            "range:10.1.3.0/25",
            "range `10.1.3.0/25` is not in the subnet `10.1.2.0/24`; write a part of it",
        ),
        (
            "range:fd00::/96",
            "range `fd00::/96` needs a subnet of IPv6 that it is a part of; write it with `--subnet`, such as `fd00::/64`",
        ),
        (
            "range:10.1.2.0/31",
            "`10.1.2.0/31` has no address for a container, because all of them are reserved; give the network more, or reserve fewer",
        ),
        (
            "range:10.1.2.255/32",
            "`10.1.2.255/32` has no address for a container, because all of them are reserved; give the network more, or reserve fewer",
        ),
        (
            "range:10.1.2.8/32 aux:a=10.1.2.8",
            "`10.1.2.8/32` has no address for a container, because all of them are reserved; give the network more, or reserve fewer",
        ),
        (
            "aux:10.1.2.9",
            "auxiliary address `10.1.2.9` is not `NAME=ADDRESS`; write one such as `router=10.1.2.254`",
        ),
        (
            "aux:=10.1.2.9",
            "auxiliary address `=10.1.2.9` is not `NAME=ADDRESS`; write one such as `router=10.1.2.254`",
        ),
        (
            "aux:a=10.1.2",
            "auxiliary address `a=10.1.2` is not `NAME=ADDRESS`; write one such as `router=10.1.2.254`",
        ),
        (
            "aux:a=10.1.3.9",
            "auxiliary address `a=10.1.3.9` is not in the subnet `10.1.2.0/24`; choose from `10.1.2.1` to `10.1.2.254`",
        ),
        (
            "aux:a=10.1.2.255",
            "auxiliary address `a=10.1.2.255` is the broadcast address of `10.1.2.0/24`; choose from `10.1.2.1` to `10.1.2.254`",
        ),
        (
            "aux:a=10.1.2.1",
            "auxiliary address `a=10.1.2.1` is the gateway; leave it out, or choose another gateway with `--gateway`",
        ),
        (
            "aux:a=10.1.2.8 aux:a=10.1.2.9",
            "two auxiliary addresses are called `a`: `10.1.2.8` and `10.1.2.9`; give each a name of its own",
        ),
        (
            "aux:a=fd00::9",
            "auxiliary address `a=fd00::9` needs a subnet of IPv6 that it is a part of; write it with `--subnet`, such as `fd00::/64`",
        ),
    ] {
        let line = format!("subnet:10.1.2.0/24 {line}");
        assert_eq!(problems(&line), [expected], "{line}");
    }
    assert_eq!(
        problems("gateway:10.1.2.1"),
        [
            "gateway `10.1.2.1` needs a subnet of IPv4 that it is a part of; write it with `--subnet`, such as `10.1.2.0/24`"
        ]
    );
    assert_eq!(problems("subnet:0.0.0.0/24 range:10.1.2.0/25").len(), 1);
    assert_eq!(
        problems("subnet:fd00::/64 gateway:fd00::"),
        [
            "gateway `fd00::` is the anycast address of the routers of `fd00::/64`; choose from `fd00::1` to `fd00::ffff:ffff:ffff:ffff`"
        ]
    );
}

#[test]
fn what_is_wrong_with_settings_is_said() {
    for (line, expected) in [
        (
            "mtu:67",
            "an MTU of 67 bytes is not possible; write a number from 68 to 65535",
        ),
        (
            "mtu:65536",
            "an MTU of 65536 bytes is not possible; write a number from 68 to 65535",
        ),
        (
            "mtu:1279 ipv6:yes",
            "an MTU of 1279 bytes is too small for IPv6; write at least 1280",
        ),
        (
            "o:mtu=576 subnet:fd00::/64",
            "an MTU of 576 bytes is too small for IPv6; write at least 1280",
        ),
        (
            "mtu:1400 o:com.docker.network.driver.mtu=1500",
            "mtu is given twice, as `1500` and as `1400`; leave one of them out",
        ),
        (
            "icc:yes o:icc=false",
            "icc is given twice, as `false` and as `true`; leave one of them out",
        ),
        (
            "ipv6:yes o:ipv6=false",
            "ipv6 is given twice, as `false` and as `true`; leave one of them out",
        ),
        (
            "o:gateway_mode=routed internal:",
            "an internal network cannot be routed; leave out `--internal` or `gateway_mode=routed`",
        ),
        (
            "o:gateway_mode=isolated",
            "gateway mode `isolated` is not supported; write `nat` or `routed`",
        ),
        (
            "o:host_binding=::1",
            "ports cannot be published on `::1`, because the network has no IPv6; add `--ipv6`, or name an IPv4 address",
        ),
        (
            "o:bridge_name=br-db",
            "bridge `br-db` belongs to network `db`; choose another name",
        ),
        (
            "o:bridge_name=minirun0",
            "bridge `minirun0` belongs to network `bridge`; choose another name",
        ),
        ("label:=x", "label `=x` has no key; write `KEY=VALUE`"),
    ] {
        assert_eq!(problems(line), [expected], "{line}");
    }
    assert!(decide_here("mtu:1279").is_ok());
    assert!(decide_here("o:host_binding=::1 ipv6:yes").is_ok());
}
