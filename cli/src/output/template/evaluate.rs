//! From a tree and a JSON value to text.

use super::datum::{Datum, FieldNames, kind};
use super::error::TemplateError;
use super::tree::{Block, Command, Node, Operand, Pipeline, RangeNames, Source, Variable};
use serde_json::Value;
use std::borrow::Cow;

/// How many pieces a template may make, its loops counted: more than any sensible one does, and not for ever.
const MOST_STEPS: usize = 5_000_000;

/// The text that a template makes of a value.
pub(super) fn evaluate(nodes: &[Node], root: &Value) -> Result<String, TemplateError> {
    let root = Datum::Found(Cow::Borrowed(root));
    let mut evaluation = Evaluation {
        root: root.clone(),
        variables: Vec::new(),
        text: String::new(),
        steps: 0,
    };
    evaluation.nodes(nodes, &root)?;
    Ok(evaluation.text)
}

struct Evaluation<'v> {
    root: Datum<'v>,
    /// The innermost last.
    variables: Vec<(String, Datum<'v>)>,
    text: String,
    steps: usize,
}

impl<'v> Evaluation<'v> {
    /// Variables that are declared in the nodes go with them.
    fn nodes(&mut self, nodes: &[Node], dot: &Datum<'v>) -> Result<(), TemplateError> {
        let outer = self.variables.len();
        for node in nodes {
            self.node(node, dot)?;
        }
        self.variables.truncate(outer);
        Ok(())
    }

    fn node(&mut self, node: &Node, dot: &Datum<'v>) -> Result<(), TemplateError> {
        match node {
            Node::Text(text) => {
                self.text.push_str(text);
                self.count(0)
            }
            Node::Action(pipeline) => {
                let value = self.pipeline(pipeline, dot)?;
                if pipeline.variable.is_none() {
                    self.text.push_str(&value.printed()?);
                }
                Ok(())
            }
            Node::If(block) => {
                let outer = self.variables.len();
                let is_true = self.pipeline(&block.pipeline, dot)?.is_true();
                let chosen = if is_true {
                    &block.body
                } else {
                    &block.otherwise
                };
                self.nodes(chosen, dot)?;
                self.variables.truncate(outer);
                Ok(())
            }
            Node::With(block) => {
                let outer = self.variables.len();
                let value = self.pipeline(&block.pipeline, dot)?;
                match value.is_true() {
                    true => self.nodes(&block.body, &value)?,
                    false => self.nodes(&block.otherwise, dot)?,
                }
                self.variables.truncate(outer);
                Ok(())
            }
            Node::Range(names, block) => self.range(names, block, dot),
        }
    }

    fn range(
        &mut self,
        names: &RangeNames,
        block: &Block,
        dot: &Datum<'v>,
    ) -> Result<(), TemplateError> {
        let over = self.pipeline(&block.pipeline, dot)?;
        let elements = elements(over, block.pipeline.place)?;
        if elements.is_empty() {
            return self.nodes(&block.otherwise, dot);
        }
        for (index, element) in elements {
            self.count(block.pipeline.place)?;
            let outer = self.variables.len();
            if let Some(name) = &names.index {
                self.variables.push((name.clone(), index));
            }
            if let Some(name) = &names.element {
                self.variables.push((name.clone(), element.clone()));
            }
            self.nodes(&block.body, &element)?;
            self.variables.truncate(outer);
        }
        Ok(())
    }

