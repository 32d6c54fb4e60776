//! Volumes: the listing of `volume ls`, and the document of `volume inspect`.

use std::path::Path;

use minirun_runtime::volumes::{Volume, VolumeUse, data_path};
use serde_json::{Value, json};

use super::list::{ListFormat, Row, labels, render};
use super::moment::rfc3339;
use crate::output::template::TemplateError;

/// What Docker shows where nothing is known.
const UNKNOWN: &str = "N/A";

/// Lists volumes, which lie in `directory`.
///
/// # Errors
/// When a template names a field that rows do not have.
pub fn list(
    volumes: &[VolumeUse],
    directory: &Path,
    format: &ListFormat,
) -> Result<String, TemplateError> {
    let rows: Vec<VolumeRow> = volumes
        .iter()
        .map(|one| VolumeRow {
            volume: &one.volume,
            directory,
        })
        .collect();
    render(&rows, format)
}

/// The document of one volume, with Docker's keys.
pub fn inspect(volume: &Volume, data: &Path) -> Value {
    json!({
        "CreatedAt": rfc3339(Some(volume.created)),
        "Driver": "local",
        "Labels": (!volume.labels.is_empty()).then_some(&volume.labels),
        "Mountpoint": data.to_string_lossy(),
        "Name": volume.name,
        "Options": null,
        "Scope": "local",
    })
}

/// What `volume ls` says of one volume.
struct VolumeRow<'a> {
    volume: &'a Volume,
    directory: &'a Path,
}

impl Row for VolumeRow<'_> {
    const HEADINGS: &'static [&'static str] = &["DRIVER", "VOLUME NAME"];

    const FIELDS: &'static [&'static str] = &[
        "Availability",
        "Driver",
        "Group",
        "Labels",
        "Links",
        "Mountpoint",
        "Name",
        "Scope",
        "Size",
        "Status",
    ];

    fn cells(&self) -> Vec<String> {
        vec!["local".to_owned(), self.volume.name.to_string()]
    }

    fn identifier(&self) -> &str {
        self.volume.name.as_str()
    }

    fn json(&self) -> Value {
        json!({
            "Availability": UNKNOWN,
            "Driver": "local",
            "Group": UNKNOWN,
            "Labels": labels(&self.volume.labels),
            "Links": UNKNOWN,
            "Mountpoint": data_path(self.directory, &self.volume.name).to_string_lossy(),
            "Name": self.volume.name,
            "Scope": "local",
            "Size": UNKNOWN,
            "Status": UNKNOWN,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::volumes;
    use super::*;

    fn shown(format: ListFormat) -> String {
        list(&volumes(), Path::new("/volumes"), &format).unwrap()
    }

    #[test]
    fn volumes_are_listed_by_driver_and_name() {
        assert_eq!(
            shown(ListFormat::Table),
            "DRIVER    VOLUME NAME\nlocal     cache\nlocal     db\n"
        );
        assert_eq!(shown(ListFormat::Quiet), "cache\ndb\n");
        let template =
            ListFormat::Template("{{.Name}} {{.Mountpoint}} {{.Labels}}".parse().unwrap());
        assert_eq!(
            shown(template),
            "cache /volumes/cache/_data \ndb /volumes/db/_data tier=back\n"
        );
    }

    #[test]
    fn the_document_has_dockers_keys() {
        let volumes = volumes();
        assert_eq!(
            inspect(&volumes[1].volume, Path::new("/volumes/db/_data")),
            json!({
                "CreatedAt": "2026-11-21T09:00:00Z",
                "Driver": "local",
                "Labels": {"tier": "back"},
                "Mountpoint": "/volumes/db/_data",
                "Name": "db",
                "Options": null,
                "Scope": "local",
            })
        );
        let fields: Vec<String> = VolumeRow {
            volume: &volumes[0].volume,
            directory: Path::new("/"),
        }
        .json()
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
        assert_eq!(fields, VolumeRow::FIELDS);
    }
}
