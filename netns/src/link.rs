//! Links: the interfaces of a namespace.

use std::fmt;

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{
    AfSpecInet, AfSpecInet6, AfSpecUnspec, In6AddrGenMode, InfoBridgePort, InfoKind, InfoPortData,
    LinkAttribute, LinkExtentMask, LinkFlags, LinkInfo, LinkMessage, State,
};

use crate::bridge_port::{self, BridgePort};
use crate::error::NetnsError;
use crate::mac::MacAddress;
use crate::netlink::{Netlink, Request};
use crate::request_error::RequestError;

/// The number of a link, unique in its namespace; never zero for a link that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkIndex(pub u32);

impl LinkIndex {
    /// The loopback interface, which is the first of every namespace (`LOOPBACK_IFINDEX` of the kernel).
    pub const LOOPBACK: LinkIndex = LinkIndex(1);
}

impl fmt::Display for LinkIndex {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// What sort of device a link is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkKind {
    /// A bridge.
    Bridge,
    /// One end of a veth pair.
    Veth,
    /// A virtual device of another kind, by the kernel's name for it.
    Other(String),
    /// A device that names no kind: hardware, and the loopback interface.
    Physical,
}

/// Some of a link's IPv4 settings (those of `net/ipv4/conf/LINK`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ipv4Settings {
    /// Whether senders are told of shorter ways.
    pub send_redirects: bool,
    /// Whether requests for neighbours are answered on behalf of those behind the same link.
    pub proxy_arp_pvlan: bool,
}

/// A link as the kernel shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its number in its namespace.
    pub index: LinkIndex,
    /// Its name in its namespace.
    pub name: String,
    /// Its Ethernet address; none if it has none, as the loopback interface.
    pub mac: Option<MacAddress>,
    /// The largest packet it carries, in bytes.
    pub mtu: u32,
    /// What sort of device it is.
    pub kind: LinkKind,
    /// Whether it is set up (the administrative state, not the carrier).
    pub up: bool,
    /// Whether packets pass it, as far as the kernel has noticed.
    pub operational: bool,
    /// Whether the bridge that it is a port of passes no frames of it yet, because it looks for loops first.
    pub held_back: bool,
    /// The device it is a port of.
    pub controller: Option<LinkIndex>,
    /// The other end of a veth pair, by its number in the namespace that it is in.
    pub peer: Option<LinkIndex>,
    /// How the bridge treats it, if it is a port of one.
    pub port: Option<BridgePort>,
    /// Its IPv4 settings; none if it has no IPv4.
    pub ipv4: Option<Ipv4Settings>,
    /// Its number among the ports of its bridge, if it is one. A new port gets the lowest number from 1 on that is free
    /// (`find_portno` in net/bridge/br_if.c of the kernel), so at least as many ports as this says were there when it came, itself
    /// included.
    pub port_number: Option<u16>,
}

impl Netlink {
    /// Looks a link up by its name. There being none is not an error.
    ///
    /// # Errors
    ///
    /// Fails when the kernel refuses, as it does with a name longer than 15 bytes.
    pub fn find_link(&mut self, name: &str) -> Result<Option<Link>, NetnsError> {
        let replies = match self.request(Request::existing(ask_for(name))) {
            Err(error) if error.raw_os_error() == Some(libc::ENODEV) => return Ok(None),
            outcome => outcome.map_err(|cause| NetnsError::FindLink {
                name: name.to_string(),
                cause,
            })?,
        };
        // The kernel also finds links by their alternative names, which is not what was asked.
        Ok(links(replies).find(|link| link.name == name))
    }

    /// Sets a link up. Doing so again changes nothing.
    ///
    /// # Errors
    ///
    /// Fails when there is no such link or the kernel refuses.
    pub fn set_up(&mut self, index: LinkIndex) -> Result<(), NetnsError> {
        self.request(up(index))
            .map(drop)
            .map_err(|cause| NetnsError::SetUp {
                name: self.name_of(index),
                cause,
            })
    }

