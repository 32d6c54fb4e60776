//! One record of comma-separated values, as Go's `encoding/csv` and so Docker reads it.

/// The fields of the record; none if a quote stands where none may. A field that begins with `"` ends at the next single `"`; two of
/// them are one of its characters.
pub(super) fn fields(text: &str) -> Option<Vec<String>> {
    let mut fields = Vec::new();
    let mut rest = text;
    loop {
        let (field, behind) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_field(quoted)?,
            None => plain_field(rest)?,
        };
        fields.push(field);
        match behind {
            Some(behind) => rest = behind,
            None => return Some(fields),
        }
    }
}

/// A field, and what stands behind the comma that ends it.
type Split<'a> = (String, Option<&'a str>);

fn plain_field(text: &str) -> Option<Split<'_>> {
    let (field, behind) = match text.split_once(',') {
        Some((field, behind)) => (field, Some(behind)),
        None => (text, None),
    };
    (!field.contains('"')).then(|| (field.to_owned(), behind))
}

fn quoted_field(mut text: &str) -> Option<Split<'_>> {
    let mut field = String::new();
    loop {
        let (part, behind) = text.split_once('"')?;
        field.push_str(part);
        match behind.strip_prefix('"') {
            Some(more) => {
                field.push('"');
                text = more;
            }
            None if behind.is_empty() => return Some((field, None)),
            None => return Some((field, Some(behind.strip_prefix(',')?))),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_field_that_holds_a_comma_is_quoted() {
        for (text, expected) in [
            ("", &[""][..]),
            ("a=1,b", &["a=1", "b"]),
            ("a,", &["a", ""]),
            (r#""a=1,2",b"#, &["a=1,2", "b"]),
            (r#""say ""hi""",b"#, &[r#"say "hi""#, "b"]),
            (r#""""#, &[""]),
        ] {
            assert_eq!(fields(text).unwrap(), expected, "{text}");
        }
        for text in [r#"a"b"#, r#""a"#, r#""a"b"#, r#"a,"b"#] {
            assert_eq!(fields(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_quoted_comes_back(wanted in prop::collection::vec("[a,\"= ]{0,5}", 1..4)) {
            let quoted: Vec<String> = wanted
                .iter()
                .map(|field| format!("\"{}\"", field.replace('"', "\"\"")))
                .collect();
            prop_assert_eq!(fields(&quoted.join(",")), Some(wanted));
        }

        #[test]
        fn no_text_breaks_it(text in ".*") {
            let _ = fields(&text);
        }
    }
}
