//! Says to the linker where the program begins: see `src/entry.rs`, which is there under the same conditions.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let setting = |name: &str| env::var(name).unwrap_or_default();
    let is_static = setting("CARGO_CFG_TARGET_FEATURE")
        .split(',')
        .any(|feature| feature == "crt-static");
    if setting("CARGO_CFG_TARGET_ARCH") == "x86_64" && is_static {
        println!("cargo::rustc-link-arg-bin=minirun=-Wl,--entry=minirun_entry");
    }
}
