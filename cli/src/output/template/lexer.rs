//! From a template's characters to words.

use super::error::TemplateError;
use serde_json::Number;

/// A word.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// Literal text between actions.
    Text(String),
    /// `{{`.
    Open,
    /// `}}`.
    Close,
    /// `.` alone.
    Dot,
    /// `.Name`.
    Field(String),
    /// `$name`; empty for `$` alone.
    Variable(String),
    /// A function or a keyword.
    Word(String),
    /// What stood between quotes.
    Quoted(String),
    /// A number.
    Number(Number),
    /// `|`.
    Pipe,
    /// `(`.
    LeftParenthesis,
    /// `)`.
    RightParenthesis,
    /// `,`.
    Comma,
    /// `:=`.
    Declare,
    /// `=`.
    Assign,
}

/// A word and the characters it was made of.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Lexeme {
    pub(super) token: Token,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// The words of a template.
pub(super) fn lex(text: &str) -> Result<Vec<Lexeme>, TemplateError> {
    let mut lexer = Lexer {
        characters: text.chars().collect(),
        place: 0,
        lexemes: Vec::new(),
    };
    let mut trims = false;
    while lexer.text(trims) == More::Yes {
        trims = lexer.action()?;
    }
    Ok(lexer.lexemes)
}

#[derive(PartialEq, Eq)]
enum More {
    Yes,
    No,
}

struct Lexer {
    characters: Vec<char>,
    place: usize,
    lexemes: Vec<Lexeme>,
}

impl Lexer {
    /// Takes literal text up to the next action; without its blanks where an action's `-` says so.
    fn text(&mut self, trims_start: bool) -> More {
        let start = self.place;
        while self.place < self.characters.len() && !self.looks_at("{{") {
            self.place += 1;
        }
        let literal: String = self.characters[start..self.place].iter().collect();
        let mut literal = literal.as_str();
        if trims_start {
            literal = literal.trim_start();
        }
        let trims_end = self.looks_at("{{-") && self.peek(3).is_some_and(char::is_whitespace);
        if trims_end {
            literal = literal.trim_end();
        }
        if !literal.is_empty() {
            self.push(Token::Text(unescaped(literal)), start);
        }
        let opened = self.place;
        if opened == self.characters.len() {
            return More::No;
        }
        self.place += if trims_end { 3 } else { 2 };
        self.push(Token::Open, opened);
        More::Yes
    }

    /// Takes the words of an action and its `}}`. Says whether the text behind it is to lose its first blanks.
    fn action(&mut self) -> Result<bool, TemplateError> {
        let first = self.lexemes.len().saturating_sub(1);
        let opened = self.lexemes.last().map_or(0, |lexeme| lexeme.start);
        let is_comment = self.comment()?;
        loop {
            let blank = self.peek(0).is_some_and(char::is_whitespace);
            let start = self.place;
            if blank && self.is_at(1, "-}}") {
                self.place += 4;
                self.close(start, is_comment.then_some(first));
                return Ok(true);
            }
            if self.looks_at("}}") {
                self.place += 2;
                self.close(start, is_comment.then_some(first));
                return Ok(false);
            }
            if blank {
                self.place += 1;
                continue;
            }
            let Some(character) = self.peek(0) else {
                return Err(TemplateError::at(
                    opened,
                    "`{{` has no end: close it with `}}`",
                ));
            };
            let token = self.word(character)?;
            self.push(token, start);
        }
    }

    /// Ends an action; a comment leaves nothing of itself, from its first word on.
    fn close(&mut self, start: usize, comment: Option<usize>) {
        match comment {
            Some(first) => self.lexemes.truncate(first),
            None => self.push(Token::Close, start),
        }
    }

    /// Passes over a comment. Says whether there was one.
    fn comment(&mut self) -> Result<bool, TemplateError> {
        let start = self.place;
        while self.peek(0).is_some_and(char::is_whitespace) {
            self.place += 1;
        }
        if !self.looks_at("/*") {
            self.place = start;
            return Ok(false);
        }
        while !self.looks_at("*/") {
            if self.peek(0).is_none() {
                return Err(TemplateError::at(
                    start,
                    "the comment has no end: close it with `*/`",
                ));
            }
            self.place += 1;
        }
        self.place += 2;
        Ok(true)
    }

