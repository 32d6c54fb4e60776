//! `minirun events`.

use super::filter::{Filter, FilterKey};
use super::moment::Moment;
use crate::command_line::Run as RunCommand;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::sanitize::sanitize_json;
use crate::output::template::Template;
use crate::show::event;
use clap::Args;
use minirun_runtime::error::RuntimeError;
use minirun_runtime::events::{Action, Event, EventFilter, EventKind, EventQuery};
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;
use std::process::ExitCode;
use std::str::FromStr;

/// Options of `minirun events`.
#[derive(Debug, Args)]
pub struct Events {
    /// Show what has happened since a moment (2026-01-02T03:04:05Z) or for a time (10m, 2h30m), too
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
    since: Option<Moment>,
    /// Show what happens until a moment, and end then
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
    until: Option<Moment>,
    /// Show what fits: event, type, container, image, label, network, volume, scope
    #[arg(short, long, value_name = "KEY=VALUE")]
    filter: Vec<Filter<EventKey>>,
    /// How to show it
    #[arg(long, value_name = "json|TEMPLATE")]
    format: Option<EventFormat>,
}

/// What events can be filtered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKey {
    /// What has happened.
    Event,
    /// To what kind of thing.
    Type,
    /// The beginning of a container's name or id.
    Container,
    /// An image.
    Image,
    /// A label or other attribute, `KEY` or `KEY=VALUE`.
    Label,
    /// The beginning of a network's name or id.
    Network,
    /// The beginning of a volume's name.
    Volume,
    /// Where, which is `local`.
    Scope,
}

impl FilterKey for EventKey {
    const KEYS: &'static [(&'static str, Self)] = &[
        ("event", Self::Event),
        ("type", Self::Type),
        ("container", Self::Container),
        ("image", Self::Image),
        ("label", Self::Label),
        ("network", Self::Network),
        ("volume", Self::Volume),
        ("scope", Self::Scope),
    ];

    fn check(self, value: &str) -> Result<(), String> {
        match self {
            Self::Event => {
                let word = value.split(": ").next().unwrap_or_default();
                word.parse::<Action>().map(drop).map_err(|error| {
                    let words = Action::WORDS.map(|(word, _)| format!("`{word}`"));
                    format!("{error}: use one of {}", words.join(", "))
                })
            }
            Self::Type => kind(value).map(drop).ok_or_else(|| {
                let words = EventKind::WORDS.map(|(word, _)| format!("`{word}`"));
                format!(
                    "no event is of the type `{value}`: use one of {}",
                    words.join(", ")
                )
            }),
            _ => Ok(()),
        }
    }
}

fn kind(word: &str) -> Option<EventKind> {
    let mut words = EventKind::WORDS.iter();
    words
        .find(|(known, _)| *known == word)
        .map(|(_, kind)| *kind)
}

/// `--format`.
#[derive(Debug, Clone)]
enum EventFormat {
    Json,
    Template(Template),
}

impl FromStr for EventFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<EventFormat, String> {
        if text == "json" {
            return Ok(EventFormat::Json);
        }
        if !text.contains("{{") {
            return Err(format!(
                "unknown format `{text}`: use `json`, or a template such as `{{{{.Action}}}}`"
            ));
        }
        let checked = text.parse::<Template>().and_then(|template| {
            template.check(&event::FIELDS)?;
            Ok(EventFormat::Template(template))
        });
        checked.map_err(|error| error.to_string())
    }
}

impl RunCommand for Events {
    const ABOUT: &'static str = "Show what happens to containers, images, networks and volumes";

    fn run(self, context: &Context) -> Result<ExitCode, Failure> {
        let runtime = context.runtime()?;
        let output = io::stdout();
        let query = EventQuery {
            since: self.since.map(|Moment(moment)| moment),
            until: self.until.map(|Moment(moment)| moment),
            filter: filter(&self.filter),
            audience: Some(output.as_fd()),
        };
        let mut problem = None;
        let shown = runtime.events(&query, &mut |event| {
            let line = self.line(&event).map_err(|failure| {
                problem = Some(failure);
                io::Error::from(ErrorKind::InvalidData)
            })?;
            let mut output = output.lock();
            output.write_all(line.as_bytes())?;
            output.flush()
        });
        match (shown, problem) {
            (_, Some(failure)) => Err(failure),
            // Whoever reads the lines may stop reading.
            (Err(RuntimeError::System { error, .. }), _)
                if error.kind() == ErrorKind::BrokenPipe =>
            {
                Ok(ExitCode::SUCCESS)
            }
            (Err(error), _) => Err(error.into()),
            (Ok(()), _) => Ok(ExitCode::SUCCESS),
        }
    }
}

impl Events {
    fn line(&self, event: &Event) -> Result<String, Failure> {
        Ok(match &self.format {
            None => event::text(event),
            Some(EventFormat::Json) => {
                sanitize_json(&format!("{}\n", event::document(event))).into_owned()
            }
            Some(EventFormat::Template(template)) => {
                format!("{}\n", template.render(&event::document(event))?)
            }
        })
    }
}

fn filter(filters: &[Filter<EventKey>]) -> EventFilter {
    let values = |key| {
        let wanted = filters.iter().filter(move |filter| filter.key == key);
        wanted.map(|filter| filter.value.clone())
    };
    EventFilter {
        actions: values(EventKey::Event).collect(),
        kinds: values(EventKey::Type)
            .filter_map(|word| kind(&word))
            .collect(),
        containers: values(EventKey::Container).collect(),
        images: values(EventKey::Image).collect(),
        networks: values(EventKey::Network).collect(),
        volumes: values(EventKey::Volume).collect(),
        labels: values(EventKey::Label).collect(),
        scopes: values(EventKey::Scope).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_can_never_fit_are_refused() {
        for (text, part) in [
            (
                "event=explode",
                "no event is called `explode`: use one of `attach`",
            ),
            (
                "type=ship",
                "use one of `container`, `image`, `network`, `volume`",
            ),
            ("colour=red", "unknown filter `colour`"),
        ] {
            let problem = text.parse::<Filter<EventKey>>().unwrap_err();
            assert!(problem.contains(part), "{problem}");
        }
        for text in [
            "event=die",
            "event=health_status: healthy",
            "type=image",
            "label=a=b",
        ] {
            assert!(text.parse::<Filter<EventKey>>().is_ok(), "{text}");
        }
    }

    #[test]
    fn a_format_is_known_before_anything_happens() {
        assert!(
            "{{.Actor.Attributes.name}} {{.Status}} {{json .}}"
                .parse::<EventFormat>()
                .is_ok()
        );
        assert!("{{.Colour}}".parse::<EventFormat>().is_err());
        assert!("wide".parse::<EventFormat>().is_err());
    }
}
