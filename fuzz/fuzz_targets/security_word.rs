//! `--cap-add`, `--cap-drop` and the name of an AppArmor profile.

#![no_main]

use libfuzzer_sys::fuzz_target;
use minirun_fuzz::shows_itself;
use minirun_runtime::security::app_armor::ProfileName;
use minirun_runtime::security::capability_word::CapabilityWord;

fuzz_target!(|text: &str| {
    shows_itself::<CapabilityWord>(text);
    shows_itself::<ProfileName>(text);
});
