//! What was removed because nobody used it.

use minirun_bridge::id::ContainerId;
use minirun_bridge::name::NetworkName;
use minirun_runtime::image::Removed;
use minirun_runtime::storage::VolumeName;

use crate::output::size::human_size;

/// The containers that are gone; nothing if there are none.
pub fn containers(removed: &[ContainerId]) -> String {
    list("Deleted Containers:", removed)
}

/// The networks that are gone.
pub fn networks(removed: &[NetworkName]) -> String {
    list("Deleted Networks:", removed)
}

/// The images that are gone, each behind its names.
pub fn images(removed: &[Removed]) -> String {
    let lines: Vec<String> = removed
        .iter()
        .flat_map(|removed| {
            let names = removed.untagged.iter();
            let untagged = names.map(|name| format!("untagged: {name}"));
            untagged.chain(removed.deleted.iter().map(|id| format!("deleted: {id}")))
        })
        .collect();
    list("Deleted Images:", &lines)
}

/// The volumes that are gone.
pub fn volumes(removed: &[VolumeName]) -> String {
    list("Deleted Volumes:", removed)
}

/// What is gone, and how much room there is again.
pub fn with_total(list: &str, bytes: u64) -> String {
    let gap = if list.is_empty() { "" } else { "\n" };
    format!("{list}{gap}{}", total(bytes))
}

/// How much room there is again.
pub fn total(bytes: u64) -> String {
    format!("Total reclaimed space: {}\n", human_size(bytes))
}

fn list(heading: &str, items: &[impl ToString]) -> String {
    if items.is_empty() {
        return String::new();
    }
    let lines: String = items.iter().map(|item| item.to_string() + "\n").collect();
    format!("{heading}\n{lines}")
}
