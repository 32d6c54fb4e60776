//! A profile of a user, in Docker's grammar: what it means, and which of its entries count for a container.

use std::borrow::Cow;
use std::str::FromStr;

use super::action::{Action, NOT_PERMITTED};
use super::architecture::Architecture;
use super::circumstances::{Circumstances, Restriction};
use super::condition::{ArgumentIndex, Comparison, Condition};
use super::policy::{FilterFlags, Policy, Rule};
use super::profile_document::{ConditionDocument, Document, RuleDocument};
use super::profile_error::{HIGHEST_ERRNO, Part, ProfileError};

/// A profile that was understood.
#[derive(Debug)]
pub struct Profile {
    otherwise: Action,
    architectures: Vec<Architecture>,
    flags: FilterFlags,
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    rules: Vec<Rule>,
    restriction: Restriction,
}

impl FromStr for Profile {
    type Err = ProfileError;

    fn from_str(text: &str) -> Result<Profile, ProfileError> {
        let document: Document = serde_json::from_str(text).map_err(ProfileError::Grammar)?;
        if document.listener_path.is_some() || document.listener_metadata.is_some() {
            return Err(ProfileError::Notify(Part::Listener));
        }
        let word = document
            .default_action
            .as_deref()
            .ok_or(ProfileError::NoDefault)?;
        Ok(Profile {
            otherwise: action(word, document.default_errno_ret, Part::Default)?,
            architectures: architectures(&document)?,
            flags: flags(document.flags.as_deref())?,
            entries: (1..)
                .zip(document.syscalls.unwrap_or_default())
                .map(|(number, rule)| entry(rule, Part::Entry(number)))
                .collect::<Result<_, _>>()?,
        })
    }
}

impl Profile {
    /// What it means for a container.
    pub fn policy(&self, circumstances: &Circumstances) -> Policy {
        let counting = self
            .entries
            .iter()
            .filter(|entry| entry.restriction.holds(circumstances));
        Policy {
            otherwise: self.otherwise,
            architectures: self.architectures.clone(),
            rules: counting.flat_map(|entry| entry.rules.clone()).collect(),
            flags: self.flags,
        }
    }

    /// The calls that entries for this machine name and that it does not have: slips of the pen. Calls of other machines,
    /// which profiles for all of them name, too, are none.
    pub fn unknown_names(&self) -> Vec<String> {
        let here = self
            .entries
            .iter()
            .filter(|entry| entry.restriction.is_for_here());
        let names = here
            .flat_map(|entry| &entry.rules)
            .flat_map(|rule| &rule.names);
        let mut unknown: Vec<String> = names
            .filter(|name| !is_known(name))
            .map(ToString::to_string)
            .collect();
        unknown.sort_unstable();
        unknown.dedup();
        unknown
    }
}

/// Calls of other machines, and two that libseccomp knows though no kernel here ever had them by number.
const KNOWN_ELSEWHERE: &str = "breakpoint cacheflush multiplexer recv riscv_flush_icache riscv_hwprobe \
     s390_guarded_storage s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr s390_sthyi send semop semtimedop \
     msgctl msgget msgrcv msgsnd shmat shmctl shmdt shmget set_tls spu_create spu_run subpage_prot swapcontext \
     switch_endian sync_file_range2 arm_fadvise64_64 arm_sync_file_range timerfd usr26 usr32";

fn is_known(name: &str) -> bool {
    Architecture::HERE
        .iter()
        .any(|architecture| architecture.number(name).is_some())
        || KNOWN_ELSEWHERE
            .split_whitespace()
            .any(|known| known == name)
}

fn action(word: &str, number: Option<u64>, part: Part) -> Result<Action, ProfileError> {
    let number = match number {
        None => NOT_PERMITTED,
        Some(number) => u16::try_from(number)
            .ok()
            .filter(|_| number <= HIGHEST_ERRNO)
            .ok_or(ProfileError::ErrnoTooLarge { part, number })?,
    };
    Ok(match word {
        "SCMP_ACT_ALLOW" => Action::Allow,
        "SCMP_ACT_LOG" => Action::Log,
        "SCMP_ACT_ERRNO" => Action::Errno(number),
        "SCMP_ACT_TRACE" => Action::Trace(number),
        "SCMP_ACT_TRAP" => Action::Trap,
        "SCMP_ACT_KILL" | "SCMP_ACT_KILL_THREAD" => Action::KillThread,
        "SCMP_ACT_KILL_PROCESS" => Action::KillProcess,
        "SCMP_ACT_NOTIFY" => return Err(ProfileError::Notify(part)),
        _ => {
            return Err(ProfileError::UnknownAction {
                part,
                word: word.to_owned(),
            });
        }
    })
}

