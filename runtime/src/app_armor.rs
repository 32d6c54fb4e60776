//! AppArmor on this host: whether the kernel has it, which profiles it knows, and bringing ours to it.
//!
//! Policy reaches the kernel compiled, and what compiles it is `apparmor_parser`. It is run once a boot, by whoever first starts a
//! container that is to be confined.

use std::fs;
use std::io::{self, Write};
use std::process::{Command, Stdio};

use crate::security::app_armor::{AppArmorChoice, OUR_PROFILE, ProfileName};

/// Says `Y` where AppArmor is at work.
const ENABLED: &str = "/sys/module/apparmor/parameters/enabled";
/// Where the kernel shows its policy and takes more, if `securityfs` is mounted.
const POLICY_DIRECTORY: &str = "/sys/kernel/security/apparmor";
/// The profiles that the kernel knows, one a line: its name, and in parentheses its mode.
const PROFILES: &str = "/sys/kernel/security/apparmor/profiles";
/// Compiles policy and gives it to the kernel.
const PARSER: &str = "apparmor_parser";
/// Where programs of the administrator are, which `PATH` need not name.
const PLACES: &str = "/usr/sbin:/sbin:/usr/local/sbin:/usr/bin:/bin";

/// What a container may do under our profile: as much as its capabilities let it, but not mount, nor write to what tells of the
/// kernel as a whole, whatever mistake the rest of a sandbox makes.
const POLICY: &str = "\
profile minirun-default flags=(attach_disconnected, mediate_deleted) {
  file,
  network,
  capability,
  umount,
  signal (send, receive) peer=minirun-default,
  signal (receive) peer=unconfined,
  ptrace (trace, read, tracedby, readby) peer=minirun-default,
  ptrace (readby, tracedby) peer=unconfined,

  deny mount,
  deny /proc/sys/** w,
  deny /proc/{acpi,bus,fs,irq,scsi}/** w,
  deny /proc/sysrq-trigger rw,
  deny /proc/{kcore,kmem,mem} rw,
  deny /sys/firmware/** rw,
  deny /sys/kernel/security/** rw,
  deny /sys/devices/virtual/powercap/** rw,
  deny /sys/{block,bus,class,dev,devices,firmware,hypervisor,kernel,module,power}/** w,
}
";

/// Why a container cannot be confined as it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum AppArmorError {
    /// The kernel has no AppArmor.
    #[error(
        "cannot use the AppArmor profile `{0}`: the kernel of this host has no AppArmor, or it is switched off"
    )]
    Absent(ProfileName),
    /// The kernel does not know the profile.
    #[error("cannot use the AppArmor profile `{0}`: the kernel does not know it")]
    NotLoaded(ProfileName),
    /// The kernel's policy cannot be seen from here, nor added to.
    #[error("cannot use the AppArmor profile `{0}`: `{POLICY_DIRECTORY}` does not exist")]
    Hidden(ProfileName),
    /// Ours cannot be compiled.
    #[error("cannot load the AppArmor profile `{OUR_PROFILE}`: `{PARSER}` is not installed")]
    NoParser,
    /// Ours could not be compiled.
    #[error("cannot load the AppArmor profile `{OUR_PROFILE}`: `{PARSER}` says: {0}")]
    Parser(String),
}

/// What a host has of AppArmor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppArmorSupport {
    /// Nothing.
    Absent,
    /// The kernel has it, but nothing can bring our profile to it, so containers are not confined by one.
    WithoutParser,
    /// The kernel has it, but its policy is not shown here, so it cannot be told what it knows, nor anything be brought to it.
    Hidden,
    /// Containers are confined.
    Present,
}

impl AppArmorSupport {
    /// What this host has.
    pub fn of_host() -> AppArmorSupport {
        if !is_enabled() {
            return AppArmorSupport::Absent;
        }
        if !is_shown() {
            return AppArmorSupport::Hidden;
        }
        match is_loaded(OUR_PROFILE) || has_parser() {
            true => AppArmorSupport::Present,
            false => AppArmorSupport::WithoutParser,
        }
    }
}

/// The profile that a container runs under, which the kernel knows then. By default that is none where the kernel has no AppArmor, or
/// nothing can bring our profile to it, as Docker has it.
///
/// # Errors
/// When the host does not have the profile that was asked for.
pub(crate) fn profile_for(choice: &AppArmorChoice) -> Result<Option<ProfileName>, AppArmorError> {
    let profile = match choice {
        AppArmorChoice::Unconfined => return Ok(None),
        AppArmorChoice::Default => match AppArmorSupport::of_host() {
            AppArmorSupport::Present => ProfileName::ours(),
            AppArmorSupport::Absent | AppArmorSupport::WithoutParser | AppArmorSupport::Hidden => {
                return Ok(None);
            }
        },
        AppArmorChoice::Profile(profile) => profile.clone(),
    };
    if !is_enabled() {
        return Err(AppArmorError::Absent(profile));
    }
    if !is_shown() {
        return Err(AppArmorError::Hidden(profile));
    }
    if is_loaded(&profile.to_string()) {
        return Ok(Some(profile));
    }
    if profile != ProfileName::ours() {
        return Err(AppArmorError::NotLoaded(profile));
    }
    load()?;
    Ok(Some(profile))
}

impl AppArmorError {
    /// What helps, where something is known to.
    pub fn hint(&self) -> Option<String> {
        match self {
            AppArmorError::Absent(_) => Some("leave out `--security-opt apparmor=…`".into()),
            AppArmorError::Hidden(_) => {
                Some("mount it: `mount -t securityfs securityfs /sys/kernel/security`".into())
            }
            AppArmorError::NotLoaded(_) => {
                Some(format!("load it first: `{PARSER} -r FILE`"))
            }
            AppArmorError::NoParser => Some(
                "install the package `apparmor`, or do without: `--security-opt apparmor=unconfined`"
                    .into(),
            ),
            AppArmorError::Parser(_) => {
                Some("do without it: `--security-opt apparmor=unconfined`".into())
            }
        }
    }
}

fn is_enabled() -> bool {
    fs::read_to_string(ENABLED).is_ok_and(|text| text.trim_end() == "Y")
}

fn is_shown() -> bool {
    fs::exists(POLICY_DIRECTORY).unwrap_or_default()
}

fn is_loaded(name: &str) -> bool {
    fs::read_to_string(PROFILES).is_ok_and(|list| lists(&list, name))
}

/// Names may hold anything but spaces; the mode follows the last space.
fn lists(list: &str, name: &str) -> bool {
    list.lines()
        .filter_map(|line| line.rsplit_once(' '))
        .any(|(profile, _)| profile == name)
}

fn has_parser() -> bool {
    PLACES
        .split(':')
        .any(|place| fs::exists(format!("{place}/{PARSER}")).unwrap_or_default())
}

/// Hands our policy to the parser, which hands it to the kernel.
fn load() -> Result<(), AppArmorError> {
    let failed = |error: io::Error| AppArmorError::Parser(error.to_string());
    if !has_parser() {
        return Err(AppArmorError::NoParser);
    }
    let mut parser = Command::new(PARSER)
        .args(["--quiet", "--skip-cache", "--replace"])
        .env("PATH", PLACES)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    if let Some(mut policy) = parser.stdin.take() {
        policy.write_all(POLICY.as_bytes()).map_err(failed)?;
    }
    let finished = parser.wait_with_output().map_err(failed)?;
    match finished.status.success() {
        true => Ok(()),
        false => {
            let complaint = String::from_utf8_lossy(&finished.stderr);
            Err(AppArmorError::Parser(complaint.trim().to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_known_by_its_whole_name_in_any_mode() {
        let list = "minirun-default (enforce)\n/usr/bin/man (complain)\nminirun (enforce)\n";
        assert!(lists(list, OUR_PROFILE));
        assert!(lists(list, "/usr/bin/man"));
        assert!(!lists(list, "minirun-def"));
        assert!(!lists(list, "enforce"));
        assert!(!lists("", OUR_PROFILE));
    }

    #[test]
    fn the_policy_is_that_of_our_profile() {
        let first = POLICY.lines().next().unwrap();
        assert!(
            first.starts_with(&format!("profile {OUR_PROFILE} ")),
            "{first}"
        );
        assert_eq!(POLICY.matches('{').count(), POLICY.matches('}').count());
    }

    #[test]
    fn a_profile_that_is_named_needs_a_kernel_that_knows_it() {
        let named = AppArmorChoice::Profile("minirun-test-nosuch".parse().unwrap());
        let refused = profile_for(&named).unwrap_err();
        match (is_enabled(), is_shown()) {
            (true, true) => assert!(matches!(refused, AppArmorError::NotLoaded(_))),
            (true, false) => assert!(matches!(refused, AppArmorError::Hidden(_))),
            (false, _) => assert!(matches!(refused, AppArmorError::Absent(_))),
        }
        assert_eq!(profile_for(&AppArmorChoice::Unconfined).unwrap(), None);
    }
}
