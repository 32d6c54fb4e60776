//! The functions that templates can call: those of Go's templates and Docker's, as far as they make sense of JSON.

use super::datum::{Datum, kind, raw, shown};
use super::error::{TemplateError, listed};
use super::printf::printf;
use crate::output::sanitize::sanitize_json;
use serde_json::Value;
use std::cmp::Ordering;

/// A function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    And,
    Or,
    Not,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Index,
    Len,
    Json,
    Print,
    Println,
    Printf,
    Join,
    Split,
    Upper,
    Lower,
    Title,
    Truncate,
    Pad,
}

const FUNCTIONS: [(&str, Function); 22] = [
    ("and", Function::And),
    ("or", Function::Or),
    ("not", Function::Not),
    ("eq", Function::Eq),
    ("ne", Function::Ne),
    ("lt", Function::Lt),
    ("le", Function::Le),
    ("gt", Function::Gt),
    ("ge", Function::Ge),
    ("index", Function::Index),
    ("len", Function::Len),
    ("json", Function::Json),
    ("print", Function::Print),
    ("println", Function::Println),
    ("printf", Function::Printf),
    ("join", Function::Join),
    ("split", Function::Split),
    ("upper", Function::Upper),
    ("lower", Function::Lower),
    ("title", Function::Title),
    ("truncate", Function::Truncate),
    ("pad", Function::Pad),
];

/// The widest padding.
const WIDEST: usize = 1000;

/// A call: where it stands, and what it is given.
pub(super) struct Call<'c, 'v> {
    pub(super) place: usize,
    pub(super) operands: &'c [Datum<'v>],
}

impl Function {
    /// The function of a name.
    pub(super) fn called(name: &str) -> Option<Function> {
        let found = FUNCTIONS.iter().find(|(known, _)| *known == name);
        found.map(|(_, function)| *function)
    }

    /// The names of all, for a sentence.
    pub(super) fn listed() -> String {
        listed(&FUNCTIONS.map(|(name, _)| name))
    }

    /// What it makes of its operands.
    pub(super) fn call<'v>(
        self,
        place: usize,
        operands: &[Datum<'v>],
    ) -> Result<Datum<'v>, TemplateError> {
        let call = Call { place, operands };
        match self {
            Function::And => call.first_that(|truth| !truth),
            Function::Or => call.first_that(|truth| truth),
            Function::Not => Ok(Datum::of(!call.one()?.is_true())),
            Function::Eq => call.equal(),
            Function::Ne => {
                let [one, other] = call.exactly()?;
                Ok(Datum::of(!call.are_equal(one, other)?))
            }
            Function::Lt => call.ordered(Ordering::is_lt),
            Function::Le => call.ordered(Ordering::is_le),
            Function::Gt => call.ordered(Ordering::is_gt),
            Function::Ge => call.ordered(Ordering::is_ge),
            Function::Index => call.index(),
            Function::Len => call.len(),
            Function::Json => {
                let text = call.one()?.value()?.to_string();
                Ok(Datum::Made(sanitize_json(&text).into_owned()))
            }
            Function::Print => call.print(),
            Function::Println => call.println(),
            Function::Printf => printf(&call),
            Function::Join => call.join(),
            Function::Split => call.split(),
            Function::Upper => call.one()?.with_text(str::to_uppercase),
            Function::Lower => call.one()?.with_text(str::to_lowercase),
            Function::Title => call.one()?.with_text(titled),
            Function::Truncate => call.truncate(),
            Function::Pad => call.pad(),
        }
    }
}

