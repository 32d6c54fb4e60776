//! From words to a tree.

use super::error::TemplateError;
use super::functions::Function;
use super::lexer::{Lexeme, Token, lex};
use super::tree::{Block, Command, Node, Operand, Pipeline, RangeNames, Source, Variable};
use serde_json::Value;

/// How deep blocks and parentheses may be nested.
const DEEPEST: usize = 40;

/// The tree of a template.
pub(super) fn parse(text: &str) -> Result<Vec<Node>, TemplateError> {
    let mut parser = Parser {
        lexemes: lex(text)?,
        next: 0,
        depth: 0,
        end: text.chars().count(),
    };
    let (nodes, end) = parser.nodes()?;
    match end {
        BlockEnd::Template => Ok(nodes),
        BlockEnd::End(place) | BlockEnd::Else(place) => Err(TemplateError::at(
            place,
            "this belongs to no `if`, `range` or `with`",
        )),
    }
}

/// What ended a list of nodes.
enum BlockEnd {
    Template,
    End(usize),
    /// What follows is the rest of the `else`.
    Else(usize),
}

struct Parser {
    lexemes: Vec<Lexeme>,
    next: usize,
    depth: usize,
    end: usize,
}

impl Parser {
    fn nodes(&mut self) -> Result<(Vec<Node>, BlockEnd), TemplateError> {
        let mut nodes = Vec::new();
        loop {
            let Some(lexeme) = self.take() else {
                return Ok((nodes, BlockEnd::Template));
            };
            if let Token::Text(text) = lexeme.token {
                nodes.push(Node::Text(text));
                continue;
            }
            let place = self.place();
            match self.keyword().as_deref() {
                Some("end") => {
                    self.next += 1;
                    self.close()?;
                    return Ok((nodes, BlockEnd::End(place)));
                }
                Some("else") => {
                    self.next += 1;
                    return Ok((nodes, BlockEnd::Else(place)));
                }
                Some("if") => nodes.push(Node::If(self.block(place)?)),
                Some("with") => nodes.push(Node::With(self.block(place)?)),
                Some("range") => nodes.push(self.range(place)?),
                _ => {
                    nodes.push(Node::Action(self.pipeline()?));
                    self.close()?;
                }
            }
        }
    }

    /// What follows an `if` or `with`.
    fn block(&mut self, place: usize) -> Result<Block, TemplateError> {
        self.next += 1;
        let pipeline = self.pipeline()?;
        self.close()?;
        self.rest_of_block(place, pipeline)
    }

    fn range(&mut self, place: usize) -> Result<Node, TemplateError> {
        self.next += 1;
        let (names, pipeline) = self.range_clause()?;
        self.close()?;
        Ok(Node::Range(names, self.rest_of_block(place, pipeline)?))
    }

    fn rest_of_block(&mut self, place: usize, pipeline: Pipeline) -> Result<Block, TemplateError> {
        self.descend(place)?;
        let (body, end) = self.nodes()?;
        let otherwise = match end {
            BlockEnd::End(_) => Vec::new(),
            BlockEnd::Template => return Err(no_end(place)),
            BlockEnd::Else(_) => self.otherwise(place)?,
        };
        self.depth -= 1;
        Ok(Block {
            pipeline,
            body,
            otherwise,
        })
    }

    /// What follows an `else`: nodes and an `end`, or another condition that shares it.
    fn otherwise(&mut self, place: usize) -> Result<Vec<Node>, TemplateError> {
        let here = self.place();
        match self.keyword().as_deref() {
            Some("if") => return Ok(vec![Node::If(self.block(here)?)]),
            Some("with") => return Ok(vec![Node::With(self.block(here)?)]),
            _ => self.close()?,
        }
        match self.nodes()? {
            (nodes, BlockEnd::End(_)) => Ok(nodes),
            (_, BlockEnd::Else(place)) => {
                Err(TemplateError::at(place, "there is an `else` before it"))
            }
            (_, BlockEnd::Template) => Err(no_end(place)),
        }
    }

    /// `.X`, `$element := .X` or `$index, $element := .X`.
    fn range_clause(&mut self) -> Result<(RangeNames, Pipeline), TemplateError> {
        let token = |offset: usize| self.lexemes.get(self.next + offset).map(|one| &one.token);
        if let (Some(Token::Variable(index)), Some(Token::Comma)) = (token(0), token(1)) {
            let (Some(Token::Variable(element)), Some(Token::Declare)) = (token(2), token(3))
            else {
                return Err(self.unexpected("write `$index, $element := …`"));
            };
            let names = RangeNames {
                index: Some(index.clone()),
                element: Some(element.clone()),
            };
            self.next += 4;
            return Ok((names, self.pipeline()?));
        }
        let mut pipeline = self.pipeline()?;
        let element = match pipeline.variable.take() {
            Some(Variable::Declared(name) | Variable::Assigned(name)) => Some(name),
            None => None,
        };
        let names = RangeNames {
            index: None,
            element,
        };
        Ok((names, pipeline))
    }

    fn pipeline(&mut self) -> Result<Pipeline, TemplateError> {
        let place = self.place();
        self.descend(place)?;
        let variable = self.variable();
        let mut commands = vec![self.command()?];
        while self.peek() == Some(&Token::Pipe) {
            self.next += 1;
            let command = self.command()?;
            if command.function.is_none() {
                return Err(TemplateError::at(
                    command.place,
                    "only a function takes what is before the `|`",
                ));
            }
            commands.push(command);
        }
        self.depth -= 1;
        Ok(Pipeline {
            place,
            variable,
            commands,
        })
    }

