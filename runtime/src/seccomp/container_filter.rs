//! The filter of one container: whether it has one, and where it lies. What is not part of this program is compiled at
//! creation and saved as `seccomp.bpf`, so that no start has to.

use std::fs;
use std::path::{Path, PathBuf};

use minirun_bridge::atomic_file;

use super::circumstances::Circumstances;
use super::default_filter::default_filter;
use super::default_policy::default_policy;
use super::error::SeccompError;
use super::filter::Filter;
use super::kernel_version::KernelVersion;
use super::policy::Policy;
use crate::capabilities::CapabilityMask;
use crate::config::ContainerConfig;
use crate::container_state::ContainerPaths;
use crate::error::RuntimeError;
use crate::runtime::Runtime;
use crate::security::seccomp_choice::SeccompChoice;
use crate::security::{Privilege, Security};

/// What is compiled for one container lies beside its record.
const FILE: &str = "seccomp.bpf";

/// Where a container's filter comes from.
enum Source {
    /// It has none.
    None,
    /// It is part of this program.
    BuiltIn(Filter),
    /// It lies beside the record.
    Saved,
}

impl ContainerPaths {
    /// The filter of its system calls, if it is not the usual one.
    pub(crate) fn seccomp_filter(&self) -> PathBuf {
        self.root.join(FILE)
    }
}

/// A profile that was asked for counts for a privileged container, too, as with Docker.
fn source(security: &Security) -> Source {
    match (&security.seccomp, security.privilege) {
        (SeccompChoice::Unconfined, _) | (SeccompChoice::Default, Privilege::Privileged) => {
            Source::None
        }
        (SeccompChoice::Profile(_), _) => Source::Saved,
        (SeccompChoice::Default, Privilege::Ordinary) => {
            default_filter(capabilities(security)).map_or(Source::Saved, Source::BuiltIn)
        }
    }
}

/// How config.json calls the filter of such a container.
pub(crate) fn named(security: &Security) -> &'static str {
    match source(security) {
        Source::None => "unconfined",
        Source::BuiltIn(_) => "default",
        Source::Saved => FILE,
    }
}

/// Compiles and saves the filter of a container that is trusted like this, if that is needed.
pub(crate) fn prepare(paths: &ContainerPaths, security: &Security) -> Result<(), RuntimeError> {
    if let Source::Saved = source(security) {
        let policy = policy(security)?;
        let filter = Filter::compile(&policy).map_err(SeccompError::from)?;
        atomic_file::write_atomically(&paths.seccomp_filter(), filter.text().as_bytes())?;
    }
    Ok(())
}

impl Runtime {
    /// The filter of a container's system calls, if it has one.
    pub(crate) fn seccomp_filter(
        &self,
        config: &ContainerConfig,
    ) -> Result<Option<Filter>, RuntimeError> {
        match source(&config.security) {
            Source::None => Ok(None),
            Source::BuiltIn(filter) => Ok(Some(filter)),
            Source::Saved => load(&self.paths(&config.id).seccomp_filter()).map(Some),
        }
    }
}

fn load(path: &Path) -> Result<Filter, RuntimeError> {
    let text = fs::read_to_string(path).map_err(|error| RuntimeError::file("read", path, error))?;
    let damaged = || SeccompError::Damaged {
        path: path.to_owned(),
    };
    Ok(Filter::from_text(&text).ok_or_else(damaged)?)
}

/// Those that the container is to have in its bounding set. Of the ones behind `ALL` its minirun may lack some; what their calls need
/// then, the kernel refuses.
fn capabilities(security: &Security) -> u64 {
    let every = caps::all().into_iter().collect();
    let usual = CapabilityMask::usual();
    let change = &security.capabilities;
    change.resolve(security.privilege, (usual, every)).bits()
}

fn policy(security: &Security) -> Result<Policy, SeccompError> {
    let capabilities = capabilities(security);
    let SeccompChoice::Profile(profile) = &security.seccomp else {
        return Ok(default_policy(capabilities));
    };
    let circumstances = Circumstances {
        capabilities,
        kernel: KernelVersion::running(),
    };
    let profile = profile.understand().map_err(SeccompError::Record)?;
    Ok(profile.policy(&circumstances))
}