/// The native one, and those that the profile opens of the others here. Of `archMap` only the entry of the native one
/// counts, as with Docker.
fn architectures(document: &Document) -> Result<Vec<Architecture>, ProfileError> {
    let list = document.architectures.as_deref().unwrap_or_default();
    let map = document.arch_map.as_deref().unwrap_or_default();
    if !list.is_empty() && !map.is_empty() {
        return Err(ProfileError::ArchitecturesTwice);
    }
    let mut open = vec![Architecture::NATIVE];
    for word in list {
        open.extend(architecture(word)?);
    }
    for entry in map {
        let is_native = architecture(&entry.architecture)? == Some(Architecture::NATIVE);
        for word in entry.sub_architectures.iter().flatten() {
            open.extend(architecture(word)?.filter(|_| is_native));
        }
    }
    open.sort_unstable();
    open.dedup();
    Ok(open)
}

fn architecture(word: &str) -> Result<Option<Architecture>, ProfileError> {
    Architecture::from_word(word).ok_or_else(|| ProfileError::UnknownArchitecture(word.to_owned()))
}

/// `TSYNC` is about threads, of which a program that begins has one.
fn flags(words: Option<&[String]>) -> Result<FilterFlags, ProfileError> {
    let Some(words) = words else {
        return Ok(FilterFlags::USUAL);
    };
    words.iter().try_fold(FilterFlags::NONE, |flags, word| {
        Ok(flags.and(match word.as_str() {
            "SECCOMP_FILTER_FLAG_TSYNC" => FilterFlags::NONE,
            "SECCOMP_FILTER_FLAG_LOG" => FilterFlags::LOG,
            "SECCOMP_FILTER_FLAG_SPEC_ALLOW" => FilterFlags::USUAL,
            _ => return Err(ProfileError::UnknownFlag(word.clone())),
        }))
    })
}

fn entry(document: RuleDocument, part: Part) -> Result<Entry, ProfileError> {
    let names = match (document.name, document.names.unwrap_or_default()) {
        (Some(name), names) if names.is_empty() => vec![name],
        (Some(_), _) => return Err(ProfileError::NamesTwice(part)),
        (None, names) if names.is_empty() => return Err(ProfileError::NoName(part)),
        (None, names) => names,
    };
    let action = action(&document.action, document.errno_ret, part)?;
    let conditions: Vec<Condition> = document
        .args
        .unwrap_or_default()
        .iter()
        .map(|document| condition(document, part))
        .collect::<Result<_, _>>()?;
    let names: Vec<Cow<'static, str>> = names.into_iter().map(Cow::Owned).collect();
    let rules = alternatives(conditions).into_iter().map(|conditions| Rule {
        names: names.clone(),
        action,
        conditions,
    });
    Ok(Entry {
        rules: rules.collect(),
        restriction: Restriction::understand((document.includes, document.excludes), part)?,
    })
}

/// Several conditions on one argument are alternatives, as runc has it; else all of them have to hold.
fn alternatives(conditions: Vec<Condition>) -> Vec<Vec<Condition>> {
    let is_repeated = |one: &Condition| {
        let same = conditions
            .iter()
            .filter(|other| other.argument == one.argument);
        same.count() > 1
    };
    match conditions.iter().any(is_repeated) {
        true => conditions.into_iter().map(|one| vec![one]).collect(),
        false => vec![conditions],
    }
}

fn condition(document: &ConditionDocument, part: Part) -> Result<Condition, ProfileError> {
    let index = document.index;
    let value = document.value;
    let comparison = match document.op.as_str() {
        "SCMP_CMP_NE" => Comparison::NotEqual(value),
        "SCMP_CMP_LT" => Comparison::Less(value),
        "SCMP_CMP_LE" => Comparison::LessOrEqual(value),
        "SCMP_CMP_EQ" => Comparison::Equal(value),
        "SCMP_CMP_GE" => Comparison::GreaterOrEqual(value),
        "SCMP_CMP_GT" => Comparison::Greater(value),
        "SCMP_CMP_MASKED_EQ" => Comparison::MaskedEqual {
            mask: value,
            value: document.value_two,
        },
        word => {
            return Err(ProfileError::UnknownOperator {
                part,
                word: word.to_owned(),
            });
        }
    };
    Ok(Condition {
        argument: ArgumentIndex::new(index).ok_or(ProfileError::UnknownArgument { part, index })?,
        comparison,
    })
}
