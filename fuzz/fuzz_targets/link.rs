//! `--link`: targets and aliases.

#![no_main]

use libfuzzer_sys::fuzz_target;
use minirun_bridge::link::{Link, LinkRequest};
use minirun_fuzz::shows_itself;

fuzz_target!(|text: &str| {
    shows_itself::<LinkRequest>(text);
    shows_itself::<Link>(text);
});
