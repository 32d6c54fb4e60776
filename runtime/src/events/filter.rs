//! Which events somebody wants to hear of. As with Docker, several values of one key are alternatives, several keys must all fit,
//! and several labels must all be there.

use super::event::SCOPE;
use super::{Action, Event, EventKind};

/// What an event must be. A key without values lets everything pass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// What has happened: `start`, or with more of it `health_status: healthy`.
    pub actions: Vec<String>,
    /// To what kind of thing.
    pub kinds: Vec<EventKind>,
    /// Containers, by the beginning of name or id.
    pub containers: Vec<String>,
    /// Images, with or without a tag, of themselves and of containers.
    pub images: Vec<String>,
    /// Networks, by the beginning of name or id.
    pub networks: Vec<String>,
    /// Volumes, by the beginning of the name.
    pub volumes: Vec<String>,
    /// Labels, `KEY` or `KEY=VALUE`; other attributes are found by this as well.
    pub labels: Vec<String>,
    /// Where it has happened, which is `local`.
    pub scopes: Vec<String>,
}

impl EventFilter {
    /// Whether somebody wants to hear of an event.
    pub fn includes(&self, event: &Event) -> bool {
        any(&self.kinds, |kind| *kind == event.kind)
            && any(&self.actions, |wanted| is_action(event, wanted))
            && any(&self.scopes, |scope| scope == SCOPE)
            && any(&self.containers, |start| {
                begins(event, EventKind::Container, start)
            })
            && any(&self.networks, |start| {
                begins(event, EventKind::Network, start)
            })
            && any(&self.volumes, |start| {
                begins(event, EventKind::Volume, start)
            })
            && any(&self.images, |image| is_of_image(event, image))
            && self.labels.iter().all(|label| has_label(event, label))
    }
}

fn any<T>(wanted: &[T], fits: impl Fn(&T) -> bool) -> bool {
    wanted.is_empty() || wanted.iter().any(fits)
}

/// The action alone suffices for those of which there is more to say.
fn is_action(event: &Event, wanted: &str) -> bool {
    event.action_text() == wanted
        || matches!(
            event.action,
            Action::HealthStatus | Action::ExecCreate | Action::ExecStart
        ) && event.action.word() == wanted
}

fn begins(event: &Event, kind: EventKind, start: &str) -> bool {
    let name = event.attributes.get("name");
    event.kind == kind
        && (event.id.starts_with(start) || name.is_some_and(|name| name.starts_with(start)))
}

fn is_of_image(event: &Event, wanted: &str) -> bool {
    let name = match event.kind {
        EventKind::Image => event.attributes.get("name"),
        _ => event.attributes.get("image"),
    };
    let mut names = name.into_iter().chain([&event.id]);
    names.any(|name| name == wanted || without_tag(name) == wanted)
}

/// `localhost:5000/tools:1` without its `:1`.
fn without_tag(name: &str) -> &str {
    match name.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => name,
    }
}

fn has_label(event: &Event, wanted: &str) -> bool {
    match wanted.split_once('=') {
        None => event.attributes.contains_key(wanted),
        Some((key, value)) => {
            let present = event.attributes.get(key);
            present.is_some_and(|present| present == value)
        }
    }
}
