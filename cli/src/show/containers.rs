//! The listing of containers, `ps`.

use std::collections::HashMap;

use jiff::Timestamp;
use minirun_bridge::id::ContainerId;
use minirun_bridge::name::ContainerName;
use minirun_bridge::publication::describe_publications;
use minirun_runtime::config::NetworkMode;
use minirun_runtime::disk_usage::ContainerSize;
use minirun_runtime::summary::ContainerSummary;
use serde_json::{Value, json};

use super::command_line::quoted;
use super::life::{Life, status};
use super::list::{ListFormat, Row, Truncation, labels, render};
use super::moment::{elapsed, listed};
use super::mounts::{local_volumes, mounts};
use super::place::mode_word;
use super::sized_row::SizedRow;
use crate::output::duration::ago;
use crate::output::template::TemplateError;

/// The states a container can be in, in Docker's words. Some of them no container of minirun is ever in; scripts ask for
/// them all the same.
pub const STATES: [&str; 7] = [
    "created",
    "running",
    "exited",
    "paused",
    "restarting",
    "removing",
    "dead",
];

/// Which containers are listed, and of how many.
#[derive(Debug, Clone)]
pub struct Selection<'a> {
    /// Every container there is: one that is listed also bears the names that others have for it, listed or not.
    pub all: &'a [ContainerSummary],
    /// Those that are listed, in this order.
    pub shown: Vec<&'a ContainerSummary>,
    /// How large those are, if that is to be shown.
    pub sizes: Option<HashMap<ContainerId, ContainerSize>>,
}

/// Lists containers. Full rows also show the names that links give.
///
/// # Errors
/// When a template names a field that rows do not have.
pub fn list(
    selection: &Selection<'_>,
    format: &ListFormat,
    truncation: Truncation,
    now: Timestamp,
) -> Result<String, TemplateError> {
    let other_names = match truncation {
        Truncation::Short => HashMap::new(),
        Truncation::Full => names_by_link(selection.all),
    };
    let rows: Vec<ContainerRow> = selection
        .shown
        .iter()
        .map(|summary| ContainerRow::new(summary, &other_names, truncation, now))
        .collect();
    match &selection.sizes {
        None => render(&rows, format),
        Some(sizes) => {
            let rows = rows.into_iter().map(|row| SizedRow {
                size: sizes.get(&row.summary.outline.id).copied(),
                row,
            });
            let rows: Vec<SizedRow> = rows.collect();
            render(&rows, format)
        }
    }
}

/// Whether a container has not ended for good yet.
pub fn is_running(summary: &ContainerSummary) -> bool {
    summary.condition.state.is_up()
}

/// What a container does, one of [`STATES`].
pub fn state(summary: &ContainerSummary) -> &'static str {
    Life::of(&summary.condition).word
}

/// The networks a container is on, or the word that stands for what it has instead.
pub fn network_names(summary: &ContainerSummary) -> Vec<String> {
    let network = &summary.outline.network;
    match network.mode {
        NetworkMode::Networks => network
            .memberships
            .iter()
            .map(|membership| membership.network.to_string())
            .collect(),
        mode => vec![mode_word(mode)],
    }
}

/// For every container that is linked to, the names it has by that: `web2/web` if `web2` calls it `web`.
fn names_by_link(all: &[ContainerSummary]) -> HashMap<&ContainerName, Vec<String>> {
    let mut names: HashMap<&ContainerName, Vec<String>> = HashMap::new();
    for source in all {
        for link in &source.outline.network.links {
            let name = format!("{}/{}", source.outline.name, link.alias);
            names.entry(&link.target).or_default().push(name);
        }
    }
    for names in names.values_mut() {
        names.sort();
    }
    names
}

/// What `ps` says of one container.
pub(super) struct ContainerRow<'a> {
    summary: &'a ContainerSummary,
    id: String,
    command: String,
    created_ago: String,
    status: String,
    ports: String,
    mounts: String,
    names: String,
}

impl<'a> ContainerRow<'a> {
    fn new(
        summary: &'a ContainerSummary,
        other_names: &HashMap<&ContainerName, Vec<String>>,
        truncation: Truncation,
        now: Timestamp,
    ) -> Self {
        let outline = &summary.outline;
        let mut names = vec![outline.name.to_string()];
        names.extend(
            other_names
                .get(&outline.name)
                .into_iter()
                .flatten()
                .cloned(),
        );
        Self {
            summary,
            id: match truncation {
                Truncation::Short => outline.id.short(),
                Truncation::Full => outline.id.to_string(),
            },
            command: quoted(outline.process.words(), truncation),
            created_ago: ago(elapsed(outline.created, now)),
            status: status(&summary.condition, now),
            ports: describe_publications(&summary.ports.publications, &summary.ports.exposed),
            mounts: mounts(&outline.storage, truncation),
            names: names.join(","),
        }
    }
}

