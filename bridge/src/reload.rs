//! Making the host's rules what the state says.
//!
//! Theory of operation
//!
//! 1. A change touches records and rules, and may be interrupted between the two. So it holds the lock of the rules, takes
//!    the marker `STATE/firewall` away first and puts it back when both are done: while it is there, the rules are known to
//!    be what the records say. Where it is missing, whatever the reason (first use, an interruption, a driver that failed),
//!    the next change makes all rules afresh from the records.
//! 2. The marker holds the generation of the host's rules, a number that the kernel raises with every change anybody makes.
//!    While it is the same, nobody can have flushed our chains. When it is another, the next command asks whether everything
//!    is still in place. The older iptables, which does not use nf_tables, is asked each time.
//! 3. The lock of the rules is taken after that of a network, and held by those only who change rules. iptables has such a lock itself;
//!    ours also keeps a rebuild from seeing records whose rules are just being written.

use crate::error::NetworkError;
use crate::firewall::rule::Transaction;
use crate::firewall::{Firewall, FirewallError};
use crate::lazy_netlink::LazyNetlink;
use crate::network::{Family, Network};
use crate::policy::{self, Contribution};
use crate::state::NetworkHost;
use minirun_netns::netfilter::{self, SourceGuard};
use minirun_netns::{Explain, Explanation, Narrator, NetnsError};
use std::fs::{self, File};

/// Whether the rules are known to be what the records say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownRules {
    /// They are.
    Match,
    /// Nobody knows.
    Unknown,
}

/// What stands for the generation where the kernel counts none.
const UNCOUNTED: &str = "uncounted";

/// What is noted where the rules are those of nf_tables.
const NF_TABLES: &str = "nf_tables";

/// Whether somebody has changed rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Touched {
    /// Nobody has.
    No,
    /// Somebody has, or nothing was known before.
    Yes,
    /// The kernel does not count the changes of the iptables that is installed: it has to be asked for the rules.
    Unknown,
}

/// The exclusive right to change rules and the records they follow from; given back on drop.
#[derive(Debug)]
pub struct RulesLock {
    _file: File,
}

impl NetworkHost {
    /// Waits for the right to change rules.
    pub(crate) fn lock_rules(&self) -> Result<RulesLock, NetworkError> {
        let path = self.firewall_lock();
        fs::create_dir_all(&self.state)
            .map_err(|error| NetworkError::file("create", &self.state, error))?;
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|error| NetworkError::file("open", &path, error))?;
        file.lock()
            .map_err(|error| NetworkError::file("lock", &path, error))?;
        Ok(RulesLock { _file: file })
    }

    /// Notes that rules and records are about to change together; says what was known before.
    pub(crate) fn begin_rules_change(&self, _lock: &RulesLock) -> KnownRules {
        let touched = self.touched();
        match fs::remove_file(self.firewall_marker()) {
            Ok(()) if touched != Touched::Yes => KnownRules::Match,
            Ok(()) | Err(_) => KnownRules::Unknown,
        }
    }

    /// Notes that nobody knows what the rules are.
    pub(crate) fn distrust_rules(&self) -> Result<(), NetworkError> {
        self.begin_rules_change(&self.lock_rules()?);
        Ok(())
    }

    /// What is known of the rules, while nobody changes them.
    pub(crate) fn known_rules(&self, _lock: &RulesLock) -> KnownRules {
        match self.rules_are_known() {
            true => KnownRules::Match,
            false => KnownRules::Unknown,
        }
    }

    /// Whether the rules are known to be what the records say, as far as anybody knows. Where none were ever made, because
    /// whoever made the networks was not allowed to, there is nothing to know.
    pub(crate) fn rules_are_known(&self) -> bool {
        self.firewall == Firewall::None
            || self.firewall_marker().exists()
            || !self.firewall_variant().exists()
    }

    /// Whether the rules are known to be what the records say, and nobody has changed any rule of the host since.
    pub(crate) fn rules_are_untouched(&self) -> bool {
        self.firewall == Firewall::None || self.touched() == Touched::No
    }

    /// Whether somebody has changed rules of the host since they were known to be right.
    fn touched(&self) -> Touched {
        let Ok(marker) = fs::read_to_string(self.firewall_marker()) else {
            return Touched::Yes;
        };
        match marker.lines().collect::<Vec<_>>().as_slice() {
            [driver, _] if *driver != self.firewall.to_string() => Touched::Yes,
            [_, UNCOUNTED] => Touched::Unknown,
            [_, generation] => {
                let noted = generation.parse().ok();
                match noted.is_some() && noted == present_generation() {
                    true => Touched::No,
                    false => Touched::Yes,
                }
            }
            _ => Touched::Yes,
        }
    }

    /// Notes that the rules are what the records say.
    pub(crate) fn rules_match(&self, _lock: &RulesLock) -> Result<(), NetworkError> {
        let marker = self.firewall_marker();
        fs::write(&marker, self.marker_text())
            .map_err(|error| NetworkError::file("write", &marker, error))
    }

    /// Changes what keeps containers to their addresses, which the kernel counts as a change of rules.
    pub(crate) fn change_guards(
        &self,
        lock: &RulesLock,
        change: impl FnOnce() -> Result<(), NetnsError>,
    ) -> Result<(), NetworkError> {
        let known = self.begin_rules_change(lock);
        change()?;
        match known {
            KnownRules::Match => self.rules_match(lock),
            KnownRules::Unknown => Ok(()),
        }
    }

    /// The kernel counts the changes of nf_tables alone.
    fn marker_text(&self) -> String {
        let variant = fs::read_to_string(self.firewall_variant()).unwrap_or_default();
        let generation = match variant.as_str() {
            NF_TABLES => present_generation(),
            _ => None,
        };
        let generation =
            generation.map_or_else(|| UNCOUNTED.to_string(), |number| number.to_string());
        format!("{}\n{generation}\n", self.firewall)
    }

    /// Notes that rules are being made, and by what.
    fn note_variant(&self) -> Result<(), NetworkError> {
        let path = self.firewall_variant();
        let variant = match self.firewall.counts_generations() {
            true => NF_TABLES,
            false => "",
        };
        fs::write(&path, variant).map_err(|error| NetworkError::file("write", &path, error))
    }

    /// The families whose chains are ours to fill: IPv4, and IPv6 once there was a network that has it.
    fn rule_families(&self, networks: &[Network]) -> Vec<Family> {
        let has_ipv6 = networks.iter().any(|network| network.ipv6.is_some());
        if has_ipv6 || self.ipv6_firewall_marker().exists() {
            vec![Family::Ipv4, Family::Ipv6]
        } else {
            vec![Family::Ipv4]
        }
    }
}

