//! Which field of a packet, or of what the kernel knows about it, is looked at.

/// A field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selector {
    /// `meta nfproto`
    Family,
    /// `meta l4proto`
    Protocol,
    /// `meta protocol`: the type of an Ethernet frame
    FrameType,
    /// `iifname`
    InputInterface,
    /// `oifname`
    OutputInterface,
    /// `ip saddr`
    Ipv4Source,
    /// `ip daddr`
    Ipv4Destination,
    /// `ip6 saddr`
    Ipv6Source,
    /// `ip6 daddr`
    Ipv6Destination,
    /// `ip6 hoplimit`
    HopLimit,
    /// `icmpv6 type`
    Icmpv6Type,
    /// `th sport`
    SourcePort,
    /// `th dport`
    DestinationPort,
    /// `ether saddr`
    EthernetSource,
    /// `ether type`: like [`Selector::FrameType`], and never true of a frame with a tag of a virtual LAN
    EthernetType,
    /// `arp saddr ip`
    ArpSenderIpv4,
    /// `arp saddr ether`
    ArpSenderEthernet,
    /// `@th,64,128`: the target of a neighbour advertisement
    AdvertisedTarget,
    /// `ct direction`
    Direction,
    /// `ct original ip daddr`
    OriginalIpv4Destination,
    /// `ct original ip6 daddr`
    OriginalIpv6Destination,
    /// `ct original proto-dst`
    OriginalDestinationPort,
    /// `fib daddr type`
    DestinationType,
}
