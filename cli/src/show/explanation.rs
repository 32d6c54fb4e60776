//! One explained step, as `--explain` shows it.

use crate::output::sanitize::sanitize;

/// As many blanks as the time in front of the sentence takes, so that commands stand right below it.
const INDENT: &str = "            ";

/// One step: when it was done, what was done, and what a person would have typed. `command` may have several lines, or
/// none.
///
/// ```text
/// [  0.35 ms] create the bridge `minirun0`
///             $ ip link add minirun0 type bridge
///               ip link set minirun0 up
/// ```
pub fn step(elapsed_microseconds: u64, sentence: &str, command: &str) -> String {
    let hundredths = elapsed_microseconds.saturating_add(5) / 10;
    let mut text = format!(
        "[{:>3}.{:02} ms] {}\n",
        hundredths / 100,
        hundredths % 100,
        sanitize(sentence)
    );
    for (index, line) in command.lines().enumerate() {
        let prompt = if index == 0 { "$ " } else { "  " };
        text.extend([INDENT, prompt, &sanitize_between_tabs(line), "\n"]);
    }
    text
}

/// A tab is part of a file's text that a command writes; it does a terminal no harm.
fn sanitize_between_tabs(line: &str) -> String {
    let parts: Vec<_> = line.split('\t').map(sanitize).collect();
    parts.join("\t")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_a_sentence_and_a_command_below_it() {
        assert_eq!(
            step(
                347,
                "create the bridge `minirun0`",
                "ip link add minirun0 type bridge\nip link set minirun0 up\n"
            ),
            "\
[  0.35 ms] create the bridge `minirun0`
            $ ip link add minirun0 type bridge
              ip link set minirun0 up
"
        );
    }

    #[test]
    fn a_step_without_a_command_is_one_line() {
        assert_eq!(step(12_300, "wait for it", ""), "[ 12.30 ms] wait for it\n");
        assert_eq!(step(0, "begin", ""), "[  0.00 ms] begin\n");
        assert_eq!(step(1_234_567, "end", ""), "[1234.57 ms] end\n");
    }

    #[test]
    fn a_step_cannot_act_on_the_terminal() {
        assert_eq!(
            step(0, "say \x1b[2J\n", "echo \x07"),
            "[  0.00 ms] say \\x1b[2J\\n\n            $ echo \\x07\n"
        );
    }
}