    /// Makes a link a port of a bridge.
    ///
    /// # Errors
    ///
    /// Fails when there is no such link or bridge, or the kernel refuses.
    pub fn set_controller(
        &mut self,
        index: LinkIndex,
        bridge: LinkIndex,
    ) -> Result<(), NetnsError> {
        let mut message = LinkMessage::default();
        message.header.index = index.0;
        message.attributes = vec![LinkAttribute::Controller(bridge.0)];
        self.request(Request::existing(RouteNetlinkMessage::SetLink(message)))
            .map(drop)
            .map_err(|cause| NetnsError::SetController {
                name: self.name_of(index),
                cause,
            })
    }

    /// Sets a link down: no packet passes it any more. Doing so again changes nothing.
    ///
    /// # Errors
    ///
    /// Fails when there is no such link or the kernel refuses.
    pub fn set_down(&mut self, index: LinkIndex) -> Result<(), NetnsError> {
        let mut message = LinkMessage::default();
        message.header.index = index.0;
        message.header.change_mask |= LinkFlags::Up;
        self.request(Request::existing(RouteNetlinkMessage::SetLink(message)))
            .map(drop)
            .map_err(|cause| NetnsError::SetDown {
                name: self.name_of(index),
                cause,
            })
    }

    /// Deletes a link, for a veth pair both ends. False if there was none of that name. The kernel makes the caller wait
    /// 10 to 30 ms for this.
    ///
    /// # Errors
    ///
    /// Fails when the kernel refuses, as it does with hardware.
    pub fn delete_link(&mut self, name: &str) -> Result<bool, NetnsError> {
        let mut message = LinkMessage::default();
        message.attributes = vec![LinkAttribute::IfName(name.to_string())];
        match self.request(Request::existing(RouteNetlinkMessage::DelLink(message))) {
            Ok(_) => Ok(true),
            Err(error) if error.raw_os_error() == Some(libc::ENODEV) => Ok(false),
            Err(cause) => Err(NetnsError::DeleteLink {
                name: name.to_string(),
                cause,
            }),
        }
    }

    /// Looks a link up by its number.
    pub(crate) fn link_by_index(&mut self, index: LinkIndex) -> Result<Option<Link>, RequestError> {
        match self.request(ask_for_index(index)) {
            Err(error) if error.raw_os_error() == Some(libc::ENODEV) => Ok(None),
            outcome => Ok(links(outcome?).next()),
        }
    }

    /// What to call a link in an error message. Asks the kernel, so it is for the way of failure only.
    pub(crate) fn name_of(&mut self, index: LinkIndex) -> String {
        match self.link_by_index(index) {
            Ok(Some(link)) => link.name,
            _ => format!("#{index}"),
        }
    }
}

/// Nobody asks for how much a link has carried, which takes a while to add up.
fn without_statistics() -> LinkAttribute {
    LinkAttribute::ExtMask(vec![LinkExtentMask::SkipStats])
}

/// The question for one link by its name.
fn ask_for(name: &str) -> RouteNetlinkMessage {
    let mut message = LinkMessage::default();
    message.attributes = vec![
        LinkAttribute::IfName(name.to_string()),
        without_statistics(),
    ];
    RouteNetlinkMessage::GetLink(message)
}

/// The question for one link by its number.
pub(crate) fn ask_for_index(index: LinkIndex) -> Request {
    let mut message = LinkMessage::default();
    message.header.index = index.0;
    message.attributes = vec![without_statistics()];
    Request::existing(RouteNetlinkMessage::GetLink(message))
}

/// The request to set a link up.
pub(crate) fn up(index: LinkIndex) -> Request {
    let mut message = LinkMessage::default();
    message.header.index = index.0;
    mark_up(&mut message);
    Request::existing(RouteNetlinkMessage::SetLink(message))
}

