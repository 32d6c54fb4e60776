//! Says to the linker where the program begins: see `src/entry.rs`, which is there under the same conditions.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let setting = |name: &str| env::var(name).unwrap_or_default();
    let is_static = setting("CARGO_CFG_TARGET_FEATURE")
        .split(',')
        .any(|feature| feature == "crt-static");
    // Before `_start` nothing is relocated yet, so there must be nothing to relocate.
    let is_fixed = setting("CARGO_ENCODED_RUSTFLAGS").contains("relocation-model=static");
    if setting("CARGO_CFG_TARGET_ARCH") == "x86_64" && is_static && is_fixed {
        println!("cargo::rustc-link-arg-bin=minirun=-Wl,--entry=minirun_entry");
    }
}
