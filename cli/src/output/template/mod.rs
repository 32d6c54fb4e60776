//! Templates in the language of Go's, as far as people use it with Docker: `{{.Names}}: {{.Status}}`,
//! `{{range $name, $network := .NetworkSettings.Networks}}{{$network.IPAddress}} {{end}}`, `{{json .Mounts}}`.
//!
//! A text becomes words ([`lexer`]), a tree ([`parser`], [`tree`]) and, with a JSON value, a text again ([`evaluate`],
//! [`functions`]). What comes out of the value goes to a terminal and is sanitized; what stands in the template is not.

mod datum;
mod error;
mod evaluate;
mod functions;
mod known_fields;
mod lexer;
mod parser;
mod printf;
#[cfg(test)]
mod tests;
mod tree;

pub use error::TemplateError;
use serde_json::Value;
use std::str::FromStr;
use tree::Node;

/// A template that was understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Template(Vec<Node>);

impl Template {
    /// Refuses fields that rows do not have.
    ///
    /// # Errors
    /// The first such field.
    pub fn check(&self, known: &[&str]) -> Result<(), TemplateError> {
        match known_fields::first_unknown(&self.0, known) {
            None => Ok(()),
            Some(field) => Err(TemplateError::unknown_field(field, known)),
        }
    }

    /// What it makes of a value, without a newline behind. What comes from outside is sanitized.
    ///
    /// # Errors
    /// When the value is not what the template takes it for.
    pub fn render(&self, value: &Value) -> Result<String, TemplateError> {
        evaluate::evaluate(&self.0, value)
    }
}

impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Template, TemplateError> {
        if text.starts_with("table ") {
            return Err(TemplateError::at(
                0,
                "a table has the columns it has: write `table`, or the template alone",
            ));
        }
        parser::parse(text).map(Template)
    }
}
