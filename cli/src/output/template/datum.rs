//! A value on its way through a template.

use super::error::{TemplateError, listed};
use crate::output::sanitize::sanitize;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// What Go's templates print for what is not there.
const NO_VALUE: &str = "<no value>";

/// A value, and what is known of where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Datum<'v> {
    /// It comes from outside, or was computed of that: its text is sanitized when it is printed.
    Found(Cow<'v, Value>),
    /// Text that was made here, and may go to a terminal as it is.
    Made(String),
    /// A field that an object does not have. Nothing is wrong with asking whether it is there.
    Absent(Absence),
}

/// A field that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Absence {
    place: usize,
    field: String,
    known: Vec<String>,
}

impl<'v> Datum<'v> {
    /// A value that was computed.
    pub(super) fn of(value: impl Into<Value>) -> Datum<'v> {
        Datum::Found(Cow::Owned(value.into()))
    }

    /// The value; an error if it is not there.
    pub(super) fn value(&self) -> Result<Cow<'_, Value>, TemplateError> {
        match self {
            Datum::Found(value) => Ok(Cow::Borrowed(value)),
            Datum::Made(text) => Ok(Cow::Owned(Value::String(text.clone()))),
            Datum::Absent(absence) => absence.value().map(Cow::Owned),
        }
    }

    /// Whether it counts as true: what is empty, zero or not there does not.
    pub(super) fn is_true(&self) -> bool {
        match self {
            Datum::Made(text) => !text.is_empty(),
            Datum::Absent(_) => false,
            Datum::Found(value) => match value.as_ref() {
                Value::Null => false,
                Value::Bool(truth) => *truth,
                Value::Number(number) => number.as_f64() != Some(0.0),
                Value::String(text) => !text.is_empty(),
                Value::Array(elements) => !elements.is_empty(),
                Value::Object(fields) => !fields.is_empty(),
            },
        }
    }

    /// Its text as it is printed.
    pub(super) fn printed(&self) -> Result<String, TemplateError> {
        match self {
            Datum::Made(text) => Ok(text.clone()),
            _ => Ok(shown(self.value()?.as_ref())),
        }
    }

    /// The same kind of text, made anew.
    pub(super) fn with_text(
        &self,
        make: impl FnOnce(&str) -> String,
    ) -> Result<Datum<'v>, TemplateError> {
        Ok(match self {
            Datum::Made(text) => Datum::Made(make(text)),
            _ => Datum::of(make(&raw(self.value()?.as_ref()))),
        })
    }

    /// A field of it.
    pub(super) fn field(
        self,
        (place, name): (usize, &str),
        names: FieldNames,
    ) -> Result<Datum<'v>, TemplateError> {
        let has_none = |kind: &str| {
            let problem = format!("`{name}` is asked of {kind}, which has no fields");
            Err(TemplateError::at(place, problem))
        };
        let absent = |fields: &Map<String, Value>| {
            Datum::Absent(Absence {
                place,
                field: name.into(),
                known: fields.keys().cloned().collect(),
            })
        };
        match self {
            Datum::Found(Cow::Borrowed(Value::Object(fields))) => {
                Ok(match names.key(fields, name) {
                    Some(key) => Datum::Found(Cow::Borrowed(&fields[key])),
                    None => absent(fields),
                })
            }
            Datum::Found(Cow::Owned(Value::Object(fields))) => Ok(match names.key(&fields, name) {
                Some(key) => Datum::of(fields[key].clone()),
                None => absent(&fields),
            }),
            Datum::Found(value) => has_none(kind(value.as_ref())),
            Datum::Made(_) => has_none("a text"),
            Datum::Absent(absence) => Err(absence.error()),
        }
    }
}

impl Absence {
    /// As in Docker, a field that begins with a capital is one that all objects of the kind have, so it is a mistake to ask for one
    /// that they do not have. Others are labels and names of networks, and simply not there.
    fn value(&self) -> Result<Value, TemplateError> {
        match self.field.starts_with(char::is_uppercase) {
            true => Err(self.error()),
            false => Ok(Value::Null),
        }
    }

    fn error(&self) -> TemplateError {
        let known = match self.known.is_empty() {
            true => String::new(),
            false => format!(", only {}", listed(&self.known)),
        };
        TemplateError::at(
            self.place,
            format!("there is no field `{}` here{known}", self.field),
        )
    }
}

/// How strictly the name of a field is taken. Docker's names for fields differ from their keys in JSON by capitals: `.ID` is `Id`,
/// and `id` in events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FieldNames {
    /// Those of the whole, where capitals do not matter.
    OfWhole,
    /// Those of a part, which may be somebody's labels: they count if key and name begin with a capital.
    OfPart,
}

impl FieldNames {
    /// The key that is meant by a name.
    fn key<'f>(self, fields: &'f Map<String, Value>, name: &str) -> Option<&'f String> {
        let is_dockers = |text: &str| text.starts_with(char::is_uppercase);
        let exact = fields.keys().find(|key| *key == name);
        exact.or_else(|| {
            let mut like = fields.keys().filter(|key| key.eq_ignore_ascii_case(name));
            like.find(|key| is_dockers(name) && (self == Self::OfWhole || is_dockers(key)))
        })
    }
}

/// What a value is, for a sentence.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "what is not there",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// A value as Go prints it, made safe for a terminal.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Null => NO_VALUE.into(),
        Value::String(text) => sanitize(text).into_owned(),
        Value::Array(elements) => {
            let elements: Vec<String> = elements.iter().map(shown).collect();
            format!("[{}]", elements.join(" "))
        }
        Value::Object(fields) => {
            let mut pairs: Vec<(&String, &Value)> = fields.iter().collect();
            pairs.sort_by_key(|(key, _)| *key);
            let pairs: Vec<String> = pairs
                .into_iter()
                .map(|(key, value)| format!("{}:{}", sanitize(key), shown(value)))
                .collect();
            format!("map[{}]", pairs.join(" "))
        }
        other => other.to_string(),
    }
}

/// A value's text as it is.
pub(super) fn raw(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => shown(other),
    }
}
