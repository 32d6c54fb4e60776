//! What has happened, as `events` shows it.

use minirun_runtime::events::Event;
use serde_json::Value;

use crate::output::sanitize::sanitize;

/// The fields that templates can name: those of Docker's structure, and the keys of its JSON.
pub const FIELDS: [&str; 15] = [
    "Action", "Actor", "From", "ID", "Scope", "Status", "Time", "TimeNano", "Type", "from", "id",
    "scope", "status", "time", "timeNano",
];

/// One line: when, what, and in parentheses all attributes.
pub fn text(event: &Event) -> String {
    let attributes: Vec<String> = event
        .attributes
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    let attributes = match attributes.is_empty() {
        true => String::new(),
        false => format!(" ({})", attributes.join(", ")),
    };
    let line = format!(
        "{:.9} {} {} {}{attributes}",
        event.time,
        event.kind,
        event.action_text(),
        event.id
    );
    format!("{}\n", sanitize(&line))
}

/// The event under Docker's keys.
pub fn document(event: &Event) -> Value {
    // Neither keys nor values of it could be refused.
    serde_json::to_value(event).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use minirun_runtime::events::Action;

    fn event() -> Event {
        let mut event = Event::volume("data", Action::Mount).with("note", "\x1b[2J\n");
        event.time = "2026-11-21T09:30:00.5Z".parse().unwrap();
        event
    }

    #[test]
    fn an_event_is_one_line_that_cannot_act_on_the_terminal() {
        assert_eq!(
            text(&event()),
            "2026-11-21T09:30:00.500000000Z volume mount data (driver=local, note=\\x1b[2J\\n)\n"
        );
    }

    #[test]
    fn templates_find_the_fields_that_docker_has() {
        let shown = |template: &str| {
            let template: crate::output::template::Template = template.parse().unwrap();
            template.render(&document(&event())).unwrap()
        };
        assert_eq!(
            shown("{{.Type}} {{.Action}} {{.Actor.ID}} {{.Actor.Attributes.driver}}"),
            "volume mount data local"
        );
        assert_eq!(
            shown("{{.Time}} {{.TimeNano}}"),
            "1795253400 1795253400500000000"
        );
    }
}
