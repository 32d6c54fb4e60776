//! The places in a document that a run of the benchmark writes anew.

/// The document with `table` between the lines `<!-- NAME: begin -->` and `<!-- NAME: end -->`; what was there goes.
///
/// # Errors
///
/// If it does not have both, in this order.
pub fn replace(document: &str, name: &str, table: &str) -> Result<String, String> {
    let (begin, end) = (
        format!("<!-- {name}: begin -->"),
        format!("<!-- {name}: end -->"),
    );
    let missing = || format!("the document has no lines `{begin}` and `{end}`");
    let (before, rest) = document.split_once(&begin).ok_or_else(missing)?;
    let (_, after) = rest.split_once(&end).ok_or_else(missing)?;
    Ok(format!(
        "{before}{begin}\n{}\n{end}{after}",
        table.trim_end()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_the_lines_is_replaced_and_nothing_else() {
        let document = "# Title\n\n<!-- a: begin -->\nold\n<!-- a: end -->\n\nmore\n";
        let replaced = replace(document, "a", "new\n").expect("both lines are there");
        assert_eq!(
            replaced,
            "# Title\n\n<!-- a: begin -->\nnew\n<!-- a: end -->\n\nmore\n"
        );
        assert_eq!(replace(&replaced, "a", "new\n"), Ok(replaced.clone()));
    }

    #[test]
    fn a_document_without_the_lines_is_left_alone() {
        assert!(replace("# Title\n", "a", "new").is_err());
        assert!(replace("<!-- a: end -->", "a", "new").is_err());
        assert!(replace("<!-- b: begin --><!-- b: end -->", "a", "new").is_err());
    }
}
