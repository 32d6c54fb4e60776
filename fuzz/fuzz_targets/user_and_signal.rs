//! `-u` and `--stop-signal`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use minirun_fuzz::shows_itself;
use minirun_runtime::signal::StopSignal;
use minirun_runtime::user::UserRequest;

fuzz_target!(|text: &str| {
    shows_itself::<UserRequest>(text);
    shows_itself::<StopSignal>(text);
});
