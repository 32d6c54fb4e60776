//! Making the host's rules what the state says.
//!
//! Theory of operation
//!
//! 1. A change touches records and rules, and may be interrupted between the two. So it holds the lock of the rules, takes
//!    the marker `STATE/firewall` away first and puts it back when both are done: while it is there, the rules are known to
//!    be what the records say. Where it is missing, whatever the reason (first use, an interruption, a driver that failed),
//!    the next change makes all rules afresh from the records.
//! 2. The marker holds the driver, and the generation of the host's rules, a number that the kernel raises with every change
//!    anybody makes. While it is the same, nobody can have flushed our rules. When it is another, the next command asks whether
//!    everything is still in place, or makes it so. The older iptables, which does not use nf_tables, is asked each time.
//! 3. Nobody's change is missed in between, but for one that comes while iptables makes all rules afresh. With nftables the kernel itself refuses a change that was decided on rules of another
//!    generation, and the next one is known without asking. With iptables it is counted on from what it was before: if somebody
//!    else was there, the marker names a generation that has passed already.
//! 4. The lock of the rules is taken after that of a network, and held by those only who change rules. iptables has such a lock itself;
//!    ours also keeps a rebuild from seeing records whose rules are just being written.
//! 5. When another driver is configured, the marker does not speak for it. All rules are made with the new one, and then those of
//!    the old one are taken away; in between both say the same. `STATE/firewall.variant` names whoever has rules.

use crate::error::NetworkError;
use crate::firewall::{Firewall, Transaction};
use crate::network::{Family, Network};
use crate::policy::{self, Contribution};
use crate::rule_maker::RuleMaker;
use crate::small_file;
use crate::source_check;
use crate::state::NetworkHost;
use minirun_netns::netfilter::nf_tables::Expectation;
use minirun_netns::{Explain, Explanation, Narrator};
use std::cell::Cell;
use std::fs::{self, File};
use std::io::ErrorKind;

/// Whether the rules are known to be what the records say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownRules {
    /// They are; this is what a change may rely on.
    Match(Expectation),
    /// Nobody knows.
    Unknown,
}

/// What stands for the generation where the kernel counts none.
const UNCOUNTED: &str = "uncounted";

/// The exclusive right to change rules and the records they follow from; given back on drop.
#[derive(Debug)]
pub struct RulesLock {
    _file: File,
    /// What is known of the rules while they are being changed; none before and after.
    begun: Cell<Option<KnownRules>>,
}

