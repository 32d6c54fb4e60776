//! Console sessions written in a document: commands behind `$ `, and what they print.

/// One command and what is expected of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// What is typed.
    pub command: String,
    /// What is printed: `…` stands for anything within a line, and a line of nothing else for any number of lines.
    pub expected: Vec<String>,
    /// The line of the document that the command is on, counted from one.
    pub line: usize,
}

/// Every command of the fenced blocks with the info string `console`, in order.
///
/// # Errors
///
/// A sentence, if a block has no end or begins with something else than a command.
pub fn exchanges(document: &str) -> Result<Vec<Exchange>, String> {
    let mut found: Vec<Exchange> = Vec::new();
    let mut lines = (1..).zip(document.lines());
    while let Some((start, line)) = lines.next() {
        if line.trim_end() != "```console" {
            continue;
        }
        let first = found.len();
        loop {
            let Some((number, line)) = lines.next() else {
                return Err(format!("the block that begins on line {start} has no end"));
            };
            if line.trim_end() == "```" {
                break;
            }
            if let Some(command) = line.strip_prefix("$ ") {
                found.push(Exchange {
                    command: command.to_owned(),
                    expected: Vec::new(),
                    line: number,
                });
            } else {
                let exchange = found[first..]
                    .last_mut()
                    .ok_or_else(|| format!("line {number} should begin with `$ `: {line}"))?;
                exchange.expected.push(line.to_owned());
            }
        }
    }
    Ok(found)
}

/// Whether the printed lines are the expected ones.
pub fn matches(expected: &[String], printed: &[&str]) -> bool {
    match expected.split_first() {
        None => printed.is_empty(),
        Some((line, rest)) if line.trim() == "…" => {
            (0..=printed.len()).any(|skipped| matches(rest, &printed[skipped..]))
        }
        Some((line, rest)) => printed
            .split_first()
            .is_some_and(|(first, others)| line_matches(line, first) && matches(rest, others)),
    }
}

fn line_matches(expected: &str, printed: &str) -> bool {
    let mut pieces = expected.trim_end().split('…');
    let printed = printed.trim_end();
    let Some(mut rest) = pieces.next().and_then(|piece| printed.strip_prefix(piece)) else {
        return false;
    };
    let pieces: Vec<_> = pieces.collect();
    let Some((last, between)) = pieces.split_last() else {
        return rest.is_empty();
    };
    for piece in between {
        match rest.find(piece) {
            Some(place) => rest = &rest[place + piece.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_and_their_output_are_taken_from_console_blocks_only() {
        let document = "text\n```console\n$ one\na\nb\n$ two\n```\n```sh\n$ three\n```\n";
        let found = exchanges(document).unwrap();
        let commands: Vec<_> = found
            .iter()
            .map(|exchange| (exchange.command.as_str(), exchange.expected.len()))
            .collect();
        assert_eq!(commands, [("one", 2), ("two", 0)]);
        assert_eq!(found[1].line, 6);
    }

    #[test]
    fn a_block_without_an_end_or_a_command_is_an_error() {
        assert!(exchanges("```console\n$ one\n").is_err());
        assert!(exchanges("```console\nno command\n```\n").is_err());
        assert!(exchanges("```console\n$ one\n```\n```console\noutput\n```\n").is_err());
    }

    #[test]
    fn an_ellipsis_stands_for_anything_within_a_line() {
        for (expected, printed, matching) in [
            ("a…c", "abc", true),
            ("a…c", "ac", true),
            ("a…b…c", "a-b-c", true),
            ("a…b…c", "a-c", false),
            ("…", "anything", true),
            ("abc", "abcd", false),
            ("…aa", "a", false),
            ("a…a", "a", false),
        ] {
            assert_eq!(
                line_matches(expected, printed),
                matching,
                "{expected} and {printed}"
            );
        }
    }

    #[test]
    fn a_line_of_an_ellipsis_stands_for_any_number_of_lines() {
        let lines = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        for (expected, printed, matching) in [
            ("a … c", "a b b c", true),
            ("a … c", "a c", true),
            ("a …", "a", true),
            ("a … c", "a b", false),
            ("a b", "a", false),
            ("a", "a b", false),
        ] {
            let printed: Vec<_> = printed.split(' ').collect();
            assert_eq!(matches(&lines(expected), &printed), matching, "{expected}");
        }
    }
}
