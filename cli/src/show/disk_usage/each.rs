//! Each image, container and volume with what it takes, `system df -v`.

use crate::output::sanitize::sanitize_json;
use jiff::Timestamp;
use minirun_runtime::disk_usage::{ContainerUsage, DiskUsage, ImageUsage, VolumeUsage};
use serde_json::{Value, json};

use super::super::command_line::quoted;
use super::super::life::status;
use super::super::list::{ListFormat, Row, Truncation, labels, render};
use super::super::moment::{elapsed, listed};
use crate::output::duration::ago;
use crate::output::size::human_size;
use crate::output::template::TemplateError;

/// What stands for a name that an image does not have.
const NO_NAME: &str = "<none>";

/// A table for each kind of thing, or one object with everything.
///
/// # Errors
/// When a template asks for what is not there.
pub fn each(
    usage: &DiskUsage,
    format: &ListFormat,
    now: Timestamp,
) -> Result<String, TemplateError> {
    let images: Vec<ImageRow> = usage.images.iter().map(|one| image(one, now)).collect();
    let containers: Vec<ContainerRow> = usage
        .containers
        .iter()
        .map(|one| container(one, now))
        .collect();
    let volumes: Vec<VolumeRow> = usage.volumes.iter().map(VolumeRow).collect();
    let document = || {
        json!({
            "Images": images.iter().map(Row::json).collect::<Vec<_>>(),
            "Containers": containers.iter().map(Row::json).collect::<Vec<_>>(),
            "Volumes": volumes.iter().map(Row::json).collect::<Vec<_>>(),
        })
    };
    match format {
        ListFormat::Json => Ok(sanitize_json(&format!("{}\n", document())).into_owned()),
        ListFormat::Template(template) => Ok(format!("{}\n", template.render(&document())?)),
        ListFormat::Table | ListFormat::Quiet => Ok(format!(
            "Images space usage:\n\n{}\nContainers space usage:\n\n{}\nLocal Volumes space usage:\n\n{}",
            render(&images, format)?,
            render(&containers, format)?,
            render(&volumes, format)?
        )),
    }
}

struct ImageRow {
    repository: String,
    tag: String,
    id: String,
    created_at: String,
    created_ago: String,
    sizes: [String; 3],
    containers: String,
}

/// One row for each image, by its first name.
fn image(usage: &ImageUsage, now: Timestamp) -> ImageRow {
    let image = &usage.image;
    let (repository, tag) = match image.names.first() {
        Some(name) => (name.name().to_owned(), name.tag().to_owned()),
        None => (NO_NAME.to_owned(), NO_NAME.to_owned()),
    };
    let (shared, unique) = (usage.shared_bytes, usage.unique_bytes);
    ImageRow {
        repository,
        tag,
        id: image.id.short(),
        created_at: listed(image.created),
        created_ago: ago(elapsed(image.created, now)),
        sizes: [shared + unique, shared, unique].map(human_size),
        containers: usage.containers.to_string(),
    }
}

impl Row for ImageRow {
    const HEADINGS: &'static [&'static str] = &[
        "REPOSITORY",
        "TAG",
        "IMAGE ID",
        "CREATED",
        "SIZE",
        "SHARED SIZE",
        "UNIQUE SIZE",
        "CONTAINERS",
    ];

    const FIELDS: &'static [&'static str] = &[];

    fn cells(&self) -> Vec<String> {
        let mut cells = vec![
            self.repository.clone(),
            self.tag.clone(),
            self.id.clone(),
            self.created_ago.clone(),
        ];
        cells.extend(self.sizes.clone());
        cells.push(self.containers.clone());
        cells
    }

    fn identifier(&self) -> &str {
        &self.id
    }

    fn json(&self) -> Value {
        let [size, shared, unique] = &self.sizes;
        json!({
            "Containers": self.containers,
            "CreatedAt": self.created_at,
            "CreatedSince": self.created_ago,
            "ID": self.id,
            "Repository": self.repository,
            "SharedSize": shared,
            "Size": size,
            "Tag": self.tag,
            "UniqueSize": unique,
        })
    }
}

struct ContainerRow<'a> {
    usage: &'a ContainerUsage,
    id: String,
    created_ago: String,
    status: String,
}

fn container(usage: &ContainerUsage, now: Timestamp) -> ContainerRow<'_> {
    let outline = &usage.summary.outline;
    ContainerRow {
        usage,
        id: outline.id.short(),
        created_ago: ago(elapsed(outline.created, now)),
        status: status(&usage.summary.condition, now),
    }
}

impl ContainerRow<'_> {
    fn command(&self) -> String {
        quoted(
            self.usage.summary.outline.process.words(),
            Truncation::Short,
        )
    }

    fn size(&self) -> String {
        human_size(self.usage.size.writable_bytes)
    }
}

impl Row for ContainerRow<'_> {
    const HEADINGS: &'static [&'static str] = &[
        "CONTAINER ID",
        "IMAGE",
        "COMMAND",
        "LOCAL VOLUMES",
        "SIZE",
        "CREATED",
        "STATUS",
        "NAMES",
    ];

    const FIELDS: &'static [&'static str] = &[];

    fn cells(&self) -> Vec<String> {
        let outline = &self.usage.summary.outline;
        vec![
            self.id.clone(),
            outline.image.clone(),
            self.command(),
            self.usage.volumes.to_string(),
            self.size(),
            self.created_ago.clone(),
            self.status.clone(),
            outline.name.to_string(),
        ]
    }

    fn identifier(&self) -> &str {
        &self.id
    }

    fn json(&self) -> Value {
        let outline = &self.usage.summary.outline;
        json!({
            "Command": self.command(),
            "CreatedAt": listed(outline.created),
            "ID": self.id,
            "Image": outline.image,
            "Labels": labels(&outline.labels),
            "LocalVolumes": self.usage.volumes.to_string(),
            "Names": outline.name.to_string(),
            "RunningFor": self.created_ago,
            "Size": self.size(),
            "Status": self.status,
        })
    }
}

struct VolumeRow<'a>(&'a VolumeUsage);

impl Row for VolumeRow<'_> {
    const HEADINGS: &'static [&'static str] = &["VOLUME NAME", "LINKS", "SIZE"];

    const FIELDS: &'static [&'static str] = &[];

    fn cells(&self) -> Vec<String> {
        vec![
            self.0.volume.name.to_string(),
            self.0.links.to_string(),
            human_size(self.0.bytes),
        ]
    }

    fn identifier(&self) -> &str {
        self.0.volume.name.as_str()
    }

    fn json(&self) -> Value {
        json!({
            "Driver": "local",
            "Labels": labels(&self.0.volume.labels),
            "Links": self.0.links.to_string(),
            "Mountpoint": self.0.path.to_string_lossy(),
            "Name": self.0.volume.name,
            "Scope": "local",
            "Size": human_size(self.0.bytes),
        })
    }
}
