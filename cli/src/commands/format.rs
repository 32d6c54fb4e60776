//! `--format`, `--quiet` and `--no-trunc`: how a listing is shown.

use crate::output::template::Template;
use crate::show::list::{ListFormat, Truncation};
use std::str::FromStr;

/// `--format`.
#[derive(Debug, Clone, PartialEq)]
pub struct Format(ListFormat);

impl Format {
    /// Ids only, if that was asked for.
    pub fn unless(self, quiet: bool) -> ListFormat {
        match quiet {
            true => ListFormat::Quiet,
            false => self.0,
        }
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Format, String> {
        match text {
            "table" => Ok(Format(ListFormat::Table)),
            "json" => Ok(Format(ListFormat::Json)),
            text if text.contains("{{") => {
                let template = text.parse::<Template>();
                let template = template.map_err(|error| error.to_string())?;
                Ok(Format(ListFormat::Template(template)))
            }
            text => Err(format!(
                "unknown format `{text}`: use `table`, `json`, or a template such as `{{{{.ID}}}}`"
            )),
        }
    }
}

/// Whether ids are shortened.
pub fn truncation(no_trunc: bool) -> Truncation {
    if no_trunc {
        Truncation::Full
    } else {
        Truncation::Short
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_a_word_or_a_template() {
        assert_eq!("table".parse(), Ok(Format(ListFormat::Table)));
        let template: Format = "{{.ID}}".parse().unwrap();
        assert!(matches!(template.0, ListFormat::Template(_)));
        assert_eq!(template.unless(true), ListFormat::Quiet);
        assert!("wide".parse::<Format>().unwrap_err().contains("`json`"));
    }
}
