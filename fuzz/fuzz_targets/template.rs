//! Templates of `--format`, and values that come from containers: rendering ends, and nothing controls a terminal.

#![no_main]

use libfuzzer_sys::fuzz_target;
use minirun_fuzz::output::sanitize::sanitize;
use minirun_fuzz::output::template::Template;
use serde_json::json;

fuzz_target!(|input: (&str, &str)| {
    let (text, value) = input;
    let value =
        json!({"Names": value, "Ports": [1, value, null], "State": {"Running": true, "Pid": 7}});
    match text.parse::<Template>() {
        Ok(template) => {
            let _ = template.check(&["Names", "Ports", "State"]);
            if let Err(error) = template.render(&value) {
                let _ = error.to_string();
            }
        }
        Err(error) => drop(error.to_string()),
    }
    let clean = sanitize(text);
    assert_eq!(sanitize(&clean), clean, "what is clean stays as it is");
});
