//! What takes how much of the disk, `system df`.

mod each;
#[cfg(test)]
mod tests;

pub use each::each;

use minirun_runtime::disk_usage::{ContainerUsage, DiskUsage};
use serde_json::{Value, json};

use super::containers::state;
use super::list::{ListFormat, Row, render};
use crate::output::size::human_size;
use crate::output::template::TemplateError;

/// One row for each kind of thing.
///
/// # Errors
/// When a template names a field that rows do not have.
pub fn summary(usage: &DiskUsage, format: &ListFormat) -> Result<String, TemplateError> {
    render(&[images(usage), containers(usage), volumes(usage)], format)
}

/// What there is of one kind of thing.
struct Total {
    kind: &'static str,
    count: usize,
    active: usize,
    bytes: u64,
    unused_bytes: u64,
}

fn images(usage: &DiskUsage) -> Total {
    let used = usage.images.iter().filter(|image| image.containers > 0);
    Total {
        kind: "Images",
        count: usage.images.len(),
        active: used.count(),
        bytes: usage.layer_bytes,
        unused_bytes: usage.unused_layer_bytes,
    }
}

fn containers(usage: &DiskUsage) -> Total {
    let size = |container: &ContainerUsage| container.size.writable_bytes;
    let (active, idle): (Vec<&ContainerUsage>, Vec<_>) =
        usage.containers.iter().partition(|one| is_active(one));
    let unused_bytes = idle.into_iter().map(size).sum();
    Total {
        kind: "Containers",
        count: usage.containers.len(),
        active: active.len(),
        bytes: usage.containers.iter().map(size).sum(),
        unused_bytes,
    }
}

fn is_active(container: &ContainerUsage) -> bool {
    ["running", "paused", "restarting"].contains(&state(&container.summary))
}

fn volumes(usage: &DiskUsage) -> Total {
    let volumes = &usage.volumes;
    let idle = volumes.iter().filter(|volume| volume.links == 0);
    Total {
        kind: "Local Volumes",
        count: volumes.len(),
        active: volumes.iter().filter(|volume| volume.links > 0).count(),
        bytes: volumes.iter().map(|volume| volume.bytes).sum(),
        unused_bytes: idle.map(|volume| volume.bytes).sum(),
    }
}

impl Total {
    /// What could be had back, with its share if there is anything at all.
    fn reclaimable(&self) -> String {
        let size = human_size(self.unused_bytes);
        let share = u128::from(self.unused_bytes) * 100;
        match share.checked_div(u128::from(self.bytes)) {
            None => size,
            Some(percent) => format!("{size} ({percent}%)"),
        }
    }
}

impl Row for Total {
    const HEADINGS: &'static [&'static str] = &["TYPE", "TOTAL", "ACTIVE", "SIZE", "RECLAIMABLE"];

    const FIELDS: &'static [&'static str] =
        &["Active", "Reclaimable", "Size", "TotalCount", "Type"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.kind.to_owned(),
            self.count.to_string(),
            self.active.to_string(),
            human_size(self.bytes),
            self.reclaimable(),
        ]
    }

    fn identifier(&self) -> &str {
        self.kind
    }

    fn json(&self) -> Value {
        json!({
            "Active": self.active.to_string(),
            "Reclaimable": self.reclaimable(),
            "Size": human_size(self.bytes),
            "TotalCount": self.count.to_string(),
            "Type": self.kind,
        })
    }
}
