//! Names of images, and the changes of `import -c`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use minirun_fuzz::shows_itself;
use minirun_runtime::image::{Change, ImageId, ImageReference};

fuzz_target!(|text: &str| {
    shows_itself::<ImageReference>(text);
    shows_itself::<ImageId>(text);
    let _ = text.parse::<Change>();
});
