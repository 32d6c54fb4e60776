//! Sizes, `--log-opt`, and what stands after `--since` and `--until`.

#![no_main]

use jiff::Timestamp;
use jiff::tz::TimeZone;
use libfuzzer_sys::fuzz_target;
use minirun_fuzz::shows_itself;
use minirun_runtime::byte_size::ByteSize;
use minirun_runtime::log_options::{LogOption, LogOptions};
use minirun_runtime::moment::parse_moment;

fuzz_target!(|text: &str| {
    shows_itself::<ByteSize>(text);
    let _ = parse_moment(text, (Timestamp::UNIX_EPOCH, &TimeZone::UTC));
    let options: Result<Vec<LogOption>, _> = text.split_whitespace().map(str::parse).collect();
    if let Ok(options) = options {
        let _ = LogOptions::from_words(None, &options);
    }
});