impl NetworkHost {
    /// Waits for the right to change rules.
    pub(crate) fn lock_rules(&self) -> Result<RulesLock, NetworkError> {
        let path = self.firewall_lock();
        let open = || {
            File::options()
                .create(true)
                .truncate(false)
                .write(true)
                .open(&path)
        };
        let opened = match open() {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                fs::create_dir_all(&self.state)
                    .map_err(|error| NetworkError::file("create", &self.state, error))?;
                open()
            }
            outcome => outcome,
        };
        let file = opened.map_err(|error| NetworkError::file("open", &path, error))?;
        file.lock()
            .map_err(|error| NetworkError::file("lock", &path, error))?;
        Ok(RulesLock {
            _file: file,
            begun: Cell::default(),
        })
    }

    /// Notes that rules and records are about to change together; says what was known before.
    pub(crate) fn begin_rules_change(&self, lock: &RulesLock) -> KnownRules {
        let known = match (self.firewall, self.marked()) {
            // The kernel compares it when rules are changed.
            (Firewall::Nftables, Some(expectation)) => KnownRules::Match(expectation),
            (_, Some(expectation)) if self.is_met(expectation) => KnownRules::Match(expectation),
            _ => KnownRules::Unknown,
        };
        let known = match fs::remove_file(self.firewall_marker()) {
            Ok(()) => known,
            Err(_) => KnownRules::Unknown,
        };
        lock.begun.set(Some(known));
        known
    }

    /// Notes that nobody knows what the rules are.
    pub(crate) fn distrust_rules(&self) -> Result<(), NetworkError> {
        self.begin_rules_change(&self.lock_rules()?);
        Ok(())
    }

    /// Where this command makes no rules, and records are about to change all the same: notes that nobody knows what the rules
    /// are, so that whoever makes rules next sees the change.
    pub(crate) fn note_change_without_rules(&self) -> Result<(), NetworkError> {
        match self.firewall {
            Firewall::None if self.firewall_marker().exists() => self.distrust_rules(),
            _ => Ok(()),
        }
    }

    /// What is known of the rules, while nobody changes them. Rules of iptables that somebody has changed may be what they were.
    pub(crate) fn known_rules(&self, _lock: &RulesLock) -> KnownRules {
        match (self.firewall, self.marked()) {
            (Firewall::None, _) => KnownRules::Match(Expectation::Anything),
            (Firewall::Nftables, Some(expectation)) => KnownRules::Match(expectation),
            (Firewall::Iptables, Some(_)) => KnownRules::Match(self.present()),
            (_, None) => KnownRules::Unknown,
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
        match (self.firewall, self.marked()) {
            (Firewall::None, _) => true,
            (_, Some(Expectation::Anything)) | (_, None) => false,
            (_, Some(expectation)) => self.is_met(expectation),
        }
    }

    /// What the marker says, if it speaks for the driver in use.
    fn marked(&self) -> Option<Expectation> {
        let marker = small_file::read_text(&self.firewall_marker()).ok()?;
        let (driver, generation) = marker.trim_end().split_once('\n')?;
        if driver != self.firewall.to_string() {
            return None;
        }
        match generation {
            UNCOUNTED => Some(Expectation::Anything),
            number => number.parse().ok().map(Expectation::Generation),
        }
    }

    /// Whether nobody can have changed rules, as far as the kernel counts.
    fn is_met(&self, expectation: Expectation) -> bool {
        expectation == Expectation::Anything || expectation == self.present()
    }

    /// What a change may rely on that is decided now.
    fn present(&self) -> Expectation {
        let counted = match self.firewall {
            Firewall::Nftables => true,
            Firewall::Iptables => self
                .drivers_with_rules()
                .contains(&RuleMaker::IptablesOnNfTables),
            Firewall::None => false,
        };
        match counted.then(|| self.rules.generation()) {
            Some(Ok(generation)) => Expectation::Generation(generation),
            _ => Expectation::Anything,
        }
    }

    /// Notes that the rules are what the records say, and since when.
    pub(crate) fn rules_match(
        &self,
        lock: &RulesLock,
        since: Expectation,
    ) -> Result<(), NetworkError> {
        lock.begun.set(None);
        let since = match since {
            Expectation::Anything => self.present(),
            known => known,
        };
        let generation = match since {
            Expectation::Generation(number) => number.to_string(),
            Expectation::Anything => UNCOUNTED.to_string(),
        };
        let marker = self.firewall_marker();
        fs::write(&marker, format!("{}\n{generation}\n", self.firewall))
            .map_err(|error| NetworkError::file("write", &marker, error))
    }

    /// Changes what keeps containers to their addresses, which the kernel counts as a change of rules; `change` says what the
    /// next one may rely on. It may be a part of a change that has begun. If it is not, the marker is true again afterwards if
    /// nobody else has changed anything before; if somebody has, it stays behind, and whoever looks next finds out.
    pub(crate) fn change_guards(
        &self,
        lock: &RulesLock,
        change: impl Fn(Expectation) -> Result<Expectation, NetworkError>,
    ) -> Result<(), NetworkError> {
        let begun = lock.begun.get();
        let before = begun.unwrap_or_else(|| match self.marked() {
            Some(expectation) => KnownRules::Match(expectation),
            None => KnownRules::Unknown,
        });
        let after = match before {
            KnownRules::Unknown => change(Expectation::Anything).map(|_| KnownRules::Unknown),
            KnownRules::Match(expectation) => match change(expectation) {
                Ok(_) if expectation == Expectation::Anything => Ok(before),
                Ok(since) => Ok(KnownRules::Match(since)),
                Err(error) if source_check::is_outdated(&error) => {
                    change(Expectation::Anything).map(|_| KnownRules::Unknown)
                }
                Err(error) => Err(error),
            },
        }?;
        match (begun, after) {
            (Some(_), after) => lock.begun.set(Some(after)),
            (None, KnownRules::Match(since)) if since != Expectation::Anything => {
                self.rules_match(lock, since)?;
            }
            (None, _) => {}
        }
        Ok(())
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
    // Guards may have been changed since it began.
    let (KnownRules::Match(_), KnownRules::Match(expectation)) =
        (known, lock.begun.get().unwrap_or(known))
    else {
        return rebuild(host, lock).map(Some);
    };
    match host.firewall.commit(host, change, expectation) {
        Ok(since) => host.rules_match(lock, since).map(|()| None),
        Err(error) if error.is_about_rules() => rebuild(host, lock).map(Some),
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
    // Before our own rules, because the marker speaks of what is there after them.
    host.pass_others(&lock)?;
    let known = host.known_rules(&lock);
    let state = whole_state(host, &host.networks()?)?;
    // All of them at once: the marker speaks for all.
    let required = host.firewall.requirement(&state);
    let rebuilt = change_rules(host, &lock, known, &required)?;
    match rebuilt {
        // What was touched may have been these.
        None => host.change_guards(&lock, |expectation| host.make_guards_afresh(expectation)),
        Some(_) => Ok(()),
    }
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
    let lock = host.lock_rules()?;
    for passage in host.pass_others(&lock)? {
        narrator.tell(&passage);
    }
    narrator.tell(&Rebuilt(rebuild(host, &lock)?));
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
    let Some(driver) = RuleMaker::of(host.firewall) else {
        return Ok(Transaction::default());
    };
    let mut others = host.drivers_with_rules();
    others.retain(|other| other.firewall() != host.firewall);
    host.note_drivers(&[vec![driver], others.clone()].concat())?;
    let networks = host.networks()?;
    let families = host.rule_families(&networks);
    if families.contains(&Family::Ipv6) {
        let marker = host.ipv6_firewall_marker();
        fs::write(&marker, "").map_err(|error| NetworkError::file("write", &marker, error))?;
    }
    let state = whole_state(host, &networks)?;
    // Another driver's rules need what lets them pass until these are there.
    if others.is_empty() {
        host.pass_others(lock)?;
    }
    let guarded = host.make_guards_afresh(Expectation::Anything)?;
    let (transaction, mut since) = host.firewall.make_afresh(host, &state, &families)?;
    // If somebody was there between the two, the marker names a generation that has passed, and the next command looks.
    if let (Expectation::Generation(_), Some(next)) = (since, guarded.next()) {
        since = next;
    }
    if !others.is_empty() {
        host.pass_others(lock)?;
    }
    for other in &others {
        other.firewall().dismantle(host, &families)?;
        since = Expectation::Anything;
    }
    host.note_drivers(&[driver])?;
    host.rules_match(lock, since)?;
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
