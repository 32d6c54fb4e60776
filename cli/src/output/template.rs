//! Templates for rows of listings: literal text with fields between, `{{.Names}}: {{.Status}}`. The fields are those of the
//! row's JSON object; `{{json .}}` is the whole object and `{{json .Names}}` one field of it as JSON.

use super::sanitize::{sanitize, sanitize_json};
use serde_json::Value;
use std::fmt;
use std::str::FromStr;

/// A template that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Field(String),
    JsonField(String),
    JsonRow,
}

/// A template names a field that the listing does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownField {
    /// The field as typed.
    pub field: String,
    /// The fields there are.
    pub known: Vec<&'static str>,
}

impl fmt::Display for UnknownField {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known: Vec<String> = self.known.iter().map(|name| format!("`{name}`")).collect();
        write!(
            formatter,
            "the listing has no field `{}`: use {}",
            self.field,
            known.join(", ")
        )
    }
}

impl Template {
    /// Refuses fields that rows do not have.
    ///
    /// # Errors
    /// The first such field.
    pub fn check(&self, known: &[&'static str]) -> Result<(), UnknownField> {
        let field = self.0.iter().find_map(|piece| match piece {
            Piece::Field(field) | Piece::JsonField(field) if !known.contains(&field.as_str()) => {
                Some(field.clone())
            }
            _ => None,
        });
        match field {
            None => Ok(()),
            Some(field) => Err(UnknownField {
                field,
                known: known.to_vec(),
            }),
        }
    }

    /// One row, which is an object, without a newline behind. What comes from outside is sanitized.
    pub fn render(&self, row: &Value) -> String {
        let shown = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::JsonRow => json(row),
            Piece::JsonField(field) => json(&row[field]),
            Piece::Field(field) => match &row[field] {
                Value::String(text) => sanitize(text).into_owned(),
                other => json(other),
            },
        };
        self.0.iter().map(shown).collect()
    }
}

impl FromStr for Template {
    type Err = String;

    fn from_str(text: &str) -> Result<Template, String> {
        if text.starts_with("table ") {
            return Err(
                "a table has the columns it has: write `table`, or the template alone".into(),
            );
        }
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once("{{") {
            let (action, behind) = behind
                .split_once("}}")
                .ok_or_else(|| format!("`{{{{{behind}` has no end: close it with `}}}}`"))?;
            pieces.push(Piece::Text(unescaped(before)));
            pieces.push(piece(action.trim())?);
            rest = behind;
        }
        pieces.push(Piece::Text(unescaped(rest)));
        Ok(Template(pieces))
    }
}

/// What stands between the braces.
fn piece(action: &str) -> Result<Piece, String> {
    let refused = || {
        format!(
            "`{{{{{action}}}}}` is not supported: write a field such as `{{{{.Name}}}}`, or `{{{{json .}}}}` for all of them"
        )
    };
    let (json, field) = match action.strip_prefix("json ") {
        Some(field) => (true, field.trim_start()),
        None => (false, action),
    };
    let field = field.strip_prefix('.').ok_or_else(refused)?;
    if !field.bytes().all(|byte| byte.is_ascii_alphanumeric()) || field.is_empty() && !json {
        return Err(refused());
    }
    Ok(match (json, field) {
        (true, "") => Piece::JsonRow,
        (true, field) => Piece::JsonField(field.into()),
        (false, field) => Piece::Field(field.into()),
    })
}

fn json(value: &Value) -> String {
    sanitize_json(&value.to_string()).into_owned()
}

/// As with Docker, `\t` and `\n` may be written out, because shells do not make them.
fn unescaped(text: &str) -> String {
    text.replace("\\t", "\t").replace("\\n", "\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rendered(template: &str) -> String {
        let row = json!({"Name": "web1", "Labels": "a=\x1b[2J", "Size": 3});
        template.parse::<Template>().unwrap().render(&row)
    }

    #[test]
    fn fields_stand_between_literal_text() {
        assert_eq!(rendered("{{.Name}}"), "web1");
        assert_eq!(rendered("<{{ .Name }}> {{.Size}}!"), "<web1> 3!");
        assert_eq!(rendered("{{.Name}}\\t{{.Size}}"), "web1\t3");
        assert_eq!(rendered("{{json .Name}}"), "\"web1\"");
        assert!(rendered("{{json .}}").starts_with("{\"Name\":\"web1\""));
        assert_eq!(rendered("no field"), "no field");
    }

    #[test]
    fn a_field_cannot_act_on_the_terminal() {
        assert_eq!(rendered("{{.Labels}}"), "a=\\x1b[2J");
        let row = json!({"Labels": "\u{9b}2J"});
        for template in ["{{json .Labels}}", "{{json .}}"] {
            let text = template.parse::<Template>().unwrap().render(&row);
            assert!(text.contains("\\u009b2J"), "{text}");
        }
    }

    #[test]
    fn a_field_that_is_unknown_is_refused_with_those_there_are() {
        let template: Template = "{{.Nam}}".parse().unwrap();
        assert_eq!(
            template.check(&["Name", "Size"]).unwrap_err().to_string(),
            "the listing has no field `Nam`: use `Name`, `Size`"
        );
        assert_eq!(
            "{{.Size}}".parse::<Template>().unwrap().check(&["Size"]),
            Ok(())
        );
    }

    #[test]
    fn what_is_no_template_is_refused() {
        for (text, part) in [
            ("{{.Name", "has no end: close it with `}}`"),
            ("{{range .X}}", "`{{range .X}}` is not supported"),
            ("{{}}", "is not supported"),
            ("{{.}}", "is not supported"),
            ("{{.A.B}}", "is not supported"),
            ("table {{.Name}}", "the template alone"),
        ] {
            let problem = text.parse::<Template>().unwrap_err();
            assert!(problem.contains(part), "{text}: {problem}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "([{}. ]|json|a|\\\\|t|\\PC){0,20}") {
            if let Ok(template) = text.parse::<Template>() {
                template.render(&json!({}));
            }
        }
    }
}