impl Row for ContainerRow<'_> {
    const HEADINGS: &'static [&'static str] = &[
        "CONTAINER ID",
        "IMAGE",
        "COMMAND",
        "CREATED",
        "STATUS",
        "PORTS",
        "NAMES",
    ];

    const FIELDS: &'static [&'static str] = &[
        "Command",
        "CreatedAt",
        "ID",
        "Image",
        "Labels",
        "LocalVolumes",
        "Mounts",
        "Names",
        "Networks",
        "Ports",
        "RunningFor",
        "Size",
        "State",
        "Status",
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.clone(),
            self.summary.outline.image.clone(),
            self.command.clone(),
            self.created_ago.clone(),
            self.status.clone(),
            self.ports.clone(),
            self.names.clone(),
        ]
    }

    fn identifier(&self) -> &str {
        &self.id
    }

    fn json(&self) -> Value {
        let outline = &self.summary.outline;
        json!({
            "Command": self.command,
            "CreatedAt": listed(outline.created),
            "ID": self.id,
            "Image": outline.image,
            "Labels": labels(&outline.labels),
            "LocalVolumes": local_volumes(&outline.storage).to_string(),
            "Mounts": self.mounts,
            "Names": self.names,
            "Networks": network_names(self.summary).join(","),
            "Ports": self.ports,
            "RunningFor": self.created_ago,
            "Size": "0B",
            "State": state(self.summary),
            "Status": self.status,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{NOW, moment, running, stopped, summarized};
    use super::*;

    /// `web1` has ended; `web2` is newer, runs, publishes port 80 and calls `web1` by the name `web`.
    fn two() -> [ContainerSummary; 2] {
        let mut web2 = running("web2");
        web2.config.created = moment("2026-11-21T09:29:50Z");
        web2.config.network.links = vec!["web1:web".parse().unwrap()];
        web2.config.labels = [("tier".to_owned(), "front".to_owned())].into();
        [web2, stopped("web1")].map(summarized)
    }

    fn listed_all(all: &[ContainerSummary], format: ListFormat, truncation: Truncation) -> String {
        let shown = all.iter().collect();
        let sizes = None;
        let selection = Selection { all, shown, sizes };
        list(&selection, &format, truncation, moment(NOW)).unwrap()
    }

    fn shown(format: ListFormat, truncation: Truncation) -> String {
        listed_all(&two(), format, truncation)
    }

    #[test]
    fn a_container_that_runs_bears_the_name_a_stopped_one_gave_it() {
        let mut web2 = stopped("web2");
        web2.config.network.links = vec!["web1:web".parse().unwrap()];
        let all = &[running("web1"), web2].map(summarized);
        let shown = vec![&all[0]];
        let text = list(
            &Selection {
                all,
                shown,
                sizes: None,
            },
            &ListFormat::Table,
            Truncation::Full,
            moment(NOW),
        )
        .unwrap();
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(text.ends_with("   web1,web2/web\n"), "{text}");
    }

    #[test]
    fn containers_are_listed_and_stopped_ones_have_no_ports() {
        assert_eq!(
            shown(ListFormat::Table, Truncation::Short),
            "\
CONTAINER ID   IMAGE     COMMAND         CREATED              STATUS                     PORTS                          NAMES
222222222222   demo      \"httpd -p 80\"   10 seconds ago       Up 5 seconds               0.0.0.0:8080->80/tcp, 81/tcp   web2
111111111111   demo      \"httpd -p 80\"   About a minute ago   Exited (3) 2 seconds ago                                  web1
"
        );
    }

    #[test]
    fn full_rows_show_whole_identifiers_and_the_names_given_by_links() {
        let text = shown(ListFormat::Table, Truncation::Full);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[1].starts_with(&"2".repeat(64)), "{text}");
        assert!(lines[1].ends_with("   web2"), "{text}");
        assert!(lines[2].ends_with("   web1,web2/web"), "{text}");
    }

    #[test]
    fn quiet_rows_are_identifiers() {
        assert_eq!(
            shown(ListFormat::Quiet, Truncation::Short),
            "222222222222\n111111111111\n"
        );
        let text = shown(ListFormat::Quiet, Truncation::Full);
        assert_eq!(text, "2".repeat(64) + "\n" + &"1".repeat(64) + "\n");
    }

    #[test]
    fn json_rows_have_dockers_keys() {
        let text = shown(ListFormat::Json, Truncation::Short);
        assert_eq!(
            text.lines().next(),
            Some(concat!(
                r#"{"Command":"\"httpd -p 80\"","CreatedAt":"2026-11-21 09:29:50 +0000 UTC","ID":"222222222222","#,
                r#""Image":"demo","Labels":"tier=front","LocalVolumes":"0","Mounts":"","Names":"web2","Networks":"bridge","#,
                r#""Ports":"0.0.0.0:8080->80/tcp, 81/tcp","RunningFor":"10 seconds ago","Size":"0B","State":"running","#,
                r#""Status":"Up 5 seconds"}"#
            ))
        );
    }

    #[test]
    fn a_container_lists_every_network_it_is_on() {
        let mut details = running("web1");
        let mut lan = details.config.network.memberships[0].clone();
        lan.network = "lan".parse().unwrap();
        details.config.network.memberships.push(lan);
        let mut summary = summarized(details);
        assert_eq!(network_names(&summary), ["bridge", "lan"]);
        summary.outline.network.mode = NetworkMode::Host;
        assert_eq!(network_names(&summary), ["host"]);
    }

    #[test]
    fn a_template_can_name_every_key_of_a_row() {
        let summary = summarized(running("web1"));
        let row = ContainerRow::new(&summary, &HashMap::new(), Truncation::Short, moment(NOW));
        let keys: Vec<String> = row.json().as_object().unwrap().keys().cloned().collect();
        assert_eq!(keys, ContainerRow::FIELDS);
    }

    #[test]
    fn an_image_name_cannot_act_on_the_terminal() {
        let mut details = running("web1");
        details.config.image = "demo\x1b[2J".into();
        let all = &[summarized(details)];
        let text = listed_all(all, ListFormat::Table, Truncation::Short);
        assert!(text.contains("demo\\x1b[2J"), "{text}");
    }
}
