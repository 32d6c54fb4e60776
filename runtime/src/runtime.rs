//! The runtime: where things are, and the way to everything else.

use crate::container_state::ContainerPaths;
use crate::error::RuntimeError;
use crate::image::ImageStore;
use crate::process::Sealed;
use minirun_bridge::id::ContainerId;
use minirun_bridge::settings::{FirewallChoice, Settings};
use minirun_bridge::state::NetworkHost;
use std::path::PathBuf;

/// Where minirun keeps things.
#[derive(Debug, Clone)]
pub struct Directories {
    /// What outlives a boot: images, containers, network definitions.
    pub root: PathBuf,
    /// What dies with it.
    pub state: PathBuf,
    /// The configuration file.
    pub configuration: PathBuf,
}

impl Default for Directories {
    fn default() -> Directories {
        Directories {
            root: "/var/lib/minirun".into(),
            state: "/run/minirun".into(),
            configuration: "/etc/minirun/minirun.toml".into(),
        }
    }
}

/// What is stronger than the configuration file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Overrides {
    /// Whether rules are read and written at all.
    pub iptables: Option<bool>,
    /// Whether the host may be made to forward.
    pub ip_forward: Option<bool>,
}

impl Overrides {
    /// The settings with what is stronger. Without rules nothing keeps containers apart, so ICC off is refused then.
    fn over(self, mut settings: Settings) -> Result<Settings, RuntimeError> {
        match self.iptables {
            Some(false) if !settings.icc => return Err(RuntimeError::IccNeedsRules),
            Some(false) => settings.firewall = FirewallChoice::None,
            Some(true) if settings.firewall == FirewallChoice::None => {
                settings.firewall = FirewallChoice::Iptables;
            }
            Some(true) | None => {}
        }
        settings.ip_forward = self.ip_forward.unwrap_or(settings.ip_forward);
        Ok(settings)
    }
}

/// A host's containers, images and networks.
#[derive(Debug, Clone)]
pub struct Runtime {
    /// Where things are.
    pub directories: Directories,
    /// The networks.
    pub networks: NetworkHost,
    /// The images.
    pub images: ImageStore,
}

impl Runtime {
    /// Reads the configuration; makes nothing yet. Programs of containers may execute the caller's own executable, so the caller is
    /// [`Sealed`] first: if it is not yet, `main` begins anew.
    ///
    /// # Errors
    /// When the configuration file is wrong, or the caller is not root.
    pub fn open(directories: Directories, overrides: Overrides) -> Result<Runtime, RuntimeError> {
        if !nix::unistd::geteuid().is_root() {
            return Err(RuntimeError::NotRoot);
        }
        Sealed::ensure()?;
        Runtime::open_to_ask(directories, overrides)
    }

    /// The same for a command that only asks, and saves the time. It is sealed when it meets a container that has to run again:
    /// `main` begins anew then, so nothing may have been shown before all was asked.
    ///
    /// # Errors
    /// As [`Runtime::open`].
    pub fn open_to_ask(
        directories: Directories,
        overrides: Overrides,
    ) -> Result<Runtime, RuntimeError> {
        if !nix::unistd::geteuid().is_root() {
            return Err(RuntimeError::NotRoot);
        }
        let settings = overrides.over(Settings::load(&directories.configuration)?)?;
        Ok(Runtime {
            networks: NetworkHost::new(
                directories.root.clone(),
                directories.state.clone(),
                settings,
            ),
            images: ImageStore::open(directories.root.join("images")),
            directories,
        })
    }

    /// The directories of a container.
    pub fn paths(&self, id: &ContainerId) -> ContainerPaths {
        ContainerPaths {
            root: self.containers().join(id.to_string()),
            state: self.states().join(id.to_string()),
        }
    }

    /// The directory with one directory for each container.
    pub(crate) fn containers(&self) -> PathBuf {
        self.directories.root.join("containers")
    }

    /// The directory with one directory for each container that runs.
    pub(crate) fn states(&self) -> PathBuf {
        self.directories.state.join("containers")
    }

    /// The directory with one symbolic link for each container's name.
    pub(crate) fn names(&self) -> PathBuf {
        self.directories.root.join("names")
    }
}
