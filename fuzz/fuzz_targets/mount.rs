//! `-v`, `--mount`, `--tmpfs`, `--volumes-from` and the names of volumes.

#![no_main]

use libfuzzer_sys::fuzz_target;
use minirun_fuzz::shows_itself;
use minirun_runtime::storage::{
    StorageOption, VolumeName, VolumesFrom, parse_mount_option, parse_tmpfs_option,
    parse_volume_option,
};

fuzz_target!(|text: &str| {
    let _ = parse_volume_option(text, "/base");
    let _ = parse_mount_option(text, "/base");
    let _ = parse_tmpfs_option(text);
    shows_itself::<VolumeName>(text);
    let _ = text.parse::<VolumesFrom>();
    let _ = text.parse::<StorageOption>();
});
