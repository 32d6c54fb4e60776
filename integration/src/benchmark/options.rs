//! The command line of the benchmark.

use std::path::PathBuf;

use crate::benchmark::row::{ROWS, Row};

/// What `--help` prints.
pub const HELP: &str = "\
Measures minirun beside the bare kernel and its peers, on hosts made of namespaces.

Usage: benchmark [OPTIONS]

Options:
      --quick          Few runs, small crowds and no peers: shows that everything works, not how fast it is
      --runs N         Samples of each thing that is timed [default: 30; with --quick: 5]
      --crowd N        Containers, or links and ports, that `1,000` in the table stands for [default: 1000; with --quick: 20]
      --only ROW...    Measure these rows alone; their names stand in the table's first column
      --json FILE      Write every sample there
      --plots DIR      Write the plots there, as SVG
      --document FILE  Put the table, and the profile of a start, between the comments in FILE that name them
      --help           Print this
";

/// What is to be measured, and what is to become of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Samples of each thing that is timed.
    pub runs: usize,
    /// How many containers, or links and ports, stand for a thousand.
    pub crowd: usize,
    /// Whether programs of others are measured even if nobody names their rows.
    pub peers: bool,
    /// The names of rows; every row if there are none.
    pub only: Vec<String>,
    /// Where every sample goes.
    pub json: Option<PathBuf>,
    /// Where the plots go.
    pub plots: Option<PathBuf>,
    /// The document whose table is replaced.
    pub document: Option<PathBuf>,
}

/// What a command line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// To measure.
    Measure(Options),
    /// To be told the options.
    Help,
}

impl Options {
    fn new(quick: bool) -> Self {
        let (runs, crowd) = if quick { (5, 20) } else { (30, 1000) };
        Self {
            runs,
            crowd,
            peers: !quick,
            only: Vec::new(),
            json: None,
            plots: None,
            document: None,
        }
    }

    /// Whether this row is to be measured.
    pub fn want(&self, row: Row) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == row.name)
    }

    /// Whether any of these is.
    pub fn want_any(&self, rows: &[Row]) -> bool {
        rows.iter().any(|row| self.want(*row))
    }
}

/// Reads the words after the program's name.
///
/// # Errors
///
/// What is wrong with them.
pub fn parse(words: &[String]) -> Result<Request, String> {
    if words.iter().any(|word| word == "--help") {
        return Ok(Request::Help);
    }
    let mut options = Options::new(words.iter().any(|word| word == "--quick"));
    let mut rest = words.iter().peekable();
    while let Some(word) = rest.next() {
        match word.as_str() {
            "--quick" => {}
            "--runs" => options.runs = count(word, rest.next())?,
            "--crowd" => options.crowd = count(word, rest.next())?,
            "--json" => options.json = Some(path(word, rest.next())?),
            "--plots" => options.plots = Some(path(word, rest.next())?),
            "--document" => options.document = Some(path(word, rest.next())?),
            "--only" => {
                while let Some(name) = rest.next_if(|next| !next.starts_with("--")) {
                    options.only.push(row(name)?);
                }
                if options.only.is_empty() {
                    return Err("`--only` needs the name of a row".to_owned());
                }
            }
            _ => return Err(format!("unknown option `{word}`; `--help` lists them")),
        }
    }
    Ok(Request::Measure(options))
}

fn count(option: &str, value: Option<&String>) -> Result<usize, String> {
    match value.and_then(|text| text.parse().ok()) {
        Some(count @ 1..) => Ok(count),
        _ => Err(format!("`{option}` needs a number of at least 1")),
    }
}

fn path(option: &str, value: Option<&String>) -> Result<PathBuf, String> {
    match value {
        Some(value) => Ok(PathBuf::from(value)),
        None => Err(format!("`{option}` needs a path")),
    }
}

fn row(name: &str) -> Result<String, String> {
    if ROWS.iter().any(|row| row.name == name) {
        return Ok(name.to_owned());
    }
    let names: Vec<_> = ROWS.iter().map(|row| row.name).collect();
    Err(format!(
        "there is no row `{name}`; there are {}",
        names.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::benchmark::row::{EXEC, PS, RUN};

    fn parsed(line: &str) -> Result<Request, String> {
        let words: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
        parse(&words)
    }

    fn options(line: &str) -> Options {
        match parsed(line) {
            Ok(Request::Measure(options)) => options,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn without_words_everything_is_measured_thirty_times() {
        let all = options("");
        assert_eq!((all.runs, all.crowd, all.peers), (30, 1000, true));
        assert!(all.want(RUN) && all.want(PS));
    }

    #[test]
    fn a_quick_run_is_smaller_wherever_the_word_stands() {
        let quick = options("--runs 3 --quick");
        assert_eq!((quick.runs, quick.crowd, quick.peers), (3, 20, false));
    }

    #[test]
    fn only_takes_the_names_up_to_the_next_option() {
        let some = options("--only run ps --json /run/out.json");
        assert_eq!(some.only, ["run", "ps"]);
        assert_eq!(some.json, Some(PathBuf::from("/run/out.json")));
        assert!(some.want(RUN) && !some.want(EXEC));
        assert!(some.want_any(&[EXEC, PS]));
    }

    #[test]
    fn what_means_nothing_is_refused() {
        for (line, complaint) in [
            ("--runs", "`--runs` needs a number of at least 1"),
            ("--runs 0", "`--runs` needs a number of at least 1"),
            ("--only", "`--only` needs the name of a row"),
            ("--plots", "`--plots` needs a path"),
            ("--fast", "unknown option `--fast`; `--help` lists them"),
        ] {
            assert_eq!(parsed(line), Err(complaint.to_owned()));
        }
        assert!(parsed("--only nothing").is_err_and(|text| text.starts_with("there is no row")));
    }
}
