//! Looking at a host's firewalls, and opening ways through them.

use super::passages::{foreign_chains, passages};
use super::{ForeignChain, Made, OwnRules, Situation, legacy};
use crate::atomic_file;
use crate::error::NetworkError;
use crate::firewall::Firewall;
use crate::network::Network;
use crate::reload::RulesLock;
use crate::state::NetworkHost;
use minirun_netns::netfilter::{FilterTable, Passage, forward_tables};
use std::fs;
use std::io::ErrorKind;

/// How often it is tried while others change rules at the same time.
const ATTEMPTS: u32 = 5;

impl NetworkHost {
    /// The chains of others that refuse what they know nothing about, and what has become of our bridges there. Where minirun
    /// reads and writes no rules, none.
    ///
    /// # Errors
    /// When the rules or the definitions cannot be read.
    pub fn foreign_chains(&self) -> Result<Vec<ForeignChain>, NetworkError> {
        if self.firewall == Firewall::None {
            return Ok(Vec::new());
        }
        let networks = self.networks()?;
        Ok(self.chains_of(&forward_tables()?, self.situation(&networks)))
    }

    /// Changes the tables of others so that our bridges pass, and nothing where they do; says what was changed. Nobody's refusal
    /// keeps a container from starting: what stands in the way afterwards is noted for [`NetworkHost::blockade`].
    ///
    /// # Errors
    /// When the definitions cannot be read, or the note not be written.
    pub(crate) fn pass_others(&self, _lock: &RulesLock) -> Result<Vec<Passage>, NetworkError> {
        if self.firewall == Firewall::None {
            return Ok(Vec::new());
        }
        for _ in 0..ATTEMPTS {
            if let Some(passages) = self.try_to_pass_others()? {
                return Ok(passages);
            }
        }
        Ok(Vec::new())
    }

    /// None when somebody has changed rules meanwhile: rules are named by numbers, which may be others' then.
    fn try_to_pass_others(&self) -> Result<Option<Vec<Passage>>, NetworkError> {
        let networks = self.networks()?;
        let situation = self.situation(&networks);
        let Ok(mut generation) = self.rules.generation() else {
            return Ok(Some(Vec::new()));
        };
        // Rules that cannot be read, because a newer kernel tells of them in other words, may well let everything pass.
        let Ok(tables) = forward_tables() else {
            return Ok(Some(Vec::new()));
        };
        let mut wanted = passages(&tables, situation);
        if wanted.is_empty() {
            self.note_blockade(&self.chains_of(&tables, situation))?;
        } else {
            let mut made = Vec::new();
            for passage in wanted {
                match passage.apply(generation) {
                    Ok(()) => made.push(passage),
                    Err(error) if error.raw_os_error() == Some(libc::ERESTART) => return Ok(None),
                    Err(_) => continue,
                }
                generation = generation.wrapping_add(1).max(1);
            }
            wanted = made;
            self.note_blockade(&self.foreign_chains()?)?;
        }
        Ok(Some(wanted))
    }

    /// What refuses containers, as it was when somebody last changed a rule of the host. Costs one look for a file.
    pub fn blockade(&self) -> Vec<ForeignChain> {
        let note = fs::read(self.foreign_blockade()).unwrap_or_default();
        serde_json::from_slice(&note).unwrap_or_default()
    }

    fn note_blockade(&self, chains: &[ForeignChain]) -> Result<(), NetworkError> {
        let path = self.foreign_blockade();
        let refusing: Vec<_> = chains
            .iter()
            .filter(|chain| chain.standing.refuses())
            .collect();
        if refusing.is_empty() {
            return match fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    Err(NetworkError::file("remove", &path, error))
                }
                _ => Ok(()),
            };
        }
        Ok(atomic_file::write_json(&path, &refusing)?)
    }

    fn chains_of(&self, tables: &[FilterTable], situation: Situation<'_>) -> Vec<ForeignChain> {
        let mut chains = foreign_chains(tables, situation);
        if self.uses_nf_tables() {
            chains.extend(legacy::refusing_chain());
        }
        chains
    }

    fn situation<'a>(&self, networks: &'a [Network]) -> Situation<'a> {
        Situation {
            own_rules: match (self.firewall, self.uses_nf_tables()) {
                (Firewall::Iptables, true) => OwnRules::SharedTables,
                _ => OwnRules::OwnTables,
            },
            made: match self.firewall_variant().exists() {
                true => Made::Yes,
                false => Made::NotYet,
            },
            networks,
            choice: self.settings.foreign_firewall,
        }
    }
}
