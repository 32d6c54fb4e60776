//! `--timeout`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use minirun_fuzz::shows_itself;
use minirun_runtime::time_limit::TimeLimit;

fuzz_target!(|text: &str| {
    shows_itself::<TimeLimit>(text);
});
