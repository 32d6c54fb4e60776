//! What a listing shows of a container's record. Of a thousand records, reading the rest would be most of the work.
//!
//! Every field has the name and the meaning that it has in [`ContainerConfig`](crate::config::ContainerConfig); what is
//! not named here is skipped where it stands, whatever it says.

use std::collections::BTreeMap;

use minirun_bridge::id::ContainerId;
use minirun_bridge::link::Link;
use minirun_bridge::name::{ContainerName, NetworkName};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::cgroup::GroupName;
use crate::config::NetworkMode;
use crate::container_state::ContainerState;
use crate::image::ImageId;
use crate::resources::group_parent::GroupParent;
use crate::storage::Storage;

/// A container as it was created, as far as listings show it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct ContainerOutline {
    /// The identifier it keeps for life.
    pub id: ContainerId,
    /// The name it is known by.
    pub name: ContainerName,
    /// When it was created.
    pub created: jiff::Timestamp,
    /// The image as the user typed it.
    pub image: String,
    /// The image that word meant at creation.
    pub image_id: ImageId,
    /// What runs in it.
    pub process: ProcessOutline,
    /// The user's own key and value pairs, and those of the image.
    pub labels: BTreeMap<String, String>,
    /// Whether it is removed as soon as it has ended.
    pub auto_remove: bool,
    /// What is mounted in it.
    pub storage: Storage,
    /// How it is connected.
    pub network: NetworkOutline,
    health: Option<IgnoredAny>,
    resources: ResourcesOutline,
}

/// The words of a container's process.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct ProcessOutline {
    /// The words every command line of this container begins with.
    pub entrypoint: Vec<String>,
    /// The words that follow the entry point.
    pub command: Vec<String>,
}

/// How a container is connected.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct NetworkOutline {
    /// What its network is.
    pub mode: NetworkMode,
    /// The networks it is on, in the order of its interfaces.
    pub memberships: Vec<MembershipOutline>,
    /// The containers it may reach by alias.
    pub links: Vec<Link>,
    expose: Vec<IgnoredAny>,
    publish: Vec<IgnoredAny>,
    publish_all: bool,
}

/// A container's wish to be on a network.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct MembershipOutline {
    /// The network.
    pub network: NetworkName,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct ResourcesOutline {
    group_parent: GroupParent,
}

impl ContainerOutline {
    /// Which control groups are its own.
    pub fn group(&self) -> GroupName<'_> {
        (&self.resources.group_parent, &self.id)
    }

    /// Whether it removes itself and has ended, so that it is as good as gone.
    pub(crate) fn is_leaving(&self, state: &ContainerState) -> bool {
        self.auto_remove && matches!(state, ContainerState::Exited(_))
    }

    /// Whether its health is checked.
    pub fn is_health_checked(&self) -> bool {
        self.health.is_some()
    }
}

impl ProcessOutline {
    /// The words of its command line.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        let words = self.entrypoint.iter().chain(&self.command);
        words.map(String::as_str)
    }
}

impl NetworkOutline {
    /// Whether it may have ports that a listing shows: neither of these lists changes as long as it exists, and only what they name is
    /// ever exposed or published.
    pub fn may_have_ports(&self) -> bool {
        self.publish_all || !self.expose.is_empty() || !self.publish.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ContainerConfig;

    /// A record as it is written, with something in everything that an outline has.
    const RECORD: &str = r#"{
  "id": "50aa63c91d64f7f34df0909afeaaf8f0c9a777d0bce36f9e3bcc5b56822fad26",
  "name": "web2",
  "created": "2026-11-21T20:03:19.446316144Z",
  "image": "demo",
  "image_id": "sha256:0ef562652d77dce1741972e3fe3e133aa902cfa28976ee28c61db35c9136283f",
  "process": {
    "entrypoint": ["/bin/httpd"],
    "command": ["-p", "80"],
    "environment": ["PATH=/bin", "WORDS=\"id\": \"name\""],
    "working_directory": "/",
    "user": "",
    "no_new_privileges": false,
    "open_stdin": false,
    "terminal": false,
    "init": false
  },
  "hostname": "50aa63c91d64",
  "read_only": false,
  "labels": {"a": "b \"c\"", "tier": "front"},
  "stop_signal": "SIGTERM",
  "stop_timeout": 10,
  "auto_remove": true,
  "restart": "no",
  "health": {"Test": ["CMD-SHELL", "true"]},
  "log": {"json-file": {"files": {"size": 20971520, "count": 5}}},
  "storage": {
    "mounts": [
      {
        "destination": "/data",
        "access": "read-write",
        "kind": {"volume": {"name": "data", "kind": "named", "population": "copy", "subpath": null}},
        "origin": {"volume-option": ""}
      },
      {
        "destination": "/scratch",
        "access": "read-write",
        "kind": {"tmpfs": []},
        "origin": {"tmpfs-option": ""}
      }
    ]
  },
  "resources": {"memory": 67108864, "group_parent": "/sandboxes"},
  "network": {
    "mode": "networks",
    "memberships": [
      {
        "network": "lan",
        "aliases": ["www"],
        "address": "10.5.0.7",
        "ipv6_address": null,
        "mac_address": null,
        "gateway_priority": 0
      },
      {
        "network": "bridge",
        "aliases": [],
        "address": null,
        "ipv6_address": null,
        "mac_address": null,
        "gateway_priority": 1
      }
    ],
    "expose": ["80/tcp", "53/udp"],
    "publish": ["8080:80/tcp"],
    "publish_all": false,
    "links": ["web1:web"],
    "link_environment": "full",
    "extra_hosts": [],
    "nameservers": [],
    "dns_search": [],
    "dns_options": []
  }
}"#;

