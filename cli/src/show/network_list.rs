//! The listing of networks, `network ls`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use minirun_bridge::network::Network;
use minirun_bridge::network_options::Reach;
use serde_json::{Value, json};

use super::list::{ListFormat, Row, Truncation, labels, render};
use super::moment::{listed, rfc3339};
use super::network::{BUILT_IN, created};
use crate::output::template::TemplateError;
use minirun_runtime::networking::nominal_network_id;

/// How many digits of an identifier a listing shows.
const SHORT_ID_DIGITS: usize = 12;

/// A network as filters see it.
#[derive(Debug)]
pub struct Listed<'a> {
    /// The whole identifier.
    pub id: &'a str,
    /// The name.
    pub name: &'a str,
    /// The driver as Docker calls it.
    pub driver: &'a str,
    /// Whether it is there without being made.
    pub kind: Kind,
    /// What users noted on it.
    pub labels: &'a BTreeMap<String, String>,
}

/// Whether a network is there without being made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `bridge`, `host` and `none`.
    BuiltIn,
    /// What users made.
    Custom,
}

impl Kind {
    /// By the name of the network.
    pub fn of(name: &str) -> Kind {
        match BUILT_IN.iter().any(|(built_in, _)| *built_in == name) {
            true => Kind::BuiltIn,
            false => Kind::Custom,
        }
    }
}

/// Lists those networks that are wanted, by name. `bridge`, `host` and `none` are always there, whether they have a record
/// or not.
///
/// # Errors
/// When a template names a field that rows do not have.
pub fn list(
    networks: &[Network],
    wanted: &dyn Fn(&Listed) -> bool,
    format: &ListFormat,
    truncation: Truncation,
) -> Result<String, TemplateError> {
    let mut rows: Vec<NetworkRow> = networks.iter().map(NetworkRow::of).collect();
    for (name, driver) in BUILT_IN {
        if !rows.iter().any(|row| row.name == name) {
            rows.push(NetworkRow::built_in(name, driver));
        }
    }
    rows.retain(|row| wanted(&row.listed()));
    rows.sort_by(|one, other| one.name.cmp(&other.name));
    if truncation == Truncation::Short {
        for row in &mut rows {
            row.id.truncate(SHORT_ID_DIGITS);
        }
    }
    render(&rows, format)
}

/// What `network ls` says of one network.
struct NetworkRow {
    id: String,
    name: String,
    driver: &'static str,
    created: Option<Timestamp>,
    has_ipv6: bool,
    is_internal: bool,
    labels: BTreeMap<String, String>,
}

impl NetworkRow {
    fn of(network: &Network) -> Self {
        Self {
            id: network.id.to_string(),
            name: network.name.to_string(),
            driver: "bridge",
            created: created(network),
            has_ipv6: network.ipv6.is_some(),
            is_internal: network.reach == Reach::Internal,
            labels: network.labels.clone(),
        }
    }

    fn built_in(name: &str, driver: &'static str) -> Self {
        Self {
            id: nominal_network_id(name),
            name: name.to_owned(),
            driver,
            created: None,
            has_ipv6: false,
            is_internal: false,
            labels: BTreeMap::new(),
        }
    }

    fn listed(&self) -> Listed<'_> {
        Listed {
            id: &self.id,
            name: &self.name,
            driver: self.driver,
            kind: Kind::of(&self.name),
            labels: &self.labels,
        }
    }
}

impl Row for NetworkRow {
    const HEADINGS: &'static [&'static str] = &["NETWORK ID", "NAME", "DRIVER", "SCOPE"];

    const FIELDS: &'static [&'static str] = &[
        "CreatedAt",
        "Driver",
        "ID",
        "IPv4",
        "IPv6",
        "Internal",
        "Labels",
        "Name",
        "Scope",
    ];

    fn cells(&self) -> Vec<String> {
        let words: [&str; 4] = [&self.id, &self.name, self.driver, "local"];
        words.map(str::to_owned).to_vec()
    }

    fn identifier(&self) -> &str {
        &self.id
    }

    fn json(&self) -> Value {
        json!({
            "CreatedAt": self.created.map_or_else(|| rfc3339(None), listed),
            "Driver": self.driver,
            "ID": self.id,
            "IPv4": "true",
            "IPv6": self.has_ipv6.to_string(),
            "Internal": self.is_internal.to_string(),
            "Labels": labels(&self.labels),
            "Name": self.name,
            "Scope": "local",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{lan, network};
    use super::*;

    fn shown(networks: &[Network], format: ListFormat, truncation: Truncation) -> String {
        list(networks, &|_| true, &format, truncation).unwrap()
    }

    #[test]
    fn the_three_built_in_networks_are_always_listed() {
        assert_eq!(
            shown(&[network()], ListFormat::Table, Truncation::Short),
            "\
NETWORK ID     NAME      DRIVER    SCOPE
bbbbbbbbbbbb   bridge    bridge    local
686f73740000   host      host      local
6e6f6e650000   none      null      local
"
        );
        assert_eq!(
            shown(&[], ListFormat::Quiet, Truncation::Short),
            "627269646765\n686f73740000\n6e6f6e650000\n"
        );
    }

    #[test]
    fn json_rows_have_dockers_keys() {
        let text = shown(&[network()], ListFormat::Json, Truncation::Full);
        let id = "b".repeat(64);
        assert_eq!(
            text.lines().next().unwrap(),
            format!(
                "{{\"CreatedAt\":\"2026-11-21 09:00:00 +0000 UTC\",\"Driver\":\"bridge\",\"ID\":\"{id}\",\"IPv4\":\"true\",\
                 \"IPv6\":\"false\",\"Internal\":\"false\",\"Labels\":\"\",\"Name\":\"bridge\",\"Scope\":\"local\"}}"
            )
        );
    }

    #[test]
    fn only_what_is_wanted_is_listed() {
        let custom = |listed: &Listed| listed.kind == Kind::Custom;
        let quiet = |truncation| {
            list(&[network(), lan()], &custom, &ListFormat::Quiet, truncation).unwrap()
        };
        assert_eq!(quiet(Truncation::Short), "cccccccccccc\n");
        assert_eq!(quiet(Truncation::Full), "c".repeat(64) + "\n");
    }

    #[test]
    fn a_template_can_name_every_key_of_a_row() {
        let row = NetworkRow::of(&lan()).json();
        let keys: Vec<&String> = row.as_object().unwrap().keys().collect();
        assert_eq!(keys, NetworkRow::FIELDS);
        assert_eq!(
            (&row["IPv6"], &row["Internal"]),
            (&json!("true"), &json!("false"))
        );
    }
}
