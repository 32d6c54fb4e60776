//! `--device` and `--device-cgroup-rule`: devices.

#![no_main]

use libfuzzer_sys::fuzz_target;
use minirun_fuzz::shows_itself;
use minirun_runtime::devices::access::DeviceAccess;
use minirun_runtime::devices::mapping::DeviceMapping;
use minirun_runtime::devices::rule::DeviceRule;

fuzz_target!(|text: &str| {
    shows_itself::<DeviceMapping>(text);
    shows_itself::<DeviceRule>(text);
    shows_itself::<DeviceAccess>(text);
});