    fn pipeline(
        &mut self,
        pipeline: &Pipeline,
        dot: &Datum<'v>,
    ) -> Result<Datum<'v>, TemplateError> {
        self.count(pipeline.place)?;
        let mut value = None;
        for command in &pipeline.commands {
            value = Some(self.command(command, value, dot)?);
        }
        let value = value.unwrap_or_else(|| Datum::of(Value::Null));
        match &pipeline.variable {
            None => {}
            Some(Variable::Declared(name)) => self.variables.push((name.clone(), value.clone())),
            Some(Variable::Assigned(name)) => {
                let known = self.variables.iter_mut().rev();
                match known.into_iter().find(|(known, _)| known == name) {
                    Some((_, known)) => *known = value.clone(),
                    None => return Err(unknown_variable(pipeline.place, name)),
                }
            }
        }
        Ok(value)
    }

    fn command(
        &mut self,
        command: &Command,
        piped: Option<Datum<'v>>,
        dot: &Datum<'v>,
    ) -> Result<Datum<'v>, TemplateError> {
        let mut operands = Vec::with_capacity(command.operands.len() + 1);
        for operand in &command.operands {
            operands.push(self.operand(operand, dot)?);
        }
        operands.extend(piped);
        match command.function {
            Some(function) => function.call(command.place, &operands),
            None => Ok(operands.pop().unwrap_or_else(|| Datum::of(Value::Null))),
        }
    }

    fn operand(&mut self, operand: &Operand, dot: &Datum<'v>) -> Result<Datum<'v>, TemplateError> {
        let mut value = match &operand.source {
            Source::Dot => dot.clone(),
            Source::Root => self.root.clone(),
            Source::Variable(name) => {
                let mut known = self.variables.iter().rev();
                let found = known.find(|(known, _)| known == name);
                found
                    .map(|(_, value)| value.clone())
                    .ok_or_else(|| unknown_variable(operand.place, name))?
            }
            // What stands in the template was typed by whoever reads the result.
            Source::Literal(Value::String(text)) => Datum::Made(text.clone()),
            Source::Literal(value) => Datum::of(value.clone()),
            Source::Call(function) => function.call(operand.place, &[])?,
            Source::Pipeline(pipeline) => self.pipeline(pipeline, dot)?,
        };
        for field in &operand.fields {
            let names = match self.is_root(&value) {
                true => FieldNames::OfWhole,
                false => FieldNames::OfPart,
            };
            value = value.field((operand.place, field), names)?;
        }
        Ok(value)
    }

    fn is_root(&self, datum: &Datum<'v>) -> bool {
        match (datum, &self.root) {
            (Datum::Found(Cow::Borrowed(value)), Datum::Found(Cow::Borrowed(root))) => {
                std::ptr::eq(*value, *root)
            }
            _ => false,
        }
    }

    fn count(&mut self, place: usize) -> Result<(), TemplateError> {
        self.steps += 1;
        match self.steps <= MOST_STEPS {
            true => Ok(()),
            false => Err(TemplateError::at(
                place,
                "the template never comes to an end",
            )),
        }
    }
}

/// What a range runs over, with numbers or keys. As in Go, objects are run over in the order of their keys.
fn elements(over: Datum<'_>, place: usize) -> Result<Vec<(Datum<'_>, Datum<'_>)>, TemplateError> {
    let value = match over {
        Datum::Absent(_) => return Ok(Vec::new()),
        Datum::Found(Cow::Borrowed(value)) => return borrowed_elements(value, place),
        other => other.value()?.into_owned(),
    };
    let owned = borrowed_elements(&value, place)?;
    Ok(owned
        .into_iter()
        .map(|(index, element)| (owned_datum(index), owned_datum(element)))
        .collect())
}

fn borrowed_elements(
    value: &Value,
    place: usize,
) -> Result<Vec<(Datum<'_>, Datum<'_>)>, TemplateError> {
    let found = |value| Datum::Found(Cow::Borrowed(value));
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(elements) => Ok(elements
            .iter()
            .enumerate()
            .map(|(index, element)| (Datum::of(index), found(element)))
            .collect()),
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(key, _)| *key);
            Ok(fields
                .into_iter()
                .map(|(key, element)| (Datum::of(key.as_str()), found(element)))
                .collect())
        }
        other => Err(TemplateError::at(
            place,
            format!("`range` cannot run over {}", kind(other)),
        )),
    }
}

fn owned_datum<'v>(datum: Datum<'_>) -> Datum<'v> {
    match datum {
        Datum::Found(value) => Datum::of(value.into_owned()),
        Datum::Made(text) => Datum::Made(text),
        Datum::Absent(absence) => Datum::Absent(absence),
    }
}

fn unknown_variable(place: usize, name: &str) -> TemplateError {
    TemplateError::at(place, format!("there is no variable `${name}`"))
}
