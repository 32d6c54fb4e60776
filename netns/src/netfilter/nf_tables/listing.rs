//! Asking what a table has.

use netlink_packet_netfilter::nftables::{ChainAttribute, ChainMessage, NfTablesMessage};
use netlink_packet_netfilter::{NetfilterHeader, NetfilterMessage, NetfilterMessageInner};

use super::connection::{CommitError, RulesConnection};
use super::{Table, messages};

impl RulesConnection {
    /// The names of a table's chains; none if there is no such table.
    ///
    /// # Errors
    ///
    /// [`CommitError::Failed`] when the kernel does not answer.
    pub fn chains(&mut self, table: Table) -> Result<Vec<String>, CommitError> {
        let header = NetfilterHeader::new(messages::family(table.family), 0, 0);
        let question = ChainMessage {
            attributes: Vec::new(),
        };
        let question = NetfilterMessage::new(header, NfTablesMessage::GetChain(question));
        let replies = self.dump(question)?;
        let chains = replies.iter().filter_map(|reply| chain_of(reply, table));
        Ok(chains.collect())
    }
}

/// The kernel lists the chains of all tables of the family.
fn chain_of(reply: &NetfilterMessage, table: Table) -> Option<String> {
    let NetfilterMessageInner::NfTables(NfTablesMessage::NewChain(chain)) = &reply.inner else {
        return None;
    };
    let mut attributes = chain.attributes.iter();
    let in_table = attributes
        .clone()
        .any(|attribute| matches!(attribute, ChainAttribute::Table(name) if name == table.name));
    attributes
        .find_map(|attribute| match attribute {
            ChainAttribute::Name(name) => Some(name.clone()),
            _ => None,
        })
        .filter(|_| in_table)
}
