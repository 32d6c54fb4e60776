//! What of `HostConfig` is about the trust in a container.

use minirun_runtime::app_armor::AppArmorSupport;
use minirun_runtime::config::ContainerConfig;
use minirun_runtime::security::app_armor::{AppArmorChoice, OUR_PROFILE};
use minirun_runtime::security::capability_word::CapabilityWord;
use minirun_runtime::security::seccomp_choice::SeccompChoice;
use minirun_runtime::security::{Privilege, system_paths::SystemPaths};
use serde_json::{Map, Value, json};

/// The keys of `HostConfig`, as Docker names them.
pub(super) fn security(config: &ContainerConfig) -> Map<String, Value> {
    let capabilities = &config.security.capabilities;
    let keys = [
        (
            "Privileged",
            json!(config.security.privilege == Privilege::Privileged),
        ),
        ("CapAdd", words(capabilities.added())),
        ("CapDrop", words(capabilities.dropped())),
        ("SecurityOpt", options(config)),
    ];
    keys.map(|(key, value)| (key.to_owned(), value))
        .into_iter()
        .collect()
}

/// The profile that a container runs under; empty text where the host has no AppArmor.
pub(super) fn app_armor_profile(config: &ContainerConfig) -> String {
    let security = &config.security;
    match security.app_armor.under(security.privilege) {
        AppArmorChoice::Default => match AppArmorSupport::of_host() {
            AppArmorSupport::Present => OUR_PROFILE.to_owned(),
            AppArmorSupport::Absent | AppArmorSupport::WithoutParser | AppArmorSupport::Hidden => {
                String::new()
            }
        },
        AppArmorChoice::Unconfined => "unconfined".to_owned(),
        AppArmorChoice::Profile(profile) => profile.to_string(),
    }
}

/// Docker shows the absence of words as null.
fn words(words: &[CapabilityWord]) -> Value {
    match words {
        [] => Value::Null,
        words => json!(words),
    }
}

/// What was written behind `--security-opt`, as far as it is not the usual.
fn options(config: &ContainerConfig) -> Value {
    let app_armor = match &config.security.app_armor {
        AppArmorChoice::Default => None,
        AppArmorChoice::Unconfined => Some("apparmor=unconfined".to_owned()),
        AppArmorChoice::Profile(profile) => Some(format!("apparmor={profile}")),
    };
    let seccomp = match &config.security.seccomp {
        SeccompChoice::Default => None,
        SeccompChoice::Unconfined => Some("seccomp=unconfined".to_owned()),
        SeccompChoice::Profile(profile) => Some(format!("seccomp={}", profile.as_str())),
    };
    let new_privileges = config.process.no_new_privileges;
    let open = config.security.system_paths == SystemPaths::Unconfined;
    let options: Vec<String> = [
        new_privileges.then(|| "no-new-privileges".to_owned()),
        seccomp,
        app_armor,
        open.then(|| "systempaths=unconfined".to_owned()),
    ]
    .into_iter()
    .flatten()
    .collect();
    match options.is_empty() {
        true => Value::Null,
        false => json!(options),
    }
}
