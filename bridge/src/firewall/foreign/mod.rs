//! Firewalls of others that stand in the way of containers, and the way through them.
//!
//! Theory of operation
//!
//! 1. A forwarded packet has to pass every chain of the hook `forward`, whoever made it: what our rules accept, another chain may
//!    still refuse. `dead_end` says from which rule on a chain of another refuses everything that it has not judged before.
//! 2. Right before that rule our passage begins: one rule of ours that leads to a chain of ours in the same table, which accepts
//!    what comes in or goes out by our bridges. So every rule with which the other has said something about particular packets
//!    is heard before, and only what would be refused because nobody had anything to say about it goes through. Our own rules
//!    judge it all the same, in their own place.
//! 3. Where our own chains stand in the other's chain, as with the iptables of nf_tables, they accept what passes, and there is
//!    nothing to do.
//! 4. What should be there is compared with what is there whenever somebody has changed a rule of the host, when our rules are
//!    looked at as well, so a firewall that is loaded anew is met by the next command. What is right is left alone.
//! 5. Whoever forbids it (`foreign_firewall = "leave"`, a table that has an owner) is left alone and named: [`Standing`].

mod dead_end;
mod host;
mod legacy;
mod passages;
#[cfg(test)]
mod tests;

use crate::network::Network;
use minirun_netns::netfilter::FilterFamily;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A chain of another that refuses forwarded packets which it knows nothing about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ForeignChain {
    /// Whose it is, as far as its table tells; several may share a table.
    pub owners: Vec<Owner>,
    /// Where it is, in the words of `nft`: `inet firewalld filter_FORWARD`.
    pub place: String,
    /// How it refuses.
    pub refusal: Refusal,
    /// What has become of our bridges there.
    pub standing: Standing,
}

/// Whose a firewall is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Owner {
    /// Docker's engine.
    Docker,
    /// firewalld.
    Firewalld,
    /// ufw.
    Ufw,
}

/// How a chain refuses what it knows nothing about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Refusal {
    /// By its policy.
    Policy,
    /// By a rule that holds for every packet.
    Rule,
}

/// What has become of our bridges at a chain of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Our own rules come before it refuses.
    OwnRules,
    /// A passage leads through.
    Passage,
    /// Nothing has to pass yet, because our rules have not been made since the boot, or there is no network.
    Unneeded,
    /// The configuration leaves it alone.
    Left,
    /// There is no way through that minirun could open.
    Blocked,
}

impl Standing {
    /// Whether containers are refused.
    pub fn refuses(self) -> bool {
        matches!(self, Standing::Left | Standing::Blocked)
    }
}

/// What minirun does with firewalls of others that stand in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ForeignFirewall {
    /// It opens a way for its bridges.
    #[default]
    Open,
    /// It leaves them alone.
    Leave,
}

/// What of ours has to do with the chains of others.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Situation<'a> {
    /// Where our own rules are.
    pub(crate) own_rules: OwnRules,
    /// Whether they have been made since the boot.
    pub(crate) made: Made,
    /// The networks there are.
    pub(crate) networks: &'a [Network],
    /// What the configuration says.
    pub(crate) choice: ForeignFirewall,
}

/// Where our rules for forwarded packets are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OwnRules {
    /// In the tables that iptables has in nf_tables, with others.
    SharedTables,
    /// Where nobody else has any.
    OwnTables,
}

/// Whether something has been made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Made {
    /// It has.
    Yes,
    /// It has not.
    NotYet,
}

impl fmt::Display for Owner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Owner::Docker => "Docker",
            Owner::Firewalld => "firewalld",
            Owner::Ufw => "ufw",
        })
    }
}

impl ForeignChain {
    /// Whose it is, in words: `Docker and ufw`, `unknown`.
    pub fn owner_words(&self) -> String {
        let owners: Vec<String> = self.owners.iter().map(Owner::to_string).collect();
        match owners.is_empty() {
            true => "unknown".into(),
            false => owners.join(" and "),
        }
    }

    /// What a user can do about one that refuses containers; `bridge` is one of ours, as an example.
    pub fn hint(&self, bridge: &str) -> String {
        match self.standing {
            Standing::Left => format!(
                "let `{bridge}` through there, or set `foreign_firewall = \"open\"` in minirun.toml"
            ),
            _ if self.owners == [Owner::Firewalld] => format!(
                "`firewall-cmd --permanent --zone=trusted --add-interface={bridge}` and `firewall-cmd --reload` let it through"
            ),
            _ if self.place.starts_with(legacy::PROGRAM) => format!(
                "`{0} -I FORWARD -i {bridge} -j ACCEPT` and `{0} -I FORWARD -o {bridge} -j ACCEPT` let it through",
                legacy::PROGRAM
            ),
            _ => format!("let `{bridge}` through there"),
        }
    }
}

impl fmt::Display for ForeignChain {
    /// The chain and how it refuses: ``policy drop of `ip filter FORWARD` ``.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.refusal {
            Refusal::Policy => write!(formatter, "policy drop of `{}`", self.place),
            Refusal::Rule => write!(
                formatter,
                "a rule of `{}` that refuses the rest",
                self.place
            ),
        }
    }
}

/// A place in the words of `nft`.
fn place(family: FilterFamily, table: &str, chain: &str) -> String {
    format!("{family} {table} {chain}")
}