/// The generation of the host's rules, where the kernel counts one.
fn present_generation() -> Option<u32> {
    netfilter::ruleset_generation().ok().flatten()
}

/// Applies a change of a network's rules. When they are not known, or are not as they should be (somebody flushed them), all
/// rules are made afresh from the state, which already says what the change wants; what was done then is the result.
pub(crate) fn change_rules(
    host: &NetworkHost,
    lock: &RulesLock,
    known: KnownRules,
    change: &Transaction,
) -> Result<Option<Transaction>, NetworkError> {
    if host.firewall == Firewall::None {
        return Ok(None);
    }
    if known == KnownRules::Unknown {
        return rebuild(host, lock).map(Some);
    }
    match host.firewall.commit(change) {
        Ok(()) => host.rules_match(lock).map(|()| None),
        Err(FirewallError::Refused { .. }) => rebuild(host, lock).map(Some),
        Err(error) => Err(error.into()),
    }
}

/// Makes sure that the rules of all networks are in place. While nobody has changed any rule of the host, that costs nothing;
/// nor where none were ever made.
///
/// # Errors
/// When the state or the host's rules cannot be read, or the driver refuses what has to be made afresh.
pub fn ensure_rules(host: &NetworkHost) -> Result<(), NetworkError> {
    if host.rules_are_untouched() || !host.firewall_variant().exists() {
        return Ok(());
    }
    let lock = host.lock_rules()?;
    let known = host.known_rules(&lock);
    let mut required = Transaction::default();
    let state = whole_state(host, &host.networks()?)?;
    // All of them at once: the marker speaks for all.
    for (network, whole) in &state {
        let of_network = host.firewall.requirement(network, whole);
        required.changes.extend(of_network.changes);
    }
    let rebuilt = change_rules(host, &lock, known, &required)?;
    let guards = guards(&state)?;
    match rebuilt {
        // What was touched may have been these.
        None if !guards.is_empty() => {
            host.change_guards(&lock, || netfilter::replace_guards(&guards))
        }
        _ => Ok(()),
    }
}

/// What keeps restricted containers to their addresses. An interface that is gone, or not made yet, cannot be guarded.
fn guards(state: &[(Network, Contribution)]) -> Result<Vec<SourceGuard>, NetworkError> {
    let netlink = LazyNetlink::default();
    let mut guards = Vec::new();
    for guard in state.iter().flat_map(|(_, whole)| whole.guards()) {
        let interface = netlink.with(|netlink| netlink.find_link(&guard.interface))?;
        guards.extend(interface.map(|_| guard));
    }
    Ok(guards)
}

/// Makes all rules afresh from the state, in one transaction for each table.
///
/// # Errors
/// When the state or the host's rules cannot be read, or the driver refuses the result.
pub fn reload(host: &NetworkHost) -> Result<(), NetworkError> {
    rebuild(host, &host.lock_rules()?).map(drop)
}

/// The same, told.
///
/// # Errors
/// As [`reload`].
pub fn reload_and_tell(
    host: &NetworkHost,
    narrator: &mut dyn Narrator,
) -> Result<(), NetworkError> {
    let made = rebuild(host, &host.lock_rules()?)?;
    narrator.tell(&Rebuilt(made));
    Ok(())
}

/// All rules, made afresh.
struct Rebuilt(Transaction);

impl Explain for Rebuilt {
    fn explain(&self) -> Explanation {
        Explanation {
            sentence: "make all rules from what is recorded".into(),
            command: self.0.commands(),
        }
    }
}

/// The same, for callers that hold the lock.
pub(crate) fn rebuild(host: &NetworkHost, lock: &RulesLock) -> Result<Transaction, NetworkError> {
    host.begin_rules_change(lock);
    if host.firewall != Firewall::None {
        host.note_variant()?;
    }
    let networks = host.networks()?;
    let families = host.rule_families(&networks);
    if families.contains(&Family::Ipv6) && host.firewall != Firewall::None {
        let marker = host.ipv6_firewall_marker();
        fs::write(&marker, "").map_err(|error| NetworkError::file("write", &marker, error))?;
    }
    let state = whole_state(host, &networks)?;
    let transaction = host.firewall.reconstruction(&state, &families)?;
    host.firewall.commit(&transaction)?;
    if host.firewall != Firewall::None {
        netfilter::replace_guards(&guards(&state)?)?;
        host.rules_match(lock)?;
    }
    Ok(transaction)
}

/// What the rules must say, for each network.
pub(crate) fn whole_state(
    host: &NetworkHost,
    networks: &[Network],
) -> Result<Vec<(Network, Contribution)>, NetworkError> {
    networks
        .iter()
        .map(|network| {
            let endpoints = host.network(&network.name).all()?;
            Ok((network.clone(), policy::whole(network, &endpoints)))
        })
        .collect()
}
