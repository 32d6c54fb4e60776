//! The listing of images, `images`.

use jiff::Timestamp;
use minirun_runtime::image::Image;
use serde_json::{Value, json};

use super::list::{ListFormat, Row, Truncation, render};
use super::moment::{elapsed, listed};
use crate::output::duration::ago;
use crate::output::size::human_size;
use crate::output::template::TemplateError;

/// What stands for a name that an image does not have.
const NO_NAME: &str = "<none>";

/// Lists images in the order they are given, one row for each name.
pub fn list(
    images: &[Image],
    format: &ListFormat,
    truncation: Truncation,
    now: Timestamp,
) -> Result<String, TemplateError> {
    let rows: Vec<ImageRow> = images
        .iter()
        .flat_map(|image| rows(image, truncation, now))
        .collect();
    render(&rows, format)
}

/// What `images` says of one name of an image.
struct ImageRow {
    repository: String,
    tag: String,
    id: String,
    created_at: String,
    created_ago: String,
    size: String,
}

/// One row for each name, or a single one without a name.
fn rows(image: &Image, truncation: Truncation, now: Timestamp) -> Vec<ImageRow> {
    let row = |repository: &str, tag: &str| ImageRow {
        repository: repository.to_owned(),
        tag: tag.to_owned(),
        id: match truncation {
            Truncation::Short => image.id.short(),
            Truncation::Full => image.id.to_string(),
        },
        created_at: listed(image.created),
        created_ago: ago(elapsed(image.created, now)),
        size: human_size(image.size_bytes),
    };
    if image.names.is_empty() {
        return vec![row(NO_NAME, NO_NAME)];
    }
    image
        .names
        .iter()
        .map(|name| row(name.name(), name.tag()))
        .collect()
}

impl Row for ImageRow {
    const HEADINGS: &'static [&'static str] = &["REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE"];

    const FIELDS: &'static [&'static str] = &[
        "Containers",
        "CreatedAt",
        "CreatedSince",
        "Digest",
        "ID",
        "Repository",
        "SharedSize",
        "Size",
        "Tag",
        "UniqueSize",
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.repository.clone(),
            self.tag.clone(),
            self.id.clone(),
            self.created_ago.clone(),
            self.size.clone(),
        ]
    }

    fn identifier(&self) -> &str {
        &self.id
    }

    fn json(&self) -> Value {
        json!({
            "Containers": "N/A",
            "CreatedAt": self.created_at,
            "CreatedSince": self.created_ago,
            "Digest": NO_NAME,
            "ID": self.id,
            "Repository": self.repository,
            "SharedSize": "N/A",
            "Size": self.size,
            "Tag": self.tag,
            "UniqueSize": "N/A",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{NOW, image, moment};
    use super::*;

    fn shown(format: ListFormat, truncation: Truncation) -> String {
        let mut unnamed = image(&[]);
        unnamed.size_bytes = 0;
        let images = [image(&["demo", "localhost:5000/tools:1"]), unnamed];
        list(&images, &format, truncation, moment(NOW)).unwrap()
    }

    #[test]
    fn an_image_has_a_row_for_each_name() {
        assert_eq!(
            shown(ListFormat::Table, Truncation::Short),
            "\
REPOSITORY             TAG       IMAGE ID       CREATED       SIZE
demo                   latest    aaaaaaaaaaaa   2 hours ago   8.1MB
localhost:5000/tools   1         aaaaaaaaaaaa   2 hours ago   8.1MB
<none>                 <none>    aaaaaaaaaaaa   2 hours ago   0B
"
        );
    }

    #[test]
    fn quiet_rows_are_identifiers_and_full_ones_name_the_algorithm() {
        let short = "aaaaaaaaaaaa\n".repeat(3);
        assert_eq!(shown(ListFormat::Quiet, Truncation::Short), short);
        let full = format!("sha256:{}\n", "a".repeat(64)).repeat(3);
        assert_eq!(shown(ListFormat::Quiet, Truncation::Full), full);
    }

    #[test]
    fn a_template_can_name_every_key_of_a_row() {
        let rows = rows(&image(&["demo"]), Truncation::Short, moment(NOW));
        let keys: Vec<String> = rows[0]
            .json()
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect();
        assert_eq!(keys, ImageRow::FIELDS);
    }

    #[test]
    fn json_rows_have_dockers_keys() {
        let text = shown(ListFormat::Json, Truncation::Short);
        assert_eq!(
            text.lines().next(),
            Some(concat!(
                r#"{"Containers":"N/A","CreatedAt":"2026-11-21 07:30:00 +0000 UTC","CreatedSince":"2 hours ago","#,
                r#""Digest":"<none>","ID":"aaaaaaaaaaaa","Repository":"demo","SharedSize":"N/A","Size":"8.1MB","#,
                r#""Tag":"latest","UniqueSize":"N/A"}"#
            ))
        );
    }
}
