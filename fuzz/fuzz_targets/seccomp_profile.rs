//! Profiles of system calls: whatever is understood is compiled to what can be saved and read.

#![no_main]

use libfuzzer_sys::fuzz_target;
use minirun_runtime::seccomp::circumstances::Circumstances;
use minirun_runtime::seccomp::filter::Filter;
use minirun_runtime::seccomp::kernel_version::KernelVersion;
use minirun_runtime::seccomp::profile::Profile;

fuzz_target!(|text: &str| {
    let _ = Filter::from_text(text);
    let profile = match text.parse::<Profile>() {
        Ok(profile) => profile,
        Err(error) => return drop(error.to_string()),
    };
    let _ = profile.unknown_names();
    for capabilities in [0, u64::MAX] {
        let policy = profile.policy(&Circumstances {
            capabilities,
            kernel: KernelVersion::running(),
        });
        if let Ok(filter) = Filter::compile(&policy) {
            assert_eq!(Filter::from_text(&filter.text()), Some(filter));
        }
    }
});
