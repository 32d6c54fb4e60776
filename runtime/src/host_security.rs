//! What a host has of what the trust in a container depends on: capabilities to hand on, AppArmor, and how many processors tell of
//! their heat. Asked once, so that the specification follows from what is known.

use std::path::Path;

use crate::app_armor::{self, AppArmorError};
use crate::capabilities::CapabilityMask;
use crate::security::Security;
use crate::security::app_armor::ProfileName;

/// There for each processor, if for one.
const THROTTLING: &str = "/sys/devices/system/cpu/cpu0/thermal_throttle";

/// What a container gets of what the host has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostSecurity {
    /// Its capabilities.
    pub capabilities: CapabilityMask,
    /// The AppArmor profile it runs under, which is loaded.
    pub app_armor: Option<ProfileName>,
    /// How many processors tell how often they were throttled.
    pub processors: usize,
}

/// Why a host cannot give what was asked for.
#[derive(Debug, thiserror::Error)]
pub enum HostSecurityError {
    /// The kernel does not say what this process may do.
    #[error("cannot ask the kernel for the capabilities of this process: {0}")]
    Unknown(String),
    /// Nobody can hand on what they do not have.
    #[error("cannot give the container {names}: minirun was started without")]
    NotHeld {
        /// The capabilities.
        names: String,
    },
    /// The profile cannot be used.
    #[error(transparent)]
    AppArmor(#[from] AppArmorError),
}

impl HostSecurity {
    /// Finds out what a container that is trusted like this gets. Where it is to have our AppArmor profile and that is not loaded
    /// yet, it is.
    ///
    /// # Errors
    /// When the host has not what was asked for.
    pub fn examine(security: &Security) -> Result<HostSecurity, HostSecurityError> {
        let all = CapabilityMask::of_caller()
            .map_err(|error| HostSecurityError::Unknown(error.to_string()))?;
        let change = &security.capabilities;
        let capabilities = change.resolve(security.privilege, (CapabilityMask::usual(), all));
        let missing = capabilities.without(all);
        if missing != CapabilityMask::default() {
            let names: Vec<String> = missing.iter().map(|one| format!("`{one}`")).collect();
            return Err(HostSecurityError::NotHeld {
                names: names.join(", "),
            });
        }
        Ok(HostSecurity {
            capabilities,
            app_armor: app_armor::profile_for(&security.app_armor.under(security.privilege))?,
            processors: processors(),
        })
    }
}

impl HostSecurityError {
    /// What helps, where something is known to.
    pub fn hint(&self) -> Option<String> {
        match self {
            HostSecurityError::NotHeld { .. } => Some(
                "start minirun with all of root's rights, or leave them out with `--cap-drop`"
                    .into(),
            ),
            HostSecurityError::AppArmor(error) => error.hint(),
            HostSecurityError::Unknown(_) => None,
        }
    }
}

fn processors() -> usize {
    if !Path::new(THROTTLING).exists() {
        return 0;
    }
    // SAFETY: sysconf takes a number and touches no memory of ours.
    let count = unsafe { libc::sysconf(libc::_SC_NPROCESSORS_CONF) };
    usize::try_from(count).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::security::capability_change::CapabilityChange;

    #[test]
    fn what_is_handed_on_is_what_was_asked_for() {
        let words = ["chown".parse().unwrap()];
        let security = Security {
            capabilities: CapabilityChange::new(&words, &["all".parse().unwrap()]),
            ..Security::default()
        };
        match HostSecurity::examine(&security) {
            Ok(host) => assert_eq!(host.capabilities.to_string(), "0000000000000001"),
            Err(error) => {
                let expected = "cannot give the container `CAP_CHOWN`: minirun was started without";
                assert_eq!(error.to_string(), expected);
            }
        }
    }
}
