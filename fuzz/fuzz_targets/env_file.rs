//! `-e` and `--env-file`: variables.

#![no_main]

use libfuzzer_sys::fuzz_target;
use minirun_bridge::environment::{EnvironmentEntry, EnvironmentVariable, parse_env_file};
use minirun_fuzz::shows_itself;

fuzz_target!(|text: &str| {
    let _ = parse_env_file(text);
    let _ = text.parse::<EnvironmentEntry>();
    shows_itself::<EnvironmentVariable>(text);
});
