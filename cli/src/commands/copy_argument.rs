//! One end of a copy: `CONTAINER:PATH`, a path on the host, or `-`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Where something is copied from or to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopyArgument {
    /// In a container.
    Container {
        /// The container as typed.
        name: String,
        /// The path in it.
        path: PathBuf,
    },
    /// On the host.
    Host(PathBuf),
    /// An archive, on standard input or output.
    Stream,
}

impl FromStr for CopyArgument {
    type Err = String;

    /// A path with a colon is one of the host if it is absolute or begins with a dot.
    fn from_str(text: &str) -> Result<CopyArgument, String> {
        match text.split_once(':') {
            _ if text.is_empty() => Err("an empty path names nothing".into()),
            _ if text == "-" => Ok(CopyArgument::Stream),
            Some((name, path)) if !text.starts_with(['/', '.']) => match (name, path) {
                ("", _) => Err(format!(
                    "`{text}` names no container in front of the colon; write `./{text}` for a file of that name"
                )),
                (_, "") => Err(format!(
                    "`{text}` names no path behind the colon; write `{text}/` for all of the container"
                )),
                _ => Ok(CopyArgument::Container {
                    name: name.to_owned(),
                    path: path.into(),
                }),
            },
            _ => Ok(CopyArgument::Host(text.into())),
        }
    }
}

impl fmt::Display for CopyArgument {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CopyArgument::Container { name, path } => {
                write!(formatter, "{name}:{}", path.display())
            }
            CopyArgument::Host(path) => write!(formatter, "{}", path.display()),
            CopyArgument::Stream => formatter.write_str("-"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(name: &str, path: &str) -> Result<CopyArgument, String> {
        Ok(CopyArgument::Container {
            name: name.into(),
            path: path.into(),
        })
    }

    fn host(path: &str) -> Result<CopyArgument, String> {
        Ok(CopyArgument::Host(path.into()))
    }

    #[test]
    fn a_colon_separates_a_container_from_its_path() {
        assert_eq!("web1:/etc".parse(), container("web1", "/etc"));
        assert_eq!("web1:a:b".parse(), container("web1", "a:b"));
    }

    #[test]
    fn a_path_that_is_absolute_or_begins_with_a_dot_is_one_of_the_host() {
        for path in ["/a:b", "./a:b", "../a:b", ".a:b", "a", "a/b"] {
            assert_eq!(path.parse(), host(path), "{path}");
        }
        assert_eq!("-".parse(), Ok(CopyArgument::Stream));
        assert_eq!("./-".parse(), host("./-"));
    }

    #[test]
    fn what_names_nothing_is_refused() {
        for text in ["", ":", ":/etc", "web1:"] {
            assert!(text.parse::<CopyArgument>().is_err(), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_read_is_shown_as_it_was_typed(text in "[a-c:/.-]{1,12}") {
            if let Ok(argument) = text.parse::<CopyArgument>() {
                proptest::prop_assert_eq!(argument.to_string(), text);
            }
        }
    }
}
