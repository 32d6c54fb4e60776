//! What the machine's processors do, all of them together.

use std::fs;
use std::time::Duration;

/// In which `/proc/stat` counts: `USER_HZ`, which is 100 in a second on every architecture that Linux still has (proc(5)).
const TICK: Duration = Duration::from_millis(10);

/// How many there are.
pub fn number() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// For how long they have had nothing to do since the boot, added up. The kernel counts more finely than it tells, so only what is added
/// up over many differences means something.
pub fn idle_time() -> Duration {
    of_text(&fs::read_to_string("/proc/stat").unwrap_or_default())
}

/// The fourth number is of times without work, the fifth of those in which some of it waited for a disk.
fn of_text(text: &str) -> Duration {
    let line = text.lines().find_map(|line| line.strip_prefix("cpu "));
    let numbers = line.into_iter().flat_map(str::split_whitespace);
    let idle = numbers.skip(3).take(2);
    idle.filter_map(|word| word.parse().ok())
        .map(|ticks: u32| TICK * ticks)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_without_work_is_that_of_all_processors_together() {
        let text = "cpu  100 0 50 7000 5 0 1 0 0 0\ncpu0 50 0 25 3500 2 0 1 0 0 0\n";
        assert_eq!(of_text(text), Duration::from_millis(70_050));
        assert_eq!(of_text(""), Duration::ZERO);
    }
}