    fn word(&mut self, character: char) -> Result<Token, TemplateError> {
        let start = self.place;
        self.place += 1;
        Ok(match character {
            '|' => Token::Pipe,
            '(' => Token::LeftParenthesis,
            ')' => Token::RightParenthesis,
            ',' => Token::Comma,
            '=' => Token::Assign,
            ':' if self.peek(0) == Some('=') => {
                self.place += 1;
                Token::Declare
            }
            '.' if !self.peek(0).is_some_and(|next| next.is_ascii_digit()) => {
                match self.letters() {
                    name if name.is_empty() => Token::Dot,
                    name => Token::Field(name),
                }
            }
            '$' => Token::Variable(self.letters()),
            '"' => Token::Quoted(self.quoted(start)?),
            '`' => Token::Quoted(self.raw(start)?),
            '0'..='9' | '-' | '+' => {
                self.place = start;
                Token::Number(self.number()?)
            }
            letter if is_letter(letter) => {
                self.place = start;
                Token::Word(self.letters())
            }
            other => {
                return Err(TemplateError::at(
                    start,
                    format!("`{other}` means nothing here"),
                ));
            }
        })
    }

    fn letters(&mut self) -> String {
        let start = self.place;
        while self.peek(0).is_some_and(is_letter) {
            self.place += 1;
        }
        self.characters[start..self.place].iter().collect()
    }

    fn number(&mut self) -> Result<Number, TemplateError> {
        let start = self.place;
        let belongs =
            |character: char| character.is_ascii_alphanumeric() || ".+-_".contains(character);
        while self.peek(0).is_some_and(belongs) {
            self.place += 1;
        }
        let text: String = self.characters[start..self.place].iter().collect();
        let text = text.strip_prefix('+').unwrap_or(&text);
        let integer = text.parse::<i64>().ok().map(Number::from);
        let number = integer.or_else(|| text.parse().ok().and_then(Number::from_f64));
        number.ok_or_else(|| TemplateError::at(start, format!("`{text}` is not a number")))
    }

    /// What stands up to the closing quote, with backslashes meaning what they mean in Go.
    fn quoted(&mut self, start: usize) -> Result<String, TemplateError> {
        let mut text = String::new();
        loop {
            let next = self.next_of(start)?;
            match next {
                '"' => return Ok(text),
                '\\' => {
                    let place = self.place - 1;
                    text.push(match self.next_of(start)? {
                        'n' => '\n',
                        't' => '\t',
                        'r' => '\r',
                        same @ ('\\' | '"' | '\'') => same,
                        other => {
                            return Err(TemplateError::at(
                                place,
                                format!("`\\{other}` means nothing: use `\\n`, `\\t`, `\\r`, `\\\\` or `\\\"`"),
                            ));
                        }
                    });
                }
                other => text.push(other),
            }
        }
    }

    fn raw(&mut self, start: usize) -> Result<String, TemplateError> {
        let mut text = String::new();
        loop {
            match self.next_of(start)? {
                '`' => return Ok(text),
                other => text.push(other),
            }
        }
    }

    fn next_of(&mut self, quote: usize) -> Result<char, TemplateError> {
        let next = self.peek(0);
        self.place += 1;
        next.ok_or_else(|| TemplateError::at(quote, "the quote is never closed"))
    }

    fn push(&mut self, token: Token, start: usize) {
        self.lexemes.push(Lexeme {
            token,
            start,
            end: self.place,
        });
    }

    fn peek(&self, distance: usize) -> Option<char> {
        self.characters.get(self.place + distance).copied()
    }

    fn looks_at(&self, text: &str) -> bool {
        self.is_at(0, text)
    }

    fn is_at(&self, distance: usize, text: &str) -> bool {
        let mut expected = text.chars().enumerate();
        expected.all(|(offset, character)| self.peek(distance + offset) == Some(character))
    }
}

fn is_letter(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// As with Docker's listings, `\t` and `\n` may be written out, because shells do not make them.
fn unescaped(text: &str) -> String {
    text.replace("\\t", "\t").replace("\\n", "\n")
}
