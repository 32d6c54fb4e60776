//! Plan, then act: a list of steps that is applied in order and undone in reverse.
//!
//! Theory of operation
//!
//! 1. Pure functions build a `Vec` of steps. Nothing has been touched; the list can be printed and compared in tests.
//! 2. [`apply`] applies them one after the other and tells each to the narrator once it holds.
//! 3. When step n fails, steps n-1 … 1 are undone and the error of step n is returned.
//! 4. When all hold, the caller gets an [`Applied`] guard. Dropping it undoes everything; [`Applied::commit`] lets it stand.

use minirun_netns::{Explain, Narrator};

/// One change to the host that can be made, taken back and told.
pub trait Step: Explain {
    /// What can go wrong while the step is applied.
    type Error;

    /// Makes the change.
    ///
    /// # Errors
    /// The step's own; nothing of the step may remain when it fails.
    fn apply(&self) -> Result<(), Self::Error>;

    /// Takes the change back. It goes on past errors, since there is nobody left to act on them.
    fn undo(&self);
}

/// Steps that hold, and are undone in reverse order on drop unless they are committed.
#[derive(Debug)]
#[must_use = "dropping the guard undoes the steps"]
pub struct Applied<S: Step> {
    steps: Vec<S>,
}

impl<S: Step> Applied<S> {
    /// Lets the steps stand.
    pub fn commit(mut self) {
        self.steps.clear();
    }
}

impl<S: Step> Drop for Applied<S> {
    fn drop(&mut self) {
        while let Some(step) = self.steps.pop() {
            step.undo();
        }
    }
}

/// Applies `steps` in order.
///
/// # Errors
/// The error of the first step that failed; the steps before it have been undone.
pub fn apply<S: Step>(steps: Vec<S>, narrator: &mut dyn Narrator) -> Result<Applied<S>, S::Error> {
    let mut applied = Applied {
        steps: Vec::with_capacity(steps.len()),
    };
    for step in steps {
        step.apply()?;
        narrator.tell(&step);
        applied.steps.push(step);
    }
    Ok(applied)
}

#[cfg(test)]
mod tests {
    use super::*;
    use minirun_netns::{Explanation, Silent};
    use std::cell::RefCell;

    struct Noted<'a> {
        name: &'static str,
        fails: bool,
        log: &'a RefCell<Vec<String>>,
    }

    impl Explain for Noted<'_> {
        fn explain(&self) -> Explanation {
            Explanation {
                sentence: self.name.to_string(),
                command: String::new(),
            }
        }
    }

    impl Step for Noted<'_> {
        type Error = &'static str;

        fn apply(&self) -> Result<(), Self::Error> {
            if self.fails {
                return Err(self.name);
            }
            self.log.borrow_mut().push(format!("apply {}", self.name));
            Ok(())
        }

        fn undo(&self) {
            self.log.borrow_mut().push(format!("undo {}", self.name));
        }
    }

    fn steps<'a>(log: &'a RefCell<Vec<String>>, failing: &str) -> Vec<Noted<'a>> {
        ["one", "two", "three"]
            .into_iter()
            .map(|name| Noted {
                name,
                fails: name == failing,
                log,
            })
            .collect()
    }

    #[test]
    fn a_failing_step_undoes_those_before_it_in_reverse() {
        let log = RefCell::new(Vec::new());
        let error = apply(steps(&log, "three"), &mut Silent).err();
        assert_eq!(error, Some("three"));
        assert_eq!(
            *log.borrow(),
            ["apply one", "apply two", "undo two", "undo one"]
        );
    }

    #[test]
    fn committed_steps_stand_and_dropped_ones_do_not() {
        let log = RefCell::new(Vec::new());
        if let Ok(applied) = apply(steps(&log, ""), &mut Silent) {
            applied.commit();
        }
        assert_eq!(*log.borrow(), ["apply one", "apply two", "apply three"]);
        log.borrow_mut().clear();
        drop(apply(steps(&log, ""), &mut Silent));
        assert_eq!(
            log.borrow()[3..],
            ["undo three", "undo two", "undo one"].map(String::from)
        );
    }
}
