//! Options that are on or off by a word, `--icc false`.

/// `true` or `false`, in every spelling that Docker takes.
///
/// # Errors
/// For any other word.
pub fn parse_switch(word: &str) -> Result<bool, String> {
    match word {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(format!("`{word}` is neither `true` nor `false`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_is_on_or_off() {
        assert_eq!(parse_switch("true"), Ok(true));
        assert_eq!(parse_switch("0"), Ok(false));
        assert!(parse_switch("yes").unwrap_err().contains("`yes`"));
        assert!(parse_switch("").is_err());
    }
}
