//! The listing of containers with their sizes, `ps --size`.

use minirun_runtime::disk_usage::ContainerSize;
use serde_json::Value;

use super::containers::ContainerRow;
use super::list::Row;
use crate::output::size::human_size;

/// What `ps --size` says of one container.
pub(super) struct SizedRow<'a> {
    pub(super) row: ContainerRow<'a>,
    /// None if the container is gone.
    pub(super) size: Option<ContainerSize>,
}

impl SizedRow<'_> {
    /// What it wrote, and in parentheses the same with its image.
    fn size(&self) -> String {
        self.size.map_or_else(String::new, |size| {
            let written = human_size(size.writable_bytes);
            format!("{written} (virtual {})", human_size(size.root_bytes))
        })
    }
}

impl Row for SizedRow<'_> {
    const HEADINGS: &'static [&'static str] = &[
        "CONTAINER ID",
        "IMAGE",
        "COMMAND",
        "CREATED",
        "STATUS",
        "PORTS",
        "NAMES",
        "SIZE",
    ];

    const FIELDS: &'static [&'static str] = ContainerRow::FIELDS;

    fn cells(&self) -> Vec<String> {
        let mut cells = self.row.cells();
        cells.push(self.size());
        cells
    }

    fn identifier(&self) -> &str {
        self.row.identifier()
    }

    fn json(&self) -> Value {
        let mut json = self.row.json();
        json["Size"] = self.size().into();
        json
    }
}

#[cfg(test)]
mod tests {
    use super::super::containers::{Selection, list};
    use super::super::fixture::{NOW, moment, stopped, summarized};
    use super::super::list::{ListFormat, Truncation};
    use super::*;

    #[test]
    fn a_size_is_told_with_and_without_the_image() {
        let all = &[summarized(stopped("web1"))];
        let size = ContainerSize {
            writable_bytes: 12,
            root_bytes: 8_100_012,
        };
        let selection = Selection {
            all,
            shown: vec![&all[0]],
            sizes: Some([(all[0].outline.id, size)].into()),
        };
        let shown = |format| list(&selection, &format, Truncation::Short, moment(NOW)).unwrap();
        assert_eq!(
            shown(ListFormat::Table),
            "\
CONTAINER ID   IMAGE     COMMAND         CREATED              STATUS                     PORTS     NAMES     SIZE
111111111111   demo      \"httpd -p 80\"   About a minute ago   Exited (3) 2 seconds ago             web1      12B (virtual 8.1MB)
"
        );
        let template = ListFormat::Template("{{.Names}} {{.Size}}".parse().unwrap());
        assert_eq!(shown(template), "web1 12B (virtual 8.1MB)\n");
    }
}
