//! What a user asks for, and what the image says, together.

use super::check::HealthCheck;
use super::test::HealthTest;
use super::time::HealthTime;

/// What a user asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HealthWanted {
    /// What the image says, with what these options say laid over it.
    Checked(HealthOptions),
    /// No check, whatever the image says (`--no-healthcheck`).
    Unchecked,
}

/// The options about a check; what is left out is the image's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HealthOptions {
    /// `--health-cmd`: a line for the shell.
    pub command: Option<String>,
    /// `--health-interval`.
    pub interval: HealthTime,
    /// `--health-timeout`.
    pub timeout: HealthTime,
    /// `--health-start-period`.
    pub start_period: HealthTime,
    /// `--health-start-interval`.
    pub start_interval: HealthTime,
    /// `--health-retries`; zero says nothing.
    pub retries: u32,
}

impl Default for HealthWanted {
    fn default() -> HealthWanted {
        HealthWanted::Checked(HealthOptions::default())
    }
}

impl HealthWanted {
    /// The check that results, if any.
    pub(crate) fn over(&self, image: Option<&HealthCheck>) -> Option<HealthCheck> {
        let HealthWanted::Checked(options) = self else {
            return None;
        };
        let test = match &options.command {
            Some(line) => HealthTest::Shell(line.clone()),
            None => image?.test.clone(),
        };
        let unsaid = HealthCheck::of(test.clone());
        let image = image.unwrap_or(&unsaid);
        Some(HealthCheck {
            test,
            interval: options.interval.or(image.interval),
            timeout: options.timeout.or(image.timeout),
            start_period: options.start_period.or(image.start_period),
            start_interval: options.start_interval.or(image.start_interval),
            retries: match options.retries {
                0 => image.retries,
                retries => retries,
            },
        })
    }

    /// Whether something is said about a check that nobody makes.
    pub(crate) fn is_idle(&self, image: Option<&HealthCheck>) -> bool {
        match self {
            HealthWanted::Checked(options) => {
                *options != HealthOptions::default() && self.over(image).is_none()
            }
            HealthWanted::Unchecked => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> HealthTime {
        text.parse().expect("a time span")
    }

    fn image() -> HealthCheck {
        HealthCheck {
            interval: time("7s"),
            retries: 5,
            ..HealthCheck::of(HealthTest::Program(vec!["ask".into()]))
        }
    }

    #[test]
    fn what_the_user_says_lies_over_what_the_image_says() {
        let nothing = HealthWanted::default();
        assert_eq!(nothing.over(Some(&image())), Some(image()));
        assert_eq!(nothing.over(None), None);
        let more = HealthWanted::Checked(HealthOptions {
            timeout: time("2s"),
            retries: 1,
            ..HealthOptions::default()
        });
        let expected = HealthCheck {
            timeout: time("2s"),
            retries: 1,
            ..image()
        };
        assert_eq!(more.over(Some(&image())), Some(expected));
        let command = HealthWanted::Checked(HealthOptions {
            command: Some("other".into()),
            ..HealthOptions::default()
        });
        let test = HealthTest::Shell("other".into());
        let expected = HealthCheck {
            test: test.clone(),
            ..image()
        };
        assert_eq!(command.over(Some(&image())), Some(expected));
        assert_eq!(command.over(None), Some(HealthCheck::of(test)));
        assert_eq!(HealthWanted::Unchecked.over(Some(&image())), None);
    }

    #[test]
    fn a_check_that_nobody_makes_needs_no_terms() {
        let terms = HealthWanted::Checked(HealthOptions {
            retries: 1,
            ..HealthOptions::default()
        });
        assert!(terms.is_idle(None));
        assert!(!terms.is_idle(Some(&image())));
        assert!(!HealthWanted::default().is_idle(None));
        assert!(!HealthWanted::Unchecked.is_idle(Some(&image())));
    }
}
