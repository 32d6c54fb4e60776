//! The text of a profile, and what it sets.

use super::error::SyntaxError;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// One key of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The long name of an option, without its dashes.
    pub key: String,
    /// The line that it stands on, counted from 1.
    pub line: usize,
    /// What it is set to.
    pub value: SettingValue,
}

/// What a key is set to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingValue {
    /// `true` or `false`.
    Switch(bool),
    /// A text or a number, as a word.
    One(String),
    /// Several of them.
    Many(Vec<String>),
}

/// What a text sets, in the order of its lines.
///
/// # Errors
/// When it is no TOML, or holds something that no option could be set to.
pub fn parse_settings(text: &str) -> Result<Vec<Setting>, SyntaxError> {
    let table = DeTable::parse(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        problem(text, start, error.message())
    })?;
    let mut settings = Vec::new();
    for (key, value) in table.get_ref() {
        let start = key.span().start;
        let name = key.get_ref();
        if name.is_empty() || name.starts_with('-') || name.contains(['=', '\0']) {
            let what = format!("`{name}` is not the name of an option");
            return Err(problem(text, start, &what));
        }
        let value = setting_value(value).map_err(|what| {
            let what = format!(
                "`{name}` is {what}: write a text, a number, `true`, `false` or a list of texts"
            );
            problem(text, start, &what)
        })?;
        settings.push((
            start,
            Setting {
                key: name.to_string(),
                line: line(text, start),
                value,
            },
        ));
    }
    settings.sort_by_key(|(start, _)| *start);
    Ok(settings.into_iter().map(|(_, setting)| setting).collect())
}

fn setting_value(value: &Spanned<DeValue<'_>>) -> Result<SettingValue, &'static str> {
    match value.get_ref() {
        DeValue::Boolean(switch) => Ok(SettingValue::Switch(*switch)),
        DeValue::Array(list) => list
            .iter()
            .map(|value| word(value.get_ref()))
            .collect::<Result<_, _>>()
            .map(SettingValue::Many),
        one => word(one).map(SettingValue::One),
    }
}

/// A value as it would be typed.
fn word(value: &DeValue<'_>) -> Result<String, &'static str> {
    match value {
        // No word of a command line can hold this.
        DeValue::String(text) if text.contains('\0') => Err("a text with a zero byte in it"),
        DeValue::String(text) => Ok(text.to_string()),
        DeValue::Integer(number) => Ok(number.to_string()),
        DeValue::Float(number) => Ok(number.to_string()),
        DeValue::Boolean(_) => Err("a list with `true` or `false` in it"),
        DeValue::Datetime(_) => Err("a date or a time"),
        DeValue::Array(_) => Err("a list of lists"),
        DeValue::Table(_) => Err("a table"),
    }
}

fn problem(text: &str, start: usize, what: &str) -> SyntaxError {
    SyntaxError {
        line: line(text, start),
        problem: what.trim_end().replace('\n', ", "),
    }
}

/// The line in which a byte is, counted from 1.
fn line(text: &str, start: usize) -> usize {
    let before = text.get(..start).unwrap_or(text);
    before.matches('\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_kind_of_value_becomes_words() {
        let text = "# A judge.\nmemory = \"256m\"\ncpus = 1.5\npids-limit = 64\n\nread-only = true\n\
                    cap-drop = [\"ALL\"]\ntmpfs = [\n  '/tmp:size=64m', # scratch\n  '/run',\n]\n";
        let settings = parse_settings(text).unwrap();
        let one = |word: &str| SettingValue::One(word.into());
        let many = |words: &[&str]| {
            SettingValue::Many(words.iter().map(|word| (*word).to_owned()).collect())
        };
        let expected = [
            ("memory", 2, one("256m")),
            ("cpus", 3, one("1.5")),
            ("pids-limit", 4, one("64")),
            ("read-only", 6, SettingValue::Switch(true)),
            ("cap-drop", 7, many(&["ALL"])),
            ("tmpfs", 8, many(&["/tmp:size=64m", "/run"])),
        ];
        let expected = expected.map(|(key, line, value)| Setting {
            key: key.into(),
            line,
            value,
        });
        assert_eq!(settings, expected);
    }

    #[test]
    fn what_is_no_setting_is_refused_with_its_line() {
        for (text, expected) in [
            ("memory = 1\nmemory = 2", "line 2: duplicate key"),
            ("\nmemory", "line 2: key with no value, expected `=`"),
            (
                "[resources]\nmemory = 1",
                "line 1: `resources` is a table: write a text",
            ),
            ("a.b = 1", "line 1: `a` is a table"),
            ("\"\" = 1", "line 1: `` is not the name of an option"),
            ("\"--memory\" = 1", "line 1: `--memory` is not the name"),
            ("\"memory=1\" = 1", "line 1: `memory=1` is not the name"),
            ("when = 2026-11-21", "line 1: `when` is a date or a time"),
            ("x = [[1]]", "line 1: `x` is a list of lists"),
            ("x = [true]", "line 1: `x` is a list with `true`"),
            (
                "x = \"a\\u0000b\"",
                "line 1: `x` is a text with a zero byte",
            ),
        ] {
            let message = parse_settings(text).unwrap_err().to_string();
            assert!(message.starts_with(expected), "{text:?}: {message}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_in_one_line(text in "[\\PC\n]{0,200}") {
            if let Err(error) = parse_settings(&text) {
                prop_assert!(!error.to_string().contains('\n'));
                prop_assert!(error.line <= text.matches('\n').count() + 1);
            }
        }

        #[test]
        fn any_word_comes_through(word in "[^\0]{0,40}") {
            let quoted = toml_text(&word);
            let settings = parse_settings(&format!("key = {quoted}")).unwrap();
            prop_assert_eq!(&settings[0].value, &SettingValue::One(word.clone()));
        }
    }

    /// A text as TOML writes it, which JSON does in the same way but for one character.
    fn toml_text(word: &str) -> String {
        serde_json::to_string(word)
            .unwrap()
            .replace('\u{7f}', "\\u007f")
    }
}
