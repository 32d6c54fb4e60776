//! How a step says itself, and who listens.

/// What a step does, for a reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// One sentence without a final period.
    pub sentence: String,
    /// The command line a person would type for the same; several lines when it takes several commands, empty when there is
    /// none.
    pub command: String,
}

/// Something that can say what it does.
pub trait Explain {
    /// Says it. Called only when somebody listens, so it may allocate.
    fn explain(&self) -> Explanation;
}

/// Listens to steps as they are applied.
pub trait Narrator {
    /// Called just after `step` was applied. An implementation that has nothing to say must not call `explain`, so that a
    /// silent run pays nothing.
    fn tell(&mut self, step: &dyn Explain);
}

/// The narrator that says nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Narrator for Silent {
    fn tell(&mut self, _step: &dyn Explain) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Unspeakable;

    impl Explain for Unspeakable {
        fn explain(&self) -> Explanation {
            unreachable!("a silent narrator does not ask for an explanation")
        }
    }

    #[test]
    fn silence_never_asks_for_an_explanation() {
        Silent.tell(&Unspeakable);
    }
}
