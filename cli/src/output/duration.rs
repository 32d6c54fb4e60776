//! How long ago, in Docker's words.

use std::time::Duration;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// A time span in one unit, as Docker rounds it: `Less than a second`, `5 seconds`, `About a minute`, `3 hours`, `2 weeks`.
pub fn human_duration(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    let minutes = seconds / MINUTE;
    // Hours are rounded to the nearest; everything else is cut.
    let hours = seconds.saturating_add(HOUR / 2) / HOUR;
    let days = hours / 24;
    match () {
        () if seconds < 1 => "Less than a second".to_owned(),
        () if seconds == 1 => "1 second".to_owned(),
        () if seconds < MINUTE => format!("{seconds} seconds"),
        () if minutes == 1 => "About a minute".to_owned(),
        () if minutes < 60 => format!("{minutes} minutes"),
        () if hours == 1 => "About an hour".to_owned(),
        () if hours < 48 => format!("{hours} hours"),
        () if days < 14 => format!("{days} days"),
        () if days < 60 => format!("{} weeks", days / 7),
        () if days < 730 => format!("{} months", days / 30),
        () => format!("{} years", days / 365),
    }
}

/// When something happened: `5 seconds ago`.
pub fn ago(elapsed: Duration) -> String {
    format!("{} ago", human_duration(elapsed))
}

/// The status of a container that runs: `Up 2 minutes`.
pub fn up(elapsed: Duration) -> String {
    format!("Up {}", human_duration(elapsed))
}

/// The status of a container that has ended: `Exited (0) 3 seconds ago`.
pub fn exited(exit_code: i32, elapsed: Duration) -> String {
    format!("Exited ({exit_code}) {}", ago(elapsed))
}

/// The status of a container that is about to be started again: `Restarting (1) 5 seconds ago`.
pub fn restarting(exit_code: i32, elapsed: Duration) -> String {
    format!("Restarting ({exit_code}) {}", ago(elapsed))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 24 * HOUR;

    #[test]
    fn a_time_span_is_told_in_the_unit_that_suits_it() {
        for (seconds, words) in [
            (0, "Less than a second"),
            (1, "1 second"),
            (2, "2 seconds"),
            (59, "59 seconds"),
            (MINUTE, "About a minute"),
            (2 * MINUTE - 1, "About a minute"),
            (2 * MINUTE, "2 minutes"),
            (HOUR - 1, "59 minutes"),
            (HOUR, "About an hour"),
            (HOUR + 29 * MINUTE, "About an hour"),
            (HOUR + 30 * MINUTE, "2 hours"),
            (3 * HOUR, "3 hours"),
            (2 * DAY - HOUR, "47 hours"),
            (2 * DAY, "2 days"),
            (14 * DAY - HOUR, "13 days"),
            (14 * DAY, "2 weeks"),
            (60 * DAY - HOUR, "8 weeks"),
            (60 * DAY, "2 months"),
            (730 * DAY - HOUR, "24 months"),
            (730 * DAY, "2 years"),
        ] {
            let elapsed = Duration::from_secs(seconds);
            assert_eq!(human_duration(elapsed), words, "{seconds} s");
        }
    }

    #[test]
    fn a_part_of_a_second_is_less_than_one() {
        assert_eq!(ago(Duration::from_millis(999)), "Less than a second ago");
    }

    #[test]
    fn the_longest_time_span_has_words_too() {
        assert!(human_duration(Duration::MAX).ends_with(" years"));
    }

    #[test]
    fn a_status_is_told_in_dockers_words() {
        let elapsed = Duration::from_secs(3);
        assert_eq!(up(Duration::from_secs(120)), "Up 2 minutes");
        assert_eq!(exited(0, elapsed), "Exited (0) 3 seconds ago");
        assert_eq!(restarting(1, elapsed), "Restarting (1) 3 seconds ago");
        assert_eq!(exited(137, elapsed), "Exited (137) 3 seconds ago");
    }
}
