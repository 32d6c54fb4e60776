//! When an entry of a profile counts: the capabilities of a container, the kernel, the machine.

use std::str::FromStr;

use super::architecture::Architecture;
use super::kernel_version::KernelVersion;
use super::profile_document::CircumstancesDocument;
use super::profile_error::{Part, ProfileError};

/// What a profile can ask about a container and its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Circumstances {
    /// The capabilities in the bounding set, one bit each.
    pub capabilities: u64,
    /// The kernel.
    pub kernel: KernelVersion,
}

/// What is asked.
#[derive(Debug, Default)]
pub(super) struct Restriction {
    includes: Demand,
    excludes: Demand,
}

/// Capabilities that nobody knows are a bit that no container has.
#[derive(Debug, Default)]
struct Demand {
    capabilities: Vec<Option<u64>>,
    architectures: Vec<String>,
    kernel: Option<KernelVersion>,
}

impl Restriction {
    pub(super) fn understand(
        (includes, excludes): (Option<CircumstancesDocument>, Option<CircumstancesDocument>),
        part: Part,
    ) -> Result<Restriction, ProfileError> {
        Ok(Restriction {
            includes: demand(includes.unwrap_or_default(), part)?,
            excludes: demand(excludes.unwrap_or_default(), part)?,
        })
    }

    /// All of what includes has to be so, and nothing of what excludes may.
    pub(super) fn holds(&self, circumstances: &Circumstances) -> bool {
        let has = |capability: &Option<u64>| {
            capability.is_some_and(|bit| circumstances.capabilities & bit != 0)
        };
        let is_new = |kernel: KernelVersion| circumstances.kernel >= kernel;
        let Restriction { includes, excludes } = self;
        self.is_for_here()
            && includes.capabilities.iter().all(has)
            && includes.kernel.is_none_or(is_new)
            && !excludes.capabilities.iter().any(has)
            && !excludes.kernel.is_some_and(is_new)
    }

    /// Whether it can hold on this machine at all.
    pub(super) fn is_for_here(&self) -> bool {
        let is_here = |word: &String| word == Architecture::NATIVE_WORD;
        let included = &self.includes.architectures;
        (included.is_empty() || included.iter().any(is_here))
            && !self.excludes.architectures.iter().any(is_here)
    }
}

fn demand(document: CircumstancesDocument, part: Part) -> Result<Demand, ProfileError> {
    let bit = |name: String| {
        caps::Capability::from_str(&name)
            .ok()
            .map(|one| one.bitmask())
    };
    let kernel = document.min_kernel.map(|word| {
        word.parse()
            .map_err(|_| ProfileError::KernelVersion { part, word })
    });
    Ok(Demand {
        capabilities: document
            .caps
            .unwrap_or_default()
            .into_iter()
            .map(bit)
            .collect(),
        architectures: document.arches.unwrap_or_default(),
        kernel: kernel.transpose()?,
    })
}
