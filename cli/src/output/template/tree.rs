//! What a template says, once it is understood.

use super::functions::Function;
use serde_json::Value;

/// A piece of a template.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    /// Literal text.
    Text(String),
    /// `{{.Name}}`, or `{{$name := .Name}}`, which prints nothing.
    Action(Pipeline),
    /// `{{if .A}}…{{else if .B}}…{{else}}…{{end}}`.
    If(Block),
    /// `{{with .A}}…{{else}}…{{end}}`.
    With(Block),
    /// `{{range .A}}…{{else}}…{{end}}`, and what `$index, $element :=` before the pipeline names.
    Range(RangeNames, Block),
}

/// A pipeline and what depends on it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Block {
    pub(super) pipeline: Pipeline,
    pub(super) body: Vec<Node>,
    pub(super) otherwise: Vec<Node>,
}

/// The variables of a range.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct RangeNames {
    pub(super) index: Option<String>,
    pub(super) element: Option<String>,
}

/// Commands of which each gets what the one before makes as its last operand.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pipeline {
    pub(super) place: usize,
    pub(super) variable: Option<Variable>,
    pub(super) commands: Vec<Command>,
}

/// What becomes of a pipeline's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Variable {
    /// `$name := …`.
    Declared(String),
    /// `$name = …`.
    Assigned(String),
}

/// A function with its operands, or a single value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Command {
    pub(super) place: usize,
    pub(super) function: Option<Function>,
    pub(super) operands: Vec<Operand>,
}

/// Something with a value, and the fields of it that are meant.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Operand {
    pub(super) place: usize,
    pub(super) source: Source,
    pub(super) fields: Vec<String>,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Source {
    /// `.`.
    Dot,
    /// `$`, everything there is.
    Root,
    /// `$name`.
    Variable(String),
    /// A number, text or word that stands for itself.
    Literal(Value),
    /// A function without operands.
    Call(Function),
    /// `( … )`.
    Pipeline(Box<Pipeline>),
}
