//! Devices in `HostConfig`, by Docker's names.

use minirun_runtime::devices::Devices;
use minirun_runtime::devices::mapping::DeviceMapping;
use serde_json::{Map, Value, json};

/// What was asked for; as with Docker, no rules are null.
pub(super) fn devices(devices: &Devices) -> Map<String, Value> {
    let mappings: Vec<Value> = devices.mappings.iter().map(mapping).collect();
    let rules: Vec<String> = devices.rules.iter().map(ToString::to_string).collect();
    let rules = (!rules.is_empty()).then_some(rules);
    Map::from_iter([
        ("Devices".to_owned(), mappings.into()),
        ("DeviceCgroupRules".to_owned(), json!(rules)),
    ])
}

fn mapping(mapping: &DeviceMapping) -> Value {
    json!({
        "PathOnHost": mapping.host,
        "PathInContainer": mapping.container,
        "CgroupPermissions": mapping.access.to_string(),
    })
}