    fn both(record: &str) -> (ContainerConfig, ContainerOutline) {
        (
            serde_json::from_str(record).unwrap(),
            serde_json::from_str(record).unwrap(),
        )
    }

    /// Says what an outline says, from the whole record.
    fn assert_agrees(config: &ContainerConfig, outline: &ContainerOutline) {
        assert_eq!(outline.id, config.id);
        assert_eq!(outline.name, config.name);
        assert_eq!(outline.created, config.created);
        assert_eq!(outline.image, config.image);
        assert_eq!(outline.image_id, config.image_id);
        assert_eq!(outline.process.entrypoint, config.process.entrypoint);
        assert_eq!(outline.process.command, config.process.command);
        assert_eq!(outline.labels, config.labels);
        assert_eq!(outline.auto_remove, config.auto_remove);
        assert_eq!(outline.is_health_checked(), config.health.is_some());
        assert_eq!(outline.storage, config.storage);
        assert_eq!(outline.group(), config.group());
        assert_eq!(outline.network.mode, config.network.mode);
        assert_eq!(outline.network.links, config.network.links);
        let outlined = outline.network.memberships.iter();
        let whole = config.network.memberships.iter();
        assert!(
            outlined
                .map(|one| &one.network)
                .eq(whole.map(|one| &one.network))
        );
        assert_eq!(outline.network.expose.len(), config.network.expose.len());
        assert_eq!(outline.network.publish.len(), config.network.publish.len());
        assert_eq!(outline.network.publish_all, config.network.publish_all);
    }

    #[test]
    fn an_outline_says_what_the_whole_record_says() {
        let (config, outline) = both(RECORD);
        assert_agrees(&config, &outline);
        assert!(outline.is_health_checked() && outline.network.may_have_ports());
        assert_eq!(outline.group().0.path(), "sandboxes");
        assert!(outline.process.words().eq(["/bin/httpd", "-p", "80"]));
        // As it is written today, with every field of the whole record in it.
        let (config, outline) = both(&serde_json::to_string_pretty(&config).unwrap());
        assert_agrees(&config, &outline);
    }

    #[test]
    fn what_older_records_do_not_have_is_what_it_is_for_the_whole_record() {
        let mut record: serde_json::Value = serde_json::from_str(RECORD).unwrap();
        record["health"] = serde_json::Value::Null;
        record["resources"] = serde_json::json!({});
        record["storage"] = serde_json::json!({});
        record["network"]["mode"] = "none".into();
        for list in ["memberships", "expose", "publish", "links"] {
            record["network"][list] = serde_json::json!([]);
        }
        let (config, outline) = both(&record.to_string());
        assert_agrees(&config, &outline);
        assert!(!outline.is_health_checked());
        assert_eq!(outline.group().0.path(), "minirun");
    }

    #[test]
    fn ports_are_what_is_exposed_published_or_asked_to_be() {
        let (_, mut outline) = both(RECORD);
        let network = &mut outline.network;
        network.publish.clear();
        assert!(network.may_have_ports());
        network.expose.clear();
        assert!(!network.may_have_ports());
        network.publish_all = true;
        assert!(network.may_have_ports());
        network.publish_all = false;
        network.publish.push(IgnoredAny);
        assert!(network.may_have_ports());
    }

    #[test]
    fn a_record_that_lacks_what_is_shown_is_refused() {
        let record = RECORD.replace("\"image\":", "\"picture\":");
        let error = serde_json::from_str::<ContainerOutline>(&record).unwrap_err();
        assert!(error.to_string().contains("`image`"), "{error}");
    }
}
