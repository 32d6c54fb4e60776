//! `--expose`: ports and ranges of them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use minirun_bridge::port::{ExposedPort, parse_expose};
use minirun_fuzz::shows_itself;

fuzz_target!(|text: &str| {
    let _ = parse_expose(text);
    shows_itself::<ExposedPort>(text);
});
