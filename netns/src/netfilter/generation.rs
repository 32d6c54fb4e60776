//! The generation of the rules: a number that changes whenever somebody changes a rule.

use netlink_packet_netfilter::nftables::{GenAttribute, GenMessage, NfTablesMessage};
use netlink_packet_netfilter::{
    NetfilterHeader, NetfilterMessage, NetfilterMessageInner, NetfilterProtoFamily,
};

use super::socket::NetfilterSocket;
use crate::error::NetnsError;
use crate::request_error::RequestError;

/// The generation of nf_tables' rules in the network namespace of the calling thread. The kernel gives them another one with
/// each transaction that changes anything, whoever made it: `nft`, `iptables` on nf_tables, a firewall service. `None` when
/// the kernel has no nf_tables. Rules of the legacy `iptables` are not counted. Takes a few microseconds.
///
/// # Errors
///
/// Fails without `CAP_NET_ADMIN` over the namespace, and when the kernel's answer is not understood.
pub fn ruleset_generation() -> Result<Option<u32>, NetnsError> {
    let Some(mut socket) = NetfilterSocket::open()? else {
        return Ok(None);
    };
    match ask(&mut socket) {
        Ok(generation) => Ok(Some(generation)),
        // The question holds nothing that could be wrong, so this means that nobody is there to answer it.
        Err(cause) if cause.raw_os_error() == Some(libc::EINVAL) => Ok(None),
        Err(cause) => Err(NetnsError::ReadGeneration { cause }),
    }
}

/// Asks by a socket that is open already.
pub(super) fn ask(socket: &mut NetfilterSocket) -> Result<u32, RequestError> {
    let replies = socket.request(question())?;
    let found = replies.iter().find_map(generation);
    found.ok_or(RequestError::Unexpected)
}

fn question() -> NetfilterMessage {
    let attributes = Vec::new();
    NetfilterMessage::new(
        NetfilterHeader::new(NetfilterProtoFamily::Unspec, 0, 0),
        NfTablesMessage::GetGen(GenMessage { attributes }),
    )
}

fn generation(reply: &NetfilterMessage) -> Option<u32> {
    let NetfilterMessageInner::NfTables(NfTablesMessage::NewGen(message)) = &reply.inner else {
        return None;
    };
    message
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            GenAttribute::Id(generation) => Some(*generation),
            _ => None,
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::namespace::Namespace;
    use crate::scratch::{fresh_namespace, in_fresh_namespace, shell};

    fn present() -> u32 {
        ruleset_generation().unwrap().expect("nf_tables is there")
    }

    #[test]
    fn every_change_of_a_rule_changes_the_generation_and_reading_does_not() {
        in_fresh_namespace(|| {
            let mut seen = vec![present()];
            for command in [
                "nft add table inet mine",
                "nft add chain inet mine c",
                "nft add rule inet mine c accept",
                "nft flush chain inet mine c",
                "iptables -A INPUT -p tcp -j ACCEPT",
                "iptables -D INPUT -p tcp -j ACCEPT",
                "ip6tables -t nat -N MINE",
            ] {
                shell(command);
                let generation = present();
                assert!(!seen.contains(&generation), "{command}");
                shell("nft list ruleset; iptables -S");
                assert_eq!(present(), generation);
                seen.push(generation);
            }
        });
    }

    #[test]
    fn each_namespace_has_a_generation_of_its_own() {
        in_fresh_namespace(|| {
            let before = present();
            let other: Namespace = fresh_namespace();
            other.run(|| shell("nft add table inet mine")).unwrap();
            assert_eq!(present(), before);
        });
    }
}
