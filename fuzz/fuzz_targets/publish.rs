//! `-p`: what is published on which host port.

#![no_main]

use libfuzzer_sys::fuzz_target;
use minirun_bridge::publish::{PublishRequest, parse_publish};
use minirun_fuzz::shows_itself;

fuzz_target!(|text: &str| {
    let _ = parse_publish(text);
    shows_itself::<PublishRequest>(text);
});
