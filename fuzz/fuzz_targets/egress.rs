//! `--egress` and `--egress-deny`: what a container may reach.

#![no_main]

use libfuzzer_sys::fuzz_target;
use minirun_bridge::egress::{Allowed, Denied};
use minirun_fuzz::shows_itself;

fuzz_target!(|text: &str| {
    shows_itself::<Allowed>(text);
    shows_itself::<Denied>(text);
});
