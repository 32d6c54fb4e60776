//! Listings: the same rows as a table, as identifiers alone, as one JSON object a line, or through a template.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::output::sanitize::sanitize_json;
use crate::output::table::Table;
use crate::output::template::{Template, TemplateError};

/// In which form a listing is wanted.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum ListFormat {
    /// Headings and aligned columns.
    #[default]
    Table,
    /// Nothing but identifiers, one a line (`-q`).
    Quiet,
    /// One JSON object a line (`--format json`).
    Json,
    /// One line made by a template (`--format '{{.ID}}'`).
    Template(Template),
}

/// How much of long values is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Truncation {
    /// Twelve digits of an identifier, twenty characters of a command.
    #[default]
    Short,
    /// Everything (`--no-trunc`).
    Full,
}

/// One row of a listing.
pub(super) trait Row {
    /// The headings of the table, in upper case.
    const HEADINGS: &'static [&'static str];

    /// The keys of the object that [`Row::json`] makes.
    const FIELDS: &'static [&'static str];

    /// What stands below each heading.
    fn cells(&self) -> Vec<String>;

    /// What stands for the row where only identifiers are wanted.
    fn identifier(&self) -> &str;

    /// The row as an object with Docker's keys.
    fn json(&self) -> Value;
}

/// The listing of these rows; every line ends with a newline.
///
/// # Errors
/// When a template names a field that rows do not have, even if there is no row, or takes one for what it is not.
pub(super) fn render<R: Row>(rows: &[R], format: &ListFormat) -> Result<String, TemplateError> {
    Ok(match format {
        ListFormat::Table => {
            let mut table = Table::new(R::HEADINGS);
            for row in rows {
                table.push(row.cells());
            }
            table.to_string()
        }
        ListFormat::Quiet => lines(rows.iter().map(Row::identifier)),
        ListFormat::Json => sanitize_json(&lines(rows.iter().map(Row::json))).into_owned(),
        ListFormat::Template(template) => {
            template.check(R::FIELDS)?;
            let rendered = rows.iter().map(|row| template.render(&row.json()));
            lines(rendered.collect::<Result<Vec<_>, _>>()?.iter())
        }
    })
}

/// Labels in the one string that Docker's listings have for them: `a=1,b=2`.
pub(super) fn labels(labels: &BTreeMap<String, String>) -> String {
    let pairs: Vec<String> = labels
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join(",")
}

fn lines(items: impl Iterator<Item = impl ToString>) -> String {
    items
        .map(|item| item.to_string() + "\n")
        .collect::<Vec<_>>()
        .concat()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    struct Fruit(&'static str);

    impl Row for Fruit {
        const HEADINGS: &'static [&'static str] = &["NAME", "LETTERS"];
        const FIELDS: &'static [&'static str] = &["Name"];

        fn cells(&self) -> Vec<String> {
            vec![self.0.to_owned(), self.0.len().to_string()]
        }

        fn identifier(&self) -> &str {
            self.0
        }

        fn json(&self) -> Value {
            json!({"Name": self.0})
        }
    }

    #[test]
    fn the_same_rows_take_every_form() {
        let rows = [Fruit("apple"), Fruit("fig")];
        assert_eq!(
            render(&rows, &ListFormat::Table).unwrap(),
            "NAME      LETTERS\napple     5\nfig       3\n"
        );
        assert_eq!(render(&rows, &ListFormat::Quiet).unwrap(), "apple\nfig\n");
        assert_eq!(
            render(&rows, &ListFormat::Json).unwrap(),
            "{\"Name\":\"apple\"}\n{\"Name\":\"fig\"}\n"
        );
    }

    #[test]
    fn a_template_makes_a_line_of_each_row() {
        let format = |text: &str| ListFormat::Template(text.parse().unwrap());
        let rows = [Fruit("apple"), Fruit("fig")];
        assert_eq!(
            render(&rows, &format("- {{.Name}}")).unwrap(),
            "- apple\n- fig\n"
        );
        let unknown = render::<Fruit>(&[], &format("{{.Colour}}")).unwrap_err();
        assert!(unknown.to_string().contains("`Colour`"), "{unknown}");
    }

    #[test]
    fn a_listing_without_rows_has_headings_only_in_a_table() {
        assert_eq!(
            render::<Fruit>(&[], &ListFormat::Table).unwrap(),
            "NAME      LETTERS\n"
        );
        assert_eq!(render::<Fruit>(&[], &ListFormat::Quiet).unwrap(), "");
        assert_eq!(render::<Fruit>(&[], &ListFormat::Json).unwrap(), "");
    }

    #[test]
    fn labels_are_one_string() {
        let two = [("b", "2"), ("a", "")].map(|(name, value)| (name.into(), value.into()));
        assert_eq!(labels(&BTreeMap::from(two)), "a=,b=2");
    }
}
