//! The place in a document that a run of the benchmark writes anew.

/// The line before it.
pub const BEGIN: &str = "<!-- benchmark: begin -->";
/// The line after it.
pub const END: &str = "<!-- benchmark: end -->";

/// The document with `table` between the two lines; what was there goes.
///
/// # Errors
///
/// If it does not have both, in this order.
pub fn replace(document: &str, table: &str) -> Result<String, String> {
    let missing = || format!("the document has no lines `{BEGIN}` and `{END}`");
    let (before, rest) = document.split_once(BEGIN).ok_or_else(missing)?;
    let (_, after) = rest.split_once(END).ok_or_else(missing)?;
    Ok(format!(
        "{before}{BEGIN}\n{}\n{END}{after}",
        table.trim_end()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_the_lines_is_replaced_and_nothing_else() {
        let document = format!("# Title\n\n{BEGIN}\nold\n{END}\n\nmore\n");
        let replaced = replace(&document, "new\n").expect("both lines are there");
        assert_eq!(
            replaced,
            format!("# Title\n\n{BEGIN}\nnew\n{END}\n\nmore\n")
        );
        assert_eq!(replace(&replaced, "new\n"), Ok(replaced.clone()));
    }

    #[test]
    fn a_document_without_the_lines_is_left_alone() {
        assert!(replace("# Title\n", "new").is_err());
        assert!(replace(END, "new").is_err());
    }
}
