//! The listing of containers, `ps`.

use std::collections::HashMap;

use jiff::Timestamp;
use minirun_bridge::name::ContainerName;
use minirun_bridge::publication::describe_publications;
use minirun_runtime::container_state::ContainerState;
use minirun_runtime::details::ContainerDetails;
use serde_json::{Value, json};

use super::command_line::quoted;
use super::life::{Life, status};
pub use super::list::{ListFormat, Truncation};
use super::list::{Row, labels, render};
use super::moment::{elapsed, listed};
use crate::output::duration::ago;

/// Which containers are listed, and of how many.
#[derive(Debug, Clone, Copy)]
pub struct Selection<'a> {
    /// Every container there is: one that is listed also bears the names that others have for it, listed or not.
    pub all: &'a [ContainerDetails],
    /// Which of them are listed.
    pub which: Which,
}

/// Which containers are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Those that run.
    Running,
    /// Those that were never started or have ended, too (`-a`).
    All,
}

/// Lists containers in the order they are given. Full rows also show the names that links give.
pub fn list(
    selection: Selection<'_>,
    format: ListFormat,
    truncation: Truncation,
    now: Timestamp,
) -> String {
    let other_names = match truncation {
        Truncation::Short => HashMap::new(),
        Truncation::Full => names_by_link(selection.all),
    };
    let rows: Vec<ContainerRow> = selection
        .all
        .iter()
        .filter(|details| selection.which == Which::All || is_running(details))
        .map(|details| ContainerRow::new(details, &other_names, truncation, now))
        .collect();
    render(&rows, format)
}

fn is_running(details: &ContainerDetails) -> bool {
    matches!(details.state, ContainerState::Running(_))
}

/// For every container that is linked to, the names it has by that: `web2/web` if `web2` calls it `web`.
fn names_by_link(all: &[ContainerDetails]) -> HashMap<&ContainerName, Vec<String>> {
    let mut names: HashMap<&ContainerName, Vec<String>> = HashMap::new();
    for source in all {
        for link in &source.config.network.links {
            let name = format!("{}/{}", source.config.name, link.alias);
            names.entry(&link.target).or_default().push(name);
        }
    }
    for names in names.values_mut() {
        names.sort();
    }
    names
}

/// What `ps` says of one container.
struct ContainerRow<'a> {
    details: &'a ContainerDetails,
    id: String,
    command: String,
    created_ago: String,
    status: String,
    ports: String,
    names: String,
}

impl<'a> ContainerRow<'a> {
    fn new(
        details: &'a ContainerDetails,
        other_names: &HashMap<&ContainerName, Vec<String>>,
        truncation: Truncation,
        now: Timestamp,
    ) -> Self {
        let config = &details.config;
        let mut names = vec![config.name.to_string()];
        names.extend(other_names.get(&config.name).into_iter().flatten().cloned());
        Self {
            details,
            id: match truncation {
                Truncation::Short => config.id.short(),
                Truncation::Full => config.id.to_string(),
            },
            command: quoted(&config.process, truncation),
            created_ago: ago(elapsed(config.created, now)),
            status: status(&details.state, now),
            ports: ports(details),
            names: names.join(","),
        }
    }
}

fn ports(details: &ContainerDetails) -> String {
    details
        .endpoint
        .as_ref()
        .map_or_else(String::new, |endpoint| {
            describe_publications(&endpoint.publications, &endpoint.exposed)
        })
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

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.clone(),
            self.details.config.image.clone(),
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
        let config = &self.details.config;
        json!({
            "Command": self.command,
            "CreatedAt": listed(config.created),
            "ID": self.id,
            "Image": config.image,
            "Labels": labels(&config.labels),
            "LocalVolumes": "0",
            "Mounts": "",
            "Names": self.names,
            "Networks": config.network.mode.to_string(),
            "Ports": self.ports,
            "RunningFor": self.created_ago,
            "Size": "0B",
            "State": Life::of(&self.details.state).word,
            "Status": self.status,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{NOW, moment, running, stopped};
    use super::*;

    /// `web1` has ended; `web2` is newer, runs, publishes port 80 and calls `web1` by the name `web`.
    fn two() -> [ContainerDetails; 2] {
        let mut web2 = running("web2");
        web2.config.created = moment("2026-11-21T09:29:50Z");
        web2.config.network.links = vec!["web1:web".parse().unwrap()];
        web2.config.labels = [("tier".to_owned(), "front".to_owned())].into();
        [web2, stopped("web1")]
    }

    fn shown(format: ListFormat, truncation: Truncation) -> String {
        let all = &two();
        let which = Which::All;
        list(Selection { all, which }, format, truncation, moment(NOW))
    }

    #[test]
    fn a_container_that_runs_bears_the_name_a_stopped_one_gave_it() {
        let mut web2 = stopped("web2");
        web2.config.network.links = vec!["web1:web".parse().unwrap()];
        let all = &[running("web1"), web2];
        let which = Which::Running;
        let text = list(
            Selection { all, which },
            ListFormat::Table,
            Truncation::Full,
            moment(NOW),
        );
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
    fn an_image_name_cannot_act_on_the_terminal() {
        let mut details = running("web1");
        details.config.image = "demo\x1b[2J".into();
        let all = &[details];
        let which = Which::All;
        let text = list(
            Selection { all, which },
            ListFormat::Table,
            Truncation::Short,
            moment(NOW),
        );
        assert!(text.contains("demo\\x1b[2J"), "{text}");
    }
}
