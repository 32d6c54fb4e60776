//! `--restart`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use minirun_fuzz::shows_itself;
use minirun_runtime::restart_policy::RestartPolicy;

fuzz_target!(|text: &str| {
    shows_itself::<RestartPolicy>(text);
});
