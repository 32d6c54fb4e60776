//! One thing that has happened, and its line in the journal.

use super::Action;
use crate::config::ContainerConfig;
use crate::image::ImageId;
use jiff::Timestamp;
use minirun_bridge::id::ContainerId;
use minirun_bridge::network::Network;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// The longest line, its newlines included, in bytes.
pub(super) const LONGEST_LINE: usize = 4096;

/// How much is kept of words that would make a line too long, in characters.
const SHORTENED: usize = 256;

/// Where everything happens, in Docker's words.
pub const SCOPE: &str = "local";

/// To what something has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EventKind {
    /// A container.
    Container,
    /// An image.
    Image,
    /// A network.
    Network,
    /// A volume.
    Volume,
}

impl EventKind {
    /// All of them, by their words.
    pub const WORDS: [(&'static str, EventKind); 4] = [
        ("container", EventKind::Container),
        ("image", EventKind::Image),
        ("network", EventKind::Network),
        ("volume", EventKind::Volume),
    ];
}

impl fmt::Display for EventKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = EventKind::WORDS.iter();
        let word = words.find(|(_, kind)| kind == self);
        formatter.write_str(word.map_or("", |(word, _)| word))
    }
}

/// Something that has happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Line", try_from = "Line")]
pub struct Event {
    /// When.
    pub time: Timestamp,
    /// To what.
    pub kind: EventKind,
    /// The full id of that, or its name if it has no id; empty where it happened to many.
    pub id: String,
    /// What.
    pub action: Action,
    /// More of that: the command of `exec_create`, or how healthy a container is.
    pub detail: Option<String>,
    /// Everything else there is to say. A container's labels are among it.
    pub attributes: BTreeMap<String, String>,
    /// A container's labels, until the event is written.
    labels: BTreeMap<String, String>,
}

impl Event {
    /// Something that has happened to a container, with its name, image and labels.
    pub fn container(config: &ContainerConfig, action: Action) -> Event {
        let mut event = Event::new(EventKind::Container, config.id.to_string(), action)
            .with("image", &config.image)
            .with("name", &config.name);
        event.set_labels(config.labels.clone());
        event
    }

    /// Something that has happened to a network.
    pub fn network(network: &Network, action: Action) -> Event {
        Event::new(EventKind::Network, network.id.to_string(), action)
            .with("name", &network.name)
            .with("type", "bridge")
    }

    /// A container was connected to a network, or taken off it.
    pub fn membership(network: &Network, container: &ContainerId, action: Action) -> Event {
        Event::network(network, action).with("container", container)
    }

    /// Something that has happened to an image, and the name it goes by.
    pub fn image(id: &ImageId, name: impl fmt::Display, action: Action) -> Event {
        Event::new(EventKind::Image, id.to_string(), action).with("name", name)
    }

    /// Something that has happened to a volume.
    pub fn volume(name: &str, action: Action) -> Event {
        Event::new(EventKind::Volume, name.into(), action).with("driver", "local")
    }

    /// What nobody used was removed, and so many bytes are free again.
    pub fn pruned(kind: EventKind, reclaimed_bytes: u64) -> Event {
        Event::new(kind, String::new(), Action::Prune).with("reclaimed", reclaimed_bytes)
    }

    /// The same with one more attribute.
    pub fn with(mut self, key: &str, value: impl fmt::Display) -> Event {
        self.attributes.insert(key.into(), value.to_string());
        self
    }

    /// The same with more of what has happened: `health_status: healthy`.
    pub fn about(mut self, detail: impl Into<String>) -> Event {
        self.detail = Some(detail.into());
        self
    }

    /// Labels are among the attributes of the line, as far as they have room there.
    pub(super) fn set_labels(&mut self, labels: BTreeMap<String, String>) {
        self.labels = labels;
    }

    /// What has happened, as Docker writes it.
    pub fn action_text(&self) -> String {
        match &self.detail {
            Some(detail) => format!("{}: {detail}", self.action),
            None => self.action.to_string(),
        }
    }

    fn new(kind: EventKind, id: String, action: Action) -> Event {
        Event {
            time: Timestamp::UNIX_EPOCH,
            kind,
            id,
            action,
            detail: None,
            attributes: BTreeMap::new(),
            labels: BTreeMap::new(),
        }
    }

    /// Its line. Labels are left out if it would be too long with them, and then words are shortened; none if that does not
    /// suffice.
    ///
    /// A newline stands before it as well, so that a line whose writer was killed in its midst spoils none but itself.
    pub(super) fn line(mut self) -> Option<Vec<u8>> {
        if let Some(line) = self.fitting_line() {
            return Some(line);
        }
        self.labels.clear();
        if let Some(line) = self.fitting_line() {
            return Some(line);
        }
        let words = self.attributes.values_mut().chain(&mut self.detail);
        for word in words {
            if let Some((end, _)) = word.char_indices().nth(SHORTENED) {
                word.truncate(end);
                word.push('…');
            }
        }
        self.fitting_line()
    }

    fn fitting_line(&self) -> Option<Vec<u8>> {
        let mut line = vec![b'\n'];
        serde_json::to_writer(&mut line, &Line::from(self.clone())).ok()?;
        line.push(b'\n');
        (line.len() <= LONGEST_LINE).then_some(line)
    }
}

/// A line of the journal, in Docker's keys.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Line {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(rename = "Type")]
    kind: EventKind,
    #[serde(rename = "Action")]
    action: String,
    #[serde(rename = "Actor")]
    actor: Actor,
    scope: String,
    time: i64,
    #[serde(rename = "timeNano")]
    time_nano: i64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Actor {
    #[serde(rename = "ID")]
    id: String,
    #[serde(rename = "Attributes")]
    attributes: BTreeMap<String, String>,
}

impl From<Event> for Line {
    fn from(event: Event) -> Line {
        let action = event.action_text();
        let from = event.attributes.get("image").cloned();
        // A label that is called as an attribute is does not hide it.
        let mut attributes = event.labels;
        attributes.extend(event.attributes);
        // Docker has the first three only for what it had events of in the beginning.
        let is_old = matches!(event.kind, EventKind::Container | EventKind::Image);
        Line {
            status: is_old.then(|| action.clone()),
            id: is_old.then(|| event.id.clone()),
            from: from.filter(|_| event.kind == EventKind::Container),
            kind: event.kind,
            action,
            actor: Actor {
                id: event.id,
                attributes,
            },
            scope: SCOPE.into(),
            time: event.time.as_second(),
            time_nano: i64::try_from(event.time.as_nanosecond()).unwrap_or(i64::MAX),
        }
    }
}

impl TryFrom<Line> for Event {
    type Error = String;

    fn try_from(line: Line) -> Result<Event, String> {
        let (word, detail) = match line.action.split_once(": ") {
            Some((word, detail)) => (word, Some(detail.to_owned())),
            None => (line.action.as_str(), None),
        };
        Ok(Event {
            time: Timestamp::from_nanosecond(line.time_nano.into())
                .map_err(|error| error.to_string())?,
            kind: line.kind,
            action: word
                .parse()
                .map_err(|error: super::action::UnknownAction| error.to_string())?,
            detail,
            id: line.actor.id,
            attributes: line.actor.attributes,
            labels: BTreeMap::new(),
        })
    }
}
