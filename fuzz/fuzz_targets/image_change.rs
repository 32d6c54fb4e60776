//! Changes of images, as `import -c` and `commit -c` have them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use minirun_runtime::image::{Change, ImageConfig, apply};

fuzz_target!(|texts: Vec<&str>| {
    let mut changes: Vec<Change> = Vec::new();
    for text in texts {
        match text.parse() {
            Ok(change) => changes.push(change),
            Err(error) => drop(error),
        }
    }
    let mut config = ImageConfig::default();
    apply(&mut config, &changes);
});
