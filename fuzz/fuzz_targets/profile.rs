//! The files behind `--profile`, and the words by which they are named.

#![no_main]

use libfuzzer_sys::fuzz_target;
use minirun_runtime::profile::{ProfileWord, parse_settings};

fuzz_target!(|text: &str| {
    match parse_settings(text) {
        Ok(settings) => {
            let lines = settings.iter().map(|setting| setting.line);
            assert!(
                lines.is_sorted(),
                "the settings of {text:?} are out of order"
            );
            let most = text.matches('\n').count() + 1;
            assert!(
                settings
                    .iter()
                    .all(|setting| (1..=most).contains(&setting.line))
            );
        }
        Err(error) => assert!(!error.to_string().contains('\n'), "{error}"),
    }
    match text.parse::<ProfileWord>() {
        Ok(word) => assert_eq!(word.to_string(), text),
        Err(error) => drop(error.to_string()),
    }
});
