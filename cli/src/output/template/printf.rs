//! `printf`: `%s`, `%d`, `%v`, `%q`, `%t`, `%f` and `%%`, with a width and a number of decimals or characters.

use super::datum::{Datum, kind, shown};
use super::error::TemplateError;
use super::functions::Call;
use serde_json::Value;

/// The widest column.
const WIDEST: usize = 1000;

/// How one value is to be written: `%-10.3s`.
#[derive(Debug, Default)]
struct Verb {
    letter: char,
    flags: Vec<char>,
    width: usize,
    precision: Option<usize>,
}

/// Writes values into a text.
pub(super) fn printf<'v>(call: &Call<'_, 'v>) -> Result<Datum<'v>, TemplateError> {
    let [format, values @ ..] = call.operands else {
        return Err(call.error("`printf` is given no text"));
    };
    let format = format.printed()?;
    let mut values = values.iter();
    let mut characters = format.chars().peekable();
    let mut text = String::new();
    while let Some(character) = characters.next() {
        if character != '%' {
            text.push(character);
            continue;
        }
        let verb = verb(&mut characters).map_err(|problem| call.error(problem))?;
        if verb.letter == '%' {
            text.push('%');
            continue;
        }
        let value = values.next().ok_or_else(|| {
            call.error(format!("`printf` is given no value for `%{}`", verb.letter))
        })?;
        let written = match (value, verb.letter) {
            (Datum::Made(made), 's' | 'v') => made.clone(),
            _ => verb
                .write(&*value.value()?)
                .map_err(|problem| call.error(problem))?,
        };
        text.push_str(&verb.aligned(&written));
    }
    match values.next() {
        Some(_) => Err(call.error("`printf` is given more values than its text has places for")),
        None => Ok(Datum::Made(text)),
    }
}

fn verb(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<Verb, String> {
    let mut verb = Verb::default();
    while let Some(flag) = characters.next_if(|flag| "-0+# ".contains(*flag)) {
        verb.flags.push(flag);
    }
    verb.width = number(characters)?;
    if characters.next_if_eq(&'.').is_some() {
        verb.precision = Some(number(characters)?);
    }
    verb.letter = characters
        .next()
        .ok_or("`printf` is given a text that ends in `%`")?;
    match "%sdvqtf".contains(verb.letter) {
        true => Ok(verb),
        false => Err(format!(
            "`printf` does not know `%{}`: use `%s`, `%d`, `%v`, `%q`, `%t`, `%f` or `%%`",
            verb.letter
        )),
    }
}

fn number(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<usize, String> {
    let mut number = 0;
    while let Some(digit) = characters.peek().and_then(|next| next.to_digit(10)) {
        characters.next();
        number = number * 10 + digit as usize;
        if number > WIDEST {
            return Err(format!(
                "`printf` makes columns of {WIDEST} characters at most"
            ));
        }
    }
    Ok(number)
}

impl Verb {
    fn write(&self, value: &Value) -> Result<String, String> {
        let refused = || Err(format!("`%{}` cannot write {}", self.letter, kind(value)));
        Ok(match (self.letter, value) {
            ('q', Value::String(text)) => format!("{text:?}"),
            ('q', _) => return refused(),
            ('d', Value::Number(number)) if !number.is_f64() => self.signed(number.to_string()),
            ('d', _) => return refused(),
            ('t', Value::Bool(truth)) => truth.to_string(),
            ('t', _) => return refused(),
            ('f', Value::Number(number)) => {
                let decimals = self.precision.unwrap_or(6);
                self.signed(format!(
                    "{:.decimals$}",
                    number.as_f64().unwrap_or_default()
                ))
            }
            ('f', _) => return refused(),
            ('s', Value::String(text)) => {
                let length = self.precision.unwrap_or(usize::MAX);
                shown(&Value::String(text.chars().take(length).collect()))
            }
            _ => shown(value),
        })
    }

    fn signed(&self, digits: String) -> String {
        match self.flags.contains(&'+') && !digits.starts_with('-') {
            true => format!("+{digits}"),
            false => digits,
        }
    }

    fn aligned(&self, text: &str) -> String {
        let width = self.width;
        let is_number = matches!(self.letter, 'd' | 'f');
        match () {
            () if self.flags.contains(&'-') => format!("{text:<width$}"),
            () if is_number && self.flags.contains(&'0') => {
                let (sign, digits) = match text.strip_prefix(['-', '+']) {
                    Some(digits) => (&text[..1], digits),
                    None => ("", text),
                };
                let width = width.saturating_sub(sign.len());
                format!("{sign}{digits:0>width$}")
            }
            () => format!("{text:>width$}"),
        }
    }
}