impl<'v> Call<'_, 'v> {
    pub(super) fn error(&self, problem: impl Into<String>) -> TemplateError {
        TemplateError::at(self.place, problem)
    }

    /// As many operands as are asked for, and no more.
    fn exactly<const N: usize>(&self) -> Result<&[Datum<'v>; N], TemplateError> {
        self.operands.try_into().map_err(|_| {
            let given = self.operands.len();
            self.error(format!(
                "this function takes {N} values and is given {given}"
            ))
        })
    }

    fn one(&self) -> Result<&Datum<'v>, TemplateError> {
        let [one] = self.exactly()?;
        Ok(one)
    }

    /// The first operand whose truth is right, else the last one.
    fn first_that(&self, is_right: impl Fn(bool) -> bool) -> Result<Datum<'v>, TemplateError> {
        let mut operands = self.operands.iter();
        let found = operands.find(|operand| is_right(operand.is_true()));
        found
            .or(self.operands.last())
            .cloned()
            .ok_or_else(|| self.error("this function is given no value"))
    }

    /// Whether the first equals one of the others.
    fn equal(&self) -> Result<Datum<'v>, TemplateError> {
        let [first, others @ ..] = self.operands else {
            return Err(self.error("`eq` is given nothing to compare"));
        };
        if others.is_empty() {
            return Err(self.error("`eq` is given nothing to compare with"));
        }
        for other in others {
            if self.are_equal(first, other)? {
                return Ok(Datum::of(true));
            }
        }
        Ok(Datum::of(false))
    }

    fn are_equal(&self, one: &Datum<'v>, other: &Datum<'v>) -> Result<bool, TemplateError> {
        let is_absent = |datum: &Datum<'v>| {
            matches!(datum, Datum::Absent(_)) || datum.value().is_ok_and(|value| value.is_null())
        };
        if is_absent(one) || is_absent(other) {
            return Ok(is_absent(one) && is_absent(other));
        }
        let (one, other) = (one.value()?, other.value()?);
        match (one.as_ref(), other.as_ref()) {
            (Value::Number(one), Value::Number(other)) => Ok(one.as_f64() == other.as_f64()),
            (one, other) if kind(one) == kind(other) => Ok(one == other),
            (one, other) => Err(self.error(format!(
                "{} and {} cannot be compared",
                kind(one),
                kind(other)
            ))),
        }
    }

    fn ordered(&self, is_right: fn(Ordering) -> bool) -> Result<Datum<'v>, TemplateError> {
        let [one, other] = self.exactly()?;
        let (one, other) = (one.value()?, other.value()?);
        let order = match (one.as_ref(), other.as_ref()) {
            (Value::Number(one), Value::Number(other)) => one
                .as_f64()
                .zip(other.as_f64())
                .and_then(|(one, other)| one.partial_cmp(&other)),
            (Value::String(one), Value::String(other)) => Some(one.cmp(other)),
            _ => None,
        };
        match order {
            Some(order) => Ok(Datum::of(is_right(order))),
            None => Err(self.error(format!("{} and {} have no order", kind(&one), kind(&other)))),
        }
    }

    /// The element of a list by its number, or of an object by its key, and so on for every further operand.
    fn index(&self) -> Result<Datum<'v>, TemplateError> {
        let [first, keys @ ..] = self.operands else {
            return Err(self.error("`index` is given no value"));
        };
        let mut value = first.value()?.into_owned();
        for key in keys {
            let key = key.value()?;
            value = match (&mut value, key.as_ref()) {
                (Value::Object(fields), Value::String(key)) => {
                    fields.get_mut(key).map(Value::take).unwrap_or_default()
                }
                (Value::Array(elements), Value::Number(number)) => {
                    let place = number
                        .as_u64()
                        .and_then(|place| usize::try_from(place).ok());
                    let element = place.and_then(|place| elements.get_mut(place));
                    element.map(Value::take).ok_or_else(|| {
                        let last = elements.len();
                        self.error(format!(
                            "the list has {last} elements, and no number {number}"
                        ))
                    })?
                }
                // As in Go, where the map of a kind may be nil.
                (Value::Null, Value::String(_)) => Value::Null,
                (value, key) => {
                    return Err(self.error(format!(
                        "{} has no element that {} could name",
                        kind(value),
                        kind(key)
                    )));
                }
            };
        }
        Ok(Datum::of(value))
    }

    fn len(&self) -> Result<Datum<'v>, TemplateError> {
        let value = self.one()?.value()?;
        let length = match value.as_ref() {
            Value::String(text) => text.len(),
            Value::Array(elements) => elements.len(),
            Value::Object(fields) => fields.len(),
            Value::Null => 0,
            other => return Err(self.error(format!("{} has no length", kind(other)))),
        };
        Ok(Datum::of(length))
    }

    /// As in Go, with blanks between those of which neither is a text.
    fn print(&self) -> Result<Datum<'v>, TemplateError> {
        let mut text = String::new();
        let mut was_text = true;
        for operand in self.operands {
            let is_text = operand.value()?.is_string();
            if !is_text && !was_text {
                text.push(' ');
            }
            text.push_str(&operand.printed()?);
            was_text = is_text;
        }
        Ok(Datum::Made(text))
    }

    fn println(&self) -> Result<Datum<'v>, TemplateError> {
        let words: Result<Vec<String>, _> = self.operands.iter().map(Datum::printed).collect();
        Ok(Datum::Made(words?.join(" ") + "\n"))
    }

    fn join(&self) -> Result<Datum<'v>, TemplateError> {
        let [list, separator] = self.exactly()?;
        let list = list.value()?;
        let elements: Vec<String> = match list.as_ref() {
            Value::Array(elements) => elements.iter().map(shown).collect(),
            Value::Null => Vec::new(),
            other => {
                let problem = format!(
                    "`join` takes a list and a text, and is given {}",
                    kind(other)
                );
                return Err(self.error(problem));
            }
        };
        Ok(Datum::Made(elements.join(&separator.printed()?)))
    }

    fn split(&self) -> Result<Datum<'v>, TemplateError> {
        let [text, separator] = self.exactly()?;
        let (text, separator) = (raw(&*text.value()?), raw(&*separator.value()?));
        let parts: Vec<&str> = match separator.is_empty() {
            true => text.split("").filter(|part| !part.is_empty()).collect(),
            false => text.split(&separator).collect(),
        };
        Ok(Datum::of(parts))
    }

    fn truncate(&self) -> Result<Datum<'v>, TemplateError> {
        let [text, length] = self.exactly()?;
        let length = self.number(length)?;
        text.with_text(|text| text.chars().take(length).collect())
    }

    /// Blanks before and behind a text that is not empty.
    fn pad(&self) -> Result<Datum<'v>, TemplateError> {
        let [text, before, behind] = self.exactly()?;
        let (before, behind) = (self.number(before)?, self.number(behind)?);
        text.with_text(|text| match text.is_empty() {
            true => String::new(),
            false => format!("{}{text}{}", " ".repeat(before), " ".repeat(behind)),
        })
    }

    fn number(&self, operand: &Datum<'v>) -> Result<usize, TemplateError> {
        let value = operand.value()?;
        let number = value
            .as_u64()
            .and_then(|number| usize::try_from(number).ok());
        number
            .filter(|number| *number <= WIDEST)
            .ok_or_else(|| self.error(format!("a number up to {WIDEST} is wanted here")))
    }
}

/// A capital at the beginning of each word.
fn titled(text: &str) -> String {
    let mut begins = true;
    let mut titled = String::with_capacity(text.len());
    for character in text.chars() {
        match begins {
            true => titled.extend(character.to_uppercase()),
            false => titled.push(character),
        }
        begins = !character.is_alphanumeric() && character != '_' && character != '\'';
    }
    titled
}