/// The request to keep the kernel from giving a link an IPv6 address of the kernel's own making.
pub(crate) fn without_own_ipv6(index: LinkIndex) -> Request {
    let mut message = LinkMessage::default();
    message.header.index = index.0;
    let mode = AfSpecInet6::AddrGenMode(In6AddrGenMode::None);
    message.attributes = vec![LinkAttribute::AfSpecUnspec(vec![AfSpecUnspec::Inet6(
        vec![mode],
    )])];
    Request::existing(RouteNetlinkMessage::SetLink(message))
}

/// Makes a message set its link up, and touch no other flag.
pub(crate) fn mark_up(message: &mut LinkMessage) {
    message.header.flags |= LinkFlags::Up;
    message.header.change_mask |= LinkFlags::Up;
}

/// The links that replies show.
pub(crate) fn links(replies: Vec<RouteNetlinkMessage>) -> impl Iterator<Item = Link> {
    replies.into_iter().filter_map(|reply| match reply {
        RouteNetlinkMessage::NewLink(message) => Some(read(message)),
        _ => None,
    })
}

fn read(message: LinkMessage) -> Link {
    let mut link = Link {
        index: LinkIndex(message.header.index),
        name: String::new(),
        mac: None,
        mtu: 0,
        kind: LinkKind::Physical,
        up: message.header.flags.contains(LinkFlags::Up),
        operational: false,
        held_back: false,
        controller: None,
        peer: None,
        port: None,
        ipv4: None,
        port_number: None,
    };
    for attribute in message.attributes {
        match attribute {
            LinkAttribute::IfName(name) => link.name = name,
            LinkAttribute::Address(bytes) => link.mac = read_mac(&bytes),
            LinkAttribute::Mtu(mtu) => link.mtu = mtu,
            LinkAttribute::OperState(state) => link.operational = state == State::Up,
            LinkAttribute::Controller(index) => link.controller = Some(LinkIndex(index)),
            LinkAttribute::Link(index) => link.peer = Some(LinkIndex(index)),
            LinkAttribute::LinkInfo(infos) => read_infos(&mut link, infos),
            LinkAttribute::AfSpecUnspec(families) => link.ipv4 = read_ipv4(&families),
            _ => {}
        }
    }
    if link.kind != LinkKind::Veth {
        link.peer = None;
    }
    link
}

fn read_mac(bytes: &[u8]) -> Option<MacAddress> {
    MacAddress::new(bytes.try_into().ok()?).ok()
}

fn read_ipv4(families: &[AfSpecUnspec]) -> Option<Ipv4Settings> {
    let of_ipv4 = families.iter().find_map(|family| match family {
        AfSpecUnspec::Inet(parts) => Some(parts),
        _ => None,
    });
    of_ipv4?.iter().find_map(|part| match part {
        AfSpecInet::DevConf(settings) => Some(Ipv4Settings {
            send_redirects: settings.send_redirects != 0,
            proxy_arp_pvlan: settings.proxy_arp_pvlan != 0,
        }),
        _ => None,
    })
}

fn read_infos(link: &mut Link, infos: Vec<LinkInfo>) {
    for info in infos {
        match info {
            LinkInfo::Kind(InfoKind::Bridge) => link.kind = LinkKind::Bridge,
            LinkInfo::Kind(InfoKind::Veth) => link.kind = LinkKind::Veth,
            LinkInfo::Kind(kind) => link.kind = LinkKind::Other(kind.to_string()),
            LinkInfo::PortData(InfoPortData::BridgePort(settings)) => {
                link.port = Some(BridgePort::read(&settings));
                link.held_back = bridge_port::is_held_back(&settings);
                link.port_number = settings.iter().find_map(|setting| match setting {
                    InfoBridgePort::PortNumber(number) => Some(*number),
                    _ => None,
                });
            }
            _ => {}
        }
    }
}

#[cfg(test)]
#[path = "link_tests.rs"]
mod tests;
