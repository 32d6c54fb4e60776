//! The configuration file.

#![no_main]

use std::fs;
use std::path::PathBuf;

use libfuzzer_sys::fuzz_target;
use minirun_bridge::settings::Settings;

fuzz_target!(|text: &str| {
    let path = PathBuf::from(format!("/dev/shm/minirun-fuzz-{}", std::process::id()));
    fs::write(&path, text).expect("memory can be written");
    let read = Settings::load(&path);
    fs::remove_file(&path).expect("it is there");
    match read {
        Ok(settings) => drop(settings.publish_address()),
        Err(error) => drop((error.to_string(), error.hint())),
    }
});