    fn variable(&mut self) -> Option<Variable> {
        let Some(Token::Variable(name)) = self.peek() else {
            return None;
        };
        let name = name.clone();
        let variable = match self.lexemes.get(self.next + 1)?.token {
            Token::Declare => Variable::Declared(name),
            Token::Assign => Variable::Assigned(name),
            _ => return None,
        };
        self.next += 2;
        Some(variable)
    }

    fn command(&mut self) -> Result<Command, TemplateError> {
        let place = self.place();
        let function = match self.keyword() {
            Some(word) => literal(&word).is_none().then(|| self.function(&word)),
            None => None,
        }
        .transpose()?;
        if function.is_some() {
            self.next += 1;
        }
        let mut operands = Vec::new();
        while self.begins_operand() {
            operands.push(self.operand()?);
        }
        match (&function, operands.len()) {
            (None, 0) => Err(self.unexpected("a value or a function is missing")),
            (None, 2..) => Err(TemplateError::at(
                operands[1].place,
                "this follows a value that is no function",
            )),
            _ => Ok(Command {
                place,
                function,
                operands,
            }),
        }
    }

    fn begins_operand(&self) -> bool {
        !matches!(
            self.peek(),
            None | Some(
                Token::Close
                    | Token::Pipe
                    | Token::RightParenthesis
                    | Token::Comma
                    | Token::Declare
                    | Token::Assign
                    | Token::Open
                    | Token::Text(_)
            )
        )
    }

    fn operand(&mut self) -> Result<Operand, TemplateError> {
        let place = self.place();
        let Some(lexeme) = self.take() else {
            return Err(self.unexpected("a value is missing"));
        };
        let mut fields = Vec::new();
        let source = match lexeme.token {
            Token::Dot => Source::Dot,
            Token::Field(name) => {
                fields.push(name);
                Source::Dot
            }
            Token::Variable(name) if name.is_empty() => Source::Root,
            Token::Variable(name) => Source::Variable(name),
            Token::Quoted(text) => Source::Literal(Value::String(text)),
            Token::Number(number) => Source::Literal(Value::Number(number)),
            Token::Word(word) => match literal(&word) {
                Some(value) => Source::Literal(value),
                None => Source::Call(self.function_at(place, &word)?),
            },
            Token::LeftParenthesis => {
                let pipeline = self.pipeline()?;
                if self.peek() != Some(&Token::RightParenthesis) {
                    return Err(TemplateError::at(
                        place,
                        "`(` has no end: close it with `)`",
                    ));
                }
                self.next += 1;
                Source::Pipeline(Box::new(pipeline))
            }
            _ => return Err(TemplateError::at(place, "a value is missing here")),
        };
        self.fields(&mut fields);
        Ok(Operand {
            place,
            source,
            fields,
        })
    }

    /// Fields that follow without a blank between: `$x.A.B`.
    fn fields(&mut self, fields: &mut Vec<String>) {
        while let Some(Lexeme {
            token: Token::Field(name),
            start,
            ..
        }) = self.lexemes.get(self.next)
            && self.lexemes[self.next - 1].end == *start
        {
            fields.push(name.clone());
            self.next += 1;
        }
    }

    fn function(&self, word: &str) -> Result<Function, TemplateError> {
        self.function_at(self.place(), word)
    }

    fn function_at(&self, place: usize, word: &str) -> Result<Function, TemplateError> {
        Function::called(word).ok_or_else(|| {
            TemplateError::at(
                place,
                format!(
                    "there is no function `{word}`: fields begin with a dot, and functions are {}",
                    Function::listed()
                ),
            )
        })
    }

    fn close(&mut self) -> Result<(), TemplateError> {
        match self.peek() {
            Some(Token::Close) => {
                self.next += 1;
                Ok(())
            }
            _ => Err(self.unexpected("`}}` is expected")),
        }
    }

    fn descend(&mut self, place: usize) -> Result<(), TemplateError> {
        self.depth += 1;
        match self.depth <= DEEPEST {
            true => Ok(()),
            false => Err(TemplateError::at(place, "this is nested too deeply")),
        }
    }

    fn unexpected(&self, problem: &str) -> TemplateError {
        TemplateError::at(self.place(), problem)
    }

    fn take(&mut self) -> Option<Lexeme> {
        let lexeme = self.lexemes.get(self.next).cloned();
        self.next += 1;
        lexeme
    }

    fn peek(&self) -> Option<&Token> {
        self.lexemes.get(self.next).map(|lexeme| &lexeme.token)
    }

    fn keyword(&self) -> Option<String> {
        match self.peek() {
            Some(Token::Word(word)) => Some(word.clone()),
            _ => None,
        }
    }

    fn place(&self) -> usize {
        let lexeme = self.lexemes.get(self.next);
        lexeme.map_or(self.end, |lexeme| lexeme.start)
    }
}

fn literal(word: &str) -> Option<Value> {
    match word {
        "true" => Some(Value::Bool(true)),
        "false" => Some(Value::Bool(false)),
        "nil" => Some(Value::Null),
        _ => None,
    }
}

fn no_end(place: usize) -> TemplateError {
    TemplateError::at(place, "this has no end: close it with `{{end}}`")
}
