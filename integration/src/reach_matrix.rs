//! Who of several containers reaches whom.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::thread;

use crate::container::Container;
use crate::host::TestHost;
use crate::probe::{self, Reach};

impl TestHost {
    /// Who of `names` can open a TCP connection to whom on `port`, at their addresses on the default network; see
    /// [`TestHost::reach_matrix_at`].
    #[track_caller]
    pub fn reach_matrix(
        &self,
        names: &[&str],
        port: u16,
        expected: &[(&str, &str)],
    ) -> BTreeMap<(String, String), Reach> {
        self.reach_matrix_at(names, expected, |container| {
            SocketAddr::new(container.address().into(), port)
        })
    }

    /// Who of `names` can open a TCP connection to whom, for every ordered pair, all at the same time. `where_to` says at which
    /// address and port a container is called.
    ///
    /// Pairs named in `expected` get a long time to succeed, the others a short one to fail.
    #[track_caller]
    pub fn reach_matrix_at(
        &self,
        names: &[&str],
        expected: &[(&str, &str)],
        where_to: impl Fn(&Container<'_>) -> SocketAddr,
    ) -> BTreeMap<(String, String), Reach> {
        let place_of = |name: &&'_ str| {
            let container = self.container(name);
            ((*name).to_owned(), container.place(), where_to(&container))
        };
        let places: Vec<_> = names.iter().map(place_of).collect();
        thread::scope(|scope| {
            let mut answers = Vec::new();
            for (source, place, _) in &places {
                for (target, _, address) in places.iter().filter(|(target, ..)| target != source) {
                    let patience = if expected.contains(&(source.as_str(), target.as_str())) {
                        probe::LONG_WAIT
                    } else {
                        probe::SHORT_WAIT
                    };
                    let address = *address;
                    let ask = move || place.inside(|| probe::tcp_connect(address, patience));
                    answers.push(((source.clone(), target.clone()), scope.spawn(ask)));
                }
            }
            answers
                .into_iter()
                .map(|(pair, answer)| (pair, answer.join().expect("a probe panicked")))
                .collect()
        })
    }
}
