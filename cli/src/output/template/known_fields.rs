//! The fields that a template asks of what it is given, before it is given anything.

use super::tree::{Block, Node, Operand, Pipeline, Source};

/// The first field that is asked of the whole and is not among those that are known.
pub(super) fn first_unknown<'t>(nodes: &'t [Node], known: &[&str]) -> Option<&'t str> {
    Search { known }.nodes(nodes, Dot::Whole)
}

/// What the dot stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dot {
    /// Everything there is.
    Whole,
    /// A part, of which nothing is known.
    Part,
}

struct Search<'k> {
    known: &'k [&'k str],
}

impl Search<'_> {
    fn nodes<'t>(&self, nodes: &'t [Node], dot: Dot) -> Option<&'t str> {
        nodes.iter().find_map(|node| match node {
            Node::Text(_) => None,
            Node::Action(pipeline) => self.pipeline(pipeline, dot),
            Node::If(block) => self.block(block, (dot, dot)),
            Node::With(block) | Node::Range(_, block) => self.block(block, (dot, Dot::Part)),
        })
    }

    fn block<'t>(&self, block: &'t Block, (outside, inside): (Dot, Dot)) -> Option<&'t str> {
        self.pipeline(&block.pipeline, outside)
            .or_else(|| self.nodes(&block.body, inside))
            .or_else(|| self.nodes(&block.otherwise, outside))
    }

    fn pipeline<'t>(&self, pipeline: &'t Pipeline, dot: Dot) -> Option<&'t str> {
        let operands = pipeline
            .commands
            .iter()
            .flat_map(|command| &command.operands);
        operands
            .into_iter()
            .find_map(|operand| self.operand(operand, dot))
    }

    fn operand<'t>(&self, operand: &'t Operand, dot: Dot) -> Option<&'t str> {
        let is_whole = match &operand.source {
            Source::Pipeline(pipeline) => return self.pipeline(pipeline, dot),
            Source::Dot => dot == Dot::Whole,
            Source::Root => true,
            Source::Variable(_) | Source::Literal(_) | Source::Call(_) => false,
        };
        let field = operand.fields.first().filter(|_| is_whole)?;
        (!self.known.contains(&field.as_str())).then_some(field)
    }
}
