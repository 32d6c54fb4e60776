//! The options of ps(1) that `top` understands: those that choose columns. Which processes are listed is decided already, so
//! options that choose all of them change nothing.

use super::column::Column;

/// The formats that have a letter, and the two without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Full,
    User,
    Short,
    ShortWithState,
}

impl Format {
    fn columns(self) -> Vec<Column> {
        let names: &[(&str, &'static str)] = match self {
            Format::Full => &[
                ("user", "UID"),
                ("pid", "PID"),
                ("ppid", "PPID"),
                ("c", "C"),
                ("stime", "STIME"),
                ("tty", "TTY"),
                ("time", "TIME"),
                ("cmd", "CMD"),
            ],
            Format::User => &[
                ("user", "USER"),
                ("pid", "PID"),
                ("pcpu", "%CPU"),
                ("pmem", "%MEM"),
                ("vsz", "VSZ"),
                ("rss", "RSS"),
                ("tty", "TTY"),
                ("stat", "STAT"),
                ("start_time", "START"),
                ("bsdtime", "TIME"),
                ("args", "COMMAND"),
            ],
            Format::Short => &[
                ("pid", "PID"),
                ("tty", "TTY"),
                ("time", "TIME"),
                ("ucmd", "CMD"),
            ],
            Format::ShortWithState => &[
                ("pid", "PID"),
                ("tty", "TTY"),
                ("stat", "STAT"),
                ("bsdtime", "TIME"),
                ("args", "COMMAND"),
            ],
        };
        let column = |(name, heading): &(&str, &'static str)| {
            Column::named(name).map(|column| column.headed(heading))
        };
        names.iter().filter_map(column).collect()
    }
}

/// The columns that the options of ps(1) ask for.
///
/// # Errors
/// What is not understood, in words.
pub fn columns(words: &[String]) -> Result<Vec<Column>, String> {
    let mut chosen = Vec::new();
    let mut format = None;
    let mut words = words.iter().map(String::as_str);
    while let Some(word) = words.next() {
        if let Some(list) = word.strip_prefix("--format=") {
            chosen.extend(listed(list)?);
            continue;
        }
        if word == "--format" {
            chosen.extend(listed(words.next().ok_or_else(|| incomplete(word))?)?);
            continue;
        }
        let (letters, list) = match word.split_once('o') {
            Some((letters, "")) => (letters, Some(words.next().ok_or_else(|| incomplete(word))?)),
            Some((letters, list)) => (letters, Some(list)),
            None => (word, None),
        };
        format = match (format, letters_format(word, letters)?) {
            // A format with a name of its own stays what it is when others ask for all processes.
            (Some(Format::Full | Format::User), Format::Short | Format::ShortWithState) => format,
            (_, later) => Some(later),
        };
        if let Some(list) = list {
            chosen.extend(listed(list)?);
        }
    }
    match chosen.is_empty() {
        true => Ok(format.unwrap_or(Format::Full).columns()),
        false => Ok(chosen),
    }
}

/// What the letters of a word ask for. With a dash before them some mean something else.
fn letters_format(word: &str, letters: &str) -> Result<Format, String> {
    let (letters, has_dash) = match letters.strip_prefix('-') {
        Some(letters) => (letters, true),
        None => (letters, false),
    };
    let mut format = match has_dash {
        true => Format::Short,
        false => Format::ShortWithState,
    };
    for letter in letters.chars() {
        match (letter, has_dash) {
            ('e' | 'A', true) | ('a' | 'x' | 'w', _) => {}
            ('f', true) => format = Format::Full,
            ('u', false) => format = Format::User,
            _ => return Err(refused(word)),
        }
    }
    Ok(format)
}

fn listed(list: &str) -> Result<Vec<Column>, String> {
    let column = |name: &str| {
        Column::named(&name.to_ascii_lowercase()).ok_or_else(|| {
            format!(
                "there is no column `{name}`: use such as `pid`, `ppid`, `user`, `stat`, `pcpu`, `pmem`, `rss`, `vsz`, \
                 `nlwp`, `tty`, `stime`, `etime`, `time`, `comm`, `args`"
            )
        })
    };
    list.split([',', ' '])
        .filter(|name| !name.is_empty())
        .map(column)
        .collect()
}

fn incomplete(word: &str) -> String {
    format!("`{word}` needs a list of columns, such as `pid,user,args`")
}

fn refused(word: &str) -> String {
    format!(
        "`{word}` is not supported: use `-ef`, `aux`, or `-o` and a list of columns, such as `pid,user,args`"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn headings(words: &[&str]) -> Result<Vec<&'static str>, String> {
        let words: Vec<String> = words.iter().map(ToString::to_string).collect();
        Ok(columns(&words)?.into_iter().map(Column::heading).collect())
    }

    #[test]
    fn letters_choose_a_format() {
        let full = headings(&[]).unwrap();
        assert_eq!(full.first(), Some(&"UID"));
        assert_eq!(headings(&["-ef"]).unwrap(), full);
        assert_eq!(headings(&["-e", "-f"]).unwrap(), full);
        assert_eq!(headings(&["aux"]).unwrap().first(), Some(&"USER"));
        assert_eq!(headings(&["ax"]).unwrap().len(), 5);
        assert_eq!(headings(&["-A"]).unwrap().len(), 4);
    }

    #[test]
    fn columns_are_chosen_by_name_in_every_way_that_ps_has() {
        for words in [
            &["-o", "pid,args"][..],
            &["-opid,args"],
            &["-eo", "pid,args"],
            &["axo", "PID args"],
            &["-o", "pid", "-o", "args"],
            &["--format", "pid,args"],
            &["--format=pid,args"],
        ] {
            assert_eq!(headings(words).unwrap(), ["PID", "COMMAND"], "{words:?}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused_in_words() {
        for (words, part) in [
            (&["-u", "root"][..], "`-u` is not supported"),
            (&["-l"], "`-l` is not supported"),
            (&["--forest"], "`--forest` is not supported"),
            (&["1"], "`1` is not supported"),
            (&["-o"], "`-o` needs a list"),
            (&["-o", "pid,wchan"], "no column `wchan`"),
        ] {
            let problem = headings(words).unwrap_err();
            assert!(problem.contains(part), "{words:?}: {problem}");
        }
    }

    proptest! {
        #[test]
        fn no_words_make_the_parser_panic(words in proptest::collection::vec("[-aefoux,pid=\\PC]{0,8}", 0..4)) {
            let _ = columns(&words);
        }
    }
}
