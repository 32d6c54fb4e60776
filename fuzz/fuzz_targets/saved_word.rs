//! Words as records and commands have them: ids, publications, options of logs and of stopping.

#![no_main]

use libfuzzer_sys::fuzz_target;
use minirun_bridge::id::ContainerId;
use minirun_bridge::publication::Publication;
use minirun_fuzz::shows_itself;
use minirun_runtime::config::LinkEnvironment;
use minirun_runtime::image::ImageId;
use minirun_runtime::log_options::LogOption;
use minirun_runtime::stop_timeout::StopTimeout;

fuzz_target!(|text: &str| {
    shows_itself::<ContainerId>(text);
    shows_itself::<ImageId>(text);
    shows_itself::<StopTimeout>(text);
    let _ = text.parse::<Publication>();
    let _ = text.parse::<LogOption>();
    let _ = text.parse::<LinkEnvironment>();
});
