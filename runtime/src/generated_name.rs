//! Names for containers that were given none, in Docker's manner: an adjective and the name of somebody who helped to
//! make computers, networks or the science under them.

use minirun_bridge::name::ContainerName;

/// Every name there is to try, each once: first all plain ones such as `quick_hopper`, then all with a digit, such as
/// `quick_hopper7`. Where the row begins is random; the caller takes the first name that is free.
pub fn candidates() -> impl Iterator<Item = ContainerName> {
    candidates_from(random_start())
}

fn candidates_from(start: usize) -> impl Iterator<Item = ContainerName> {
    let count = ADJECTIVES.len() * SURNAMES.len();
    let endings = std::iter::once(String::new()).chain((0..10).map(|digit: u8| digit.to_string()));
    endings
        .flat_map(move |ending| (0..count).map(move |number| (number, ending.clone())))
        .filter_map(move |(number, ending)| {
            let place = (start % count + number) % count;
            let adjective = ADJECTIVES[place / SURNAMES.len()];
            let surname = SURNAMES[place % SURNAMES.len()];
            format!("{adjective}_{surname}{ending}").parse().ok()
        })
}

/// A random number. Should the kernel have none, the row begins at its beginning, which is as good where names are taken in turn.
fn random_start() -> usize {
    let mut bytes = [0; size_of::<usize>()];
    // SAFETY: `bytes` is a live, writable array of the given length, and the kernel writes at most that many bytes.
    unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), 0) };
    usize::from_ne_bytes(bytes)
}

const ADJECTIVES: [&str; 101] = [
    "agile",
    "amber",
    "ample",
    "apt",
    "arctic",
    "astute",
    "avid",
    "balmy",
    "beaming",
    "blithe",
    "bold",
    "brave",
    "breezy",
    "bright",
    "brisk",
    "bubbly",
    "calm",
    "candid",
    "careful",
    "cheery",
    "civil",
    "clever",
    "cosy",
    "crafty",
    "crisp",
    "curious",
    "dapper",
    "daring",
    "deft",
    "diligent",
    "dreamy",
    "eager",
    "earnest",
    "easy",
    "elegant",
    "epic",
    "exact",
    "fair",
    "fearless",
    "fleet",
    "fluent",
    "fond",
    "frank",
    "fresh",
    "friendly",
    "gallant",
    "gentle",
    "gifted",
    "glad",
    "golden",
    "graceful",
    "grand",
    "handy",
    "happy",
    "hardy",
    "hearty",
    "helpful",
    "honest",
    "humble",
    "inventive",
    "jaunty",
    "jolly",
    "joyful",
    "keen",
    "kind",
    "lively",
    "loyal",
    "lucid",
    "lucky",
    "mellow",
    "merry",
    "mindful",
    "modest",
    "neat",
    "nimble",
    "noble",
    "patient",
    "peaceful",
    "placid",
    "plucky",
    "polite",
    "prompt",
    "proud",
    "quick",
    "quiet",
    "quirky",
    "radiant",
    "ready",
    "serene",
    "sharp",
    "silver",
    "smart",
    "snug",
    "steady",
    "sturdy",
    "sunny",
    "swift",
    "tidy",
    "upbeat",
    "vivid",
    "witty",
];

const SURNAMES: [&str; 103] = [
    "abramson",
    "aho",
    "aiken",
    "allen",
    "ampere",
    "archimedes",
    "babbage",
    "backus",
    "baran",
    "bardeen",
    "bartik",
    "bell",
    "bellard",
    "berners",
    "bernstein",
    "bohr",
    "boole",
    "borg",
    "brattain",
    "cailliau",
    "cantor",
    "cerf",
    "chomsky",
    "church",
    "clarke",
    "codd",
    "conway",
    "cray",
    "crocker",
    "curie",
    "curry",
    "dahl",
    "davies",
    "diffie",
    "dijkstra",
    "einstein",
    "engelbart",
    "erlang",
    "estrin",
    "euclid",
    "euler",
    "faraday",
    "feinler",
    "fermat",
    "feynman",
    "floyd",
    "fourier",
    "franklin",
    "galileo",
    "galois",
    "gauss",
    "godel",
    "goldberg",
    "hamilton",
    "hamming",
    "heaviside",
    "hellman",
    "hertz",
    "hilbert",
    "hoare",
    "hopper",
    "huffman",
    "jacobson",
    "kahn",
    "karp",
    "kepler",
    "kernighan",
    "kilby",
    "kirstein",
    "kleinrock",
    "knuth",
    "lamarr",
    "lamport",
    "leibniz",
    "licklider",
    "liskov",
    "lovelace",
    "marconi",
    "maxwell",
    "mccarthy",
    "meitner",
    "merkle",
    "metcalfe",
    "milner",
    "minsky",
    "mockapetris",
    "moore",
    "morse",
    "naur",
    "newton",
    "noether",
    "noyce",
    "nygaard",
    "perlman",
    "pike",
    "postel",
    "ritchie",
    "rivest",
    "shannon",
    "strachey",
    "thompson",
    "torvalds",
    "turing",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const COUNT: usize = ADJECTIVES.len() * SURNAMES.len();

    #[test]
    fn the_words_are_lower_case_and_in_order_and_none_comes_twice() {
        for words in [ADJECTIVES.as_slice(), SURNAMES.as_slice()] {
            assert!(words.is_sorted_by(|one, next| one < next));
            let is_plain = |word: &&str| word.bytes().all(|byte| byte.is_ascii_lowercase());
            assert!(words.iter().all(is_plain));
        }
    }

    #[test]
    fn a_name_is_an_adjective_and_a_surname() {
        let name = candidates_from(0).next().unwrap();
        assert_eq!(name.as_str(), "agile_abramson");
    }

    #[test]
    fn every_name_comes_once_and_those_with_a_digit_come_last() {
        let names: Vec<String> = candidates_from(usize::MAX)
            .map(|name| name.to_string())
            .collect();
        let (plain, with_digit) = names.split_at(COUNT);
        let has_digit = |name: &String| name.ends_with(|last: char| last.is_ascii_digit());
        assert_eq!(names.len(), 11 * COUNT);
        assert!(!plain.iter().any(has_digit));
        assert!(with_digit.iter().all(has_digit));
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    }

    #[test]
    fn the_row_begins_at_random() {
        let beginnings: BTreeSet<String> = (0..4)
            .filter_map(|_| candidates().next())
            .map(|name| name.to_string())
            .collect();
        assert!(beginnings.len() > 1);
    }
}
