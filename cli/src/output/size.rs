//! Sizes in Docker's words: decimal units and three digits, or for memory binary units and four.

const BINARY_UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

const UNITS: [&str; 7] = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];

/// A number of bytes with three significant digits and no zeros behind them: `8.1MB`, `133kB`, `0B`.
pub fn human_size(bytes: u64) -> String {
    let mut value = bytes as f64;
    let mut unit = 0;
    // What would be rounded to 1000 is 1 of the next unit.
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    let decimals = match value {
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    let digits = format!("{value:.decimals$}");
    let digits = match decimals {
        0 => digits.as_str(),
        _ => digits.trim_end_matches('0').trim_end_matches('.'),
    };
    format!("{digits}{}", UNITS[unit])
}

/// A number of bytes in units of 1024 with four significant digits: `5.25MiB`, `1.944GiB`, `0B`.
pub fn binary_size(bytes: u64) -> String {
    let mut value = bytes as f64;
    let mut unit = 0;
    // What would be rounded to 1024 is 1 of the next unit.
    while value >= 1023.5 && unit + 1 < BINARY_UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let decimals = match value {
        ..9.9995 => 3,
        ..99.995 => 2,
        ..999.95 => 1,
        _ => 0,
    };
    let digits = format!("{value:.decimals$}");
    let digits = match decimals {
        0 => digits.as_str(),
        _ => digits.trim_end_matches('0').trim_end_matches('.'),
    };
    format!("{digits}{}", BINARY_UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_of_memory_has_four_digits_and_a_binary_unit() {
        for (bytes, words) in [
            (0, "0B"),
            (1023, "1023B"),
            (1024, "1KiB"),
            (1536, "1.5KiB"),
            (5_505_024, "5.25MiB"),
            (2_087_354_106, "1.944GiB"),
            (512 << 20, "512MiB"),
            ((1 << 20) - 1, "1MiB"),
            (u64::MAX, "16EiB"),
        ] {
            assert_eq!(binary_size(bytes), words, "{bytes}");
        }
    }

    #[test]
    fn a_size_has_three_digits_and_a_unit() {
        for (bytes, words) in [
            (0, "0B"),
            (1, "1B"),
            (10, "10B"),
            (100, "100B"),
            (999, "999B"),
            (1_000, "1kB"),
            (1_234, "1.23kB"),
            (8_100_000, "8.1MB"),
            (8_999_000, "9MB"),
            (9_996_000, "10MB"),
            (12_340_000, "12.3MB"),
            (133_000_000, "133MB"),
            (999_499, "999kB"),
            (999_500, "1MB"),
            (1_500_000_000, "1.5GB"),
            (u64::MAX, "18.4EB"),
        ] {
            assert_eq!(human_size(bytes), words, "{bytes}");
        }
    }
}
