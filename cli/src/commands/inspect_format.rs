//! `--format` of commands that show everything about something.

use crate::output::template::Template;
use std::str::FromStr;

/// How everything about something is shown.
#[derive(Debug, Clone, PartialEq)]
pub enum InspectFormat {
    /// In one line.
    Json,
    /// One line for each, made by a template.
    Template(Template),
}

impl FromStr for InspectFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<InspectFormat, String> {
        if text == "json" {
            return Ok(InspectFormat::Json);
        }
        if !text.contains("{{") {
            return Err(format!(
                "unknown format `{text}`: use `json`, or a template such as `{{{{.Id}}}}`"
            ));
        }
        let template = text.parse().map(InspectFormat::Template);
        template.map_err(|error: crate::output::template::TemplateError| error.to_string())
    }
}
