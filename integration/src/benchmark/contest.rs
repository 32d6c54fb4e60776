//! Things that are measured side by side: in every round each of them once, in an order that changes.

use crate::benchmark::findings::Trouble;

/// One of those that are measured.
pub struct Contender<'bench> {
    /// Takes one sample.
    act: Box<dyn FnMut() -> Result<f64, Trouble> + 'bench>,
    samples: Vec<f64>,
}

impl<'bench> Contender<'bench> {
    /// Somebody who takes a sample whenever asked.
    pub fn new(act: impl FnMut() -> Result<f64, Trouble> + 'bench) -> Self {
        Self {
            act: Box::new(act),
            samples: Vec::new(),
        }
    }
}

/// Lets each take part in `runs` rounds, after one that does not count, and gives the samples of each, in the order of `contenders`.
///
/// The order within a round is drawn anew, by a generator that always begins alike.
///
/// # Errors
///
/// The first trouble that anybody has; it ends the contest.
pub fn hold(runs: usize, mut contenders: Vec<Contender<'_>>) -> Result<Vec<Vec<f64>>, Trouble> {
    for contender in &mut contenders {
        (contender.act)()?;
    }
    let mut order: Vec<usize> = (0..contenders.len()).collect();
    let mut lots = Lots::new();
    for _ in 0..runs {
        lots.shuffle(&mut order);
        for index in &order {
            let contender = &mut contenders[*index];
            let sample = (contender.act)()?;
            contender.samples.push(sample);
        }
    }
    Ok(contenders
        .into_iter()
        .map(|contender| contender.samples)
        .collect())
}

/// Marsaglia's xorshift generator, 64 bits: much better than what an order of eight needs.
struct Lots {
    state: u64,
}

impl Lots {
    fn new() -> Self {
        Self {
            state: 0x9e37_79b9_7f4a_7c15,
        }
    }

    fn below(&mut self, limit: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state % limit as u64) as usize
    }

    fn shuffle(&mut self, order: &mut [usize]) {
        for last in (1..order.len()).rev() {
            order.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn everybody_is_measured_once_a_round_and_the_first_round_does_not_count() {
        let taken = RefCell::new(Vec::new());
        let contender = |name: &'static str| {
            let taken = &taken;
            Contender::new(move || {
                taken.borrow_mut().push(name);
                Ok(taken.borrow().len() as f64)
            })
        };
        let samples =
            hold(5, vec![contender("one"), contender("two")]).expect("nobody has trouble");
        assert_eq!(samples.iter().map(Vec::len).collect::<Vec<_>>(), [5, 5]);
        let taken = taken.into_inner();
        assert_eq!(taken.len(), 12);
        for round in taken.chunks(2) {
            assert!(round.contains(&"one") && round.contains(&"two"));
        }
        assert!(taken.chunks(2).any(|round| round == ["two", "one"]));
    }

    #[test]
    fn the_first_trouble_ends_it() {
        let trouble = || Err(Trouble::Failed("it broke".to_owned()));
        let calls = RefCell::new(0);
        let counting = || {
            *calls.borrow_mut() += 1;
            Ok(1.0)
        };
        let ended = hold(3, vec![Contender::new(counting), Contender::new(trouble)]);
        assert_eq!(ended, Err(Trouble::Failed("it broke".to_owned())));
        assert_eq!(calls.into_inner(), 1);
    }
}
