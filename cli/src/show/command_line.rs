//! The command line of a container: the words of its entry point, then those of its command.

use minirun_runtime::config::ProcessConfig;

use super::list::Truncation;

/// How many characters of a command a listing shows, the ellipsis included.
const SHOWN_CHARACTERS: usize = 20;

/// The program and its arguments; the program is empty if the container has no words at all.
pub(super) fn program_and_arguments(process: &ProcessConfig) -> (&str, Vec<&str>) {
    let mut words = process
        .entrypoint
        .iter()
        .chain(&process.command)
        .map(String::as_str);
    (words.next().unwrap_or_default(), words.collect())
}

/// The COMMAND cell of `ps`, in double quotes. As with Docker, arguments that hold a blank stand in single quotes.
pub(super) fn quoted<'a>(
    mut words: impl Iterator<Item = &'a str>,
    truncation: Truncation,
) -> String {
    let mut line = words.next().unwrap_or_default().to_owned();
    for argument in words {
        line.push(' ');
        match argument.contains(' ') {
            true => line.extend(["'", argument, "'"]),
            false => line.push_str(argument),
        }
    }
    match truncation {
        Truncation::Short => format!("{:?}", shortened(line)),
        Truncation::Full => format!("{line:?}"),
    }
}

fn shortened(line: String) -> String {
    if line.chars().count() <= SHOWN_CHARACTERS {
        return line;
    }
    line.chars()
        .take(SHOWN_CHARACTERS - 1)
        .chain(['…'])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn short(words: &[&str]) -> String {
        quoted(words.iter().copied(), Truncation::Short)
    }

    #[test]
    fn a_command_stands_in_double_quotes() {
        assert_eq!(short(&["httpd", "-p", "80"]), "\"httpd -p 80\"");
        assert_eq!(short(&[]), "\"\"");
        assert_eq!(short(&["sh", "-c", "a b"]), "\"sh -c 'a b'\"");
    }

    #[test]
    fn a_long_command_is_cut_at_twenty_characters() {
        assert_eq!(
            short(&["abcdefghij", "klmnopqrs"]),
            "\"abcdefghij klmnopqrs\""
        );
        assert_eq!(
            short(&["abcdefghij", "klmnopqrst"]),
            "\"abcdefghij klmnopqr…\""
        );
        assert_eq!(
            quoted(["abcdefghij", "klmnopqrst"].into_iter(), Truncation::Full),
            "\"abcdefghij klmnopqrst\""
        );
    }

    #[test]
    fn quotes_and_control_characters_are_escaped() {
        assert_eq!(short(&["echo", "\"x\"\n"]), "\"echo \\\"x\\\"\\n\"");
        assert_eq!(short(&["\x1b[2J"]), "\"\\u{1b}[2J\"");
    }
}
