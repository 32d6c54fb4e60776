//! A way for interfaces through a table that is somebody else's.
//!
//! # Theory of operation
//!
//! 1. In the table there is one chain of ours, [`PASSAGE_CHAIN`], that accepts what comes in or goes out by given interfaces and
//!    knows nothing of all else. Each of the other's chains that would refuse leads to it by one rule, at a place that the
//!    caller has chosen.
//! 2. Each of our rules has a comment that says what it lets through, so that what is there can be compared with what should be
//!    without understanding rules.
//! 3. A passage is made, changed or taken away in one transaction. If somebody has taken the place away meanwhile where it
//!    should begin, nothing happens at all.

use netlink_packet_netfilter::{NetfilterHeader, NetfilterMessage};

use super::forward_filter::FilterFamily;
use super::nf_tables::PacketFamily;
use super::passage_messages::messages;
use super::socket::NetfilterSocket;
use crate::error::NetnsError;
use crate::explain::{Explain, Explanation};
use crate::request_error::RequestError;

/// The name of our chain in the table of another.
pub const PASSAGE_CHAIN: &str = "minirun";

/// What a table has to have of ours, and what of it there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// Which packets the table sees.
    pub family: FilterFamily,
    /// Its name.
    pub table: String,
    /// Whether it has [`PASSAGE_CHAIN`] now.
    pub present: Present,
    /// The rules that lead to the chain now; they go.
    pub former: Vec<Place>,
    /// Where there shall be one. Without any, and without ways, the chain goes.
    pub entrances: Vec<Entrance>,
    /// What shall pass.
    pub ways: Vec<Way>,
}

/// Whether something is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Present {
    /// It is.
    Yes,
    /// It is not.
    No,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The chain that it is in.
    pub chain: String,
    /// What the kernel calls it.
    pub handle: u64,
}

/// Where a chain leads to ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entrance {
    /// The chain.
    pub chain: String,
    /// The rule that it stands before; none for the end of the chain.
    pub before: Option<u64>,
}

/// Packets that pass.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Way {
    /// Of which family they are, in a table that sees both; none if both pass.
    pub family: Option<PacketFamily>,
    /// The interface that they come in by; none if that does not matter.
    pub input: Option<String>,
    /// The interface that they go out by.
    pub output: Option<String>,
}

impl Passage {
    /// Makes it so, in the network namespace of the calling thread.
    ///
    /// # Errors
    ///
    /// [`NetnsError::OpenPassage`] when somebody has changed a rule since `generation` (`ERESTART`), when the table or the rule that ours shall stand before is gone, or when the table belongs
    /// to a program that lets nobody else change it (`EPERM`).
    pub fn apply(&self, generation: u32) -> Result<(), NetnsError> {
        let refused = |cause| NetnsError::OpenPassage {
            table: format!("{} {}", self.family, self.table),
            cause,
        };
        let messages = messages(self);
        if messages.is_empty() {
            return Ok(());
        }
        let mut socket = NetfilterSocket::open()?.ok_or_else(|| {
            refused(RequestError::Refused {
                errno: libc::EPROTONOSUPPORT,
                words: None,
            })
        })?;
        let family = self.family.number();
        let messages = messages.into_iter().map(|(message, flags)| {
            let header = NetfilterHeader::new(family, 0, 0);
            (NetfilterMessage::new(header, message), flags)
        });
        let outcome = socket.transaction(messages.collect(), Some(generation));
        outcome.map_err(|error| refused(error.into_cause()))
    }
}

impl Way {
    /// What the comment of its rule says: `minirun0 in`, `ipv4 minirun0 out`, `minirun0 within`.
    pub fn comment(&self) -> String {
        let family = match self.family {
            Some(PacketFamily::Ipv4) => "ipv4 ",
            Some(PacketFamily::Ipv6) => "ipv6 ",
            None => "",
        };
        match (&self.input, &self.output) {
            (Some(input), None) => format!("{family}{input} out"),
            (None, Some(output)) => format!("{family}{output} in"),
            (Some(input), Some(output)) if input == output => format!("{family}{input} within"),
            (Some(input), Some(output)) => format!("{family}{input} to {output}"),
            (None, None) => format!("{family}all"),
        }
    }

    fn text(&self) -> String {
        let family = match self.family {
            Some(PacketFamily::Ipv4) => "meta nfproto ipv4 ",
            Some(PacketFamily::Ipv6) => "meta nfproto ipv6 ",
            None => "",
        };
        let part = |word: &str, name: &Option<String>| {
            let name = name.as_ref();
            name.map_or_else(String::new, |name| format!("{word} \"{name}\" "))
        };
        let (input, output) = (part("iifname", &self.input), part("oifname", &self.output));
        format!(
            "{family}{input}{output}accept comment \"{}\"",
            self.comment()
        )
    }
}

impl Explain for Passage {
    fn explain(&self) -> Explanation {
        let table = format!("{} {}", self.family, self.table);
        let ours = format!("{table} {PASSAGE_CHAIN}");
        let former = self.former.iter();
        let mut lines: Vec<String> = former
            .map(|place| {
                format!(
                    "nft delete rule {table} {} handle {}",
                    place.chain, place.handle
                )
            })
            .collect();
        lines.extend((self.present == Present::Yes).then(|| format!("nft flush chain {ours}")));
        if self.ways.is_empty() {
            lines
                .extend((self.present == Present::Yes).then(|| format!("nft delete chain {ours}")));
            return Explanation {
                sentence: format!("take our chain out of the table `{table}`"),
                command: lines.join("\n"),
            };
        }
        lines.push(format!("nft add chain {ours}"));
        let ways = self.ways.iter();
        lines.extend(ways.map(|way| format!("nft add rule {ours} '{}'", way.text())));
        lines.extend(self.entrances.iter().map(|entrance| {
            let chain = &entrance.chain;
            let jump = format!("jump {PASSAGE_CHAIN} comment {PASSAGE_CHAIN}");
            match entrance.before {
                Some(handle) => {
                    format!("nft insert rule {table} {chain} position {handle} {jump}")
                }
                None => format!("nft add rule {table} {chain} {jump}"),
            }
        }));
        Explanation {
            sentence: format!("let our bridges through the table `{table}`"),
            command: lines.join("\n"),
        }
    }
}
