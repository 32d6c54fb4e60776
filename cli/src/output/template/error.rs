//! What is wrong with a template, and where.

use std::fmt;

/// A template that cannot be understood, or that asks for what is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError {
    /// The character at which it is noticed, counted from 1; none if it is not one place.
    position: Option<usize>,
    problem: String,
}

impl TemplateError {
    /// A problem at a place, which counts from 0.
    pub(super) fn at(place: usize, problem: impl Into<String>) -> TemplateError {
        TemplateError {
            position: Some(place + 1),
            problem: problem.into(),
        }
    }

    /// A listing does not have a field.
    pub(super) fn unknown_field(field: &str, known: &[&str]) -> TemplateError {
        TemplateError {
            position: None,
            problem: format!("the listing has no field `{field}`: use {}", listed(known)),
        }
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.position {
            None => formatter.write_str(&self.problem),
            Some(position) => write!(
                formatter,
                "at character {position} of the template: {}",
                self.problem
            ),
        }
    }
}

/// Words for a sentence: "`a`, `b`".
pub(super) fn listed(words: &[impl fmt::Display]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    quoted.join(", ")
}
