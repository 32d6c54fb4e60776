//! The words of limits, and durations.

#![no_main]

use libfuzzer_sys::fuzz_target;
use minirun_fuzz::shows_itself;
use minirun_runtime::duration::parse_duration;
use minirun_runtime::resources::cpu::NanoCpus;
use minirun_runtime::resources::cpu_set::CpuSet;
use minirun_runtime::resources::limit::MemorySwap;
use minirun_runtime::resources::pids_limit::PidsLimit;

fuzz_target!(|text: &str| {
    shows_itself::<CpuSet>(text);
    let _ = text.parse::<NanoCpus>();
    let _ = text.parse::<PidsLimit>();
    let _ = text.parse::<MemorySwap>();
    let _ = parse_duration(text);
});
