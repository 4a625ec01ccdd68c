//! A Rust file, taken apart into code, comments and literals: as little of the grammar as it takes
//! to tell them from each other, so that no check stumbles over a word in a comment or a string.

use std::ops::Range;

use super::lexeme::{Kind, lexeme};

/// What a Rust file says, by kind.
pub(super) struct RustText {
    /// The file with everything blanked that is a comment, or between the quotes of a literal.
    /// Every byte is where it was, so offsets and lines are those of the file.
    pub(super) code: String,
    /// The string literals, in their order.
    pub(super) literals: Vec<Literal>,
}

/// What stands between the quotes of a string literal, escapes and all.
pub(super) struct Literal {
    pub(super) start: usize,
    pub(super) text: String,
}

impl RustText {
    pub(super) fn of(source: &str) -> Self {
        let mut code = source.as_bytes().to_vec();
        let mut literals = Vec::new();
        let mut at = 0;
        while at < code.len() {
            let (kind, inside, next) = lexeme(source.as_bytes(), at);
            if kind == Kind::Text {
                literals.push(Literal {
                    start: inside.start,
                    text: String::from_utf8_lossy(&code[inside.clone()]).into_owned(),
                });
            }
            if kind != Kind::Code {
                let blanked = code[inside].iter_mut().filter(|byte| **byte != b'\n');
                blanked.for_each(|byte| *byte = b' ');
            }
            at = next;
        }
        Self {
            code: String::from_utf8_lossy(&code).into_owned(),
            literals,
        }
    }

    /// The line, counted from one, that holds this offset.
    pub(super) fn line(&self, offset: usize) -> usize {
        let before = &self.code.as_bytes()[..offset];
        1 + before.iter().filter(|byte| **byte == b'\n').count()
    }

    /// Where `word` stands as a whole identifier.
    pub(super) fn words<'a>(&'a self, word: &'a str) -> impl Iterator<Item = usize> + 'a {
        words(&self.code, word)
    }

    /// Where code names `member` of the module `root`: `root::member`, or `root::{…, member}`.
    pub(super) fn paths<'a>(
        &'a self,
        root: &'a str,
        member: &'a str,
    ) -> impl Iterator<Item = usize> + 'a {
        self.words(root).filter(move |at| {
            let rest = self.code[at + root.len()..].trim_start();
            let Some(rest) = rest.strip_prefix("::").map(str::trim_start) else {
                return false;
            };
            match rest.strip_prefix('{') {
                None => first_word(rest) == member,
                Some(group) => top_level_items(group).any(|item| first_word(item) == member),
            }
        })
    }

    /// The code of every attribute, between its brackets.
    pub(super) fn attributes(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        let hashes = self.code.match_indices('#').map(|(at, _)| at);
        hashes.filter_map(|at| {
            let rest = &self.code[at + 1..];
            let inner = rest.trim_start().trim_start_matches('!').trim_start();
            let start = self.code.len() - inner.strip_prefix('[')?.len();
            Some(start..start + closing(&self.code[start..], '[', ']'))
        })
    }

    /// Where modules and functions are that only tests compile.
    pub(super) fn test_only(&self) -> Vec<Range<usize>> {
        let conditions = self.attributes().filter(|attribute| {
            let condition = &self.code[attribute.clone()];
            first_word(condition) == "cfg"
                && words(condition, "test").next().is_some()
                && words(condition, "not").next().is_none()
        });
        let bodies = conditions.filter_map(|attribute| {
            let end = self.code[attribute.end..].find(['{', ';'])? + attribute.end + 1;
            let body = &self.code[end..];
            (!self.code[..end].ends_with(';')).then(|| end..end + closing(body, '{', '}'))
        });
        bodies.collect()
    }
}

/// Where `word` stands in `code` as a whole identifier.
pub(super) fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let found = code.match_indices(word).map(|(at, _)| at);
    found.filter(move |at| {
        !code[..*at].ends_with(is_of_word) && !code[at + word.len()..].starts_with(is_of_word)
    })
}

/// The identifier that `code` begins with, or nothing.
pub(super) fn first_word(code: &str) -> &str {
    let code = code.trim_start();
    &code[..code.find(|c| !is_of_word(c)).unwrap_or(code.len())]
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The offset of the bracket that closes what is already open, or the end.
fn closing(code: &str, open: char, close: char) -> usize {
    let mut depth = 1;
    for (at, c) in code.char_indices() {
        depth += i32::from(c == open) - i32::from(c == close);
        if depth == 0 {
            return at;
        }
    }
    code.len()
}

/// What stands between the commas of a group `{…}` whose brace is already open.
fn top_level_items(group: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0;
    group[..closing(group, '{', '}')].split(move |c| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code_words(source: &str) -> Vec<String> {
        let text = RustText::of(source);
        let words = text.code.split_whitespace().map(str::to_owned);
        words.collect()
    }

    #[test]
    fn comments_are_no_code() {
        let source = "one // two\nthree /* four /* five */ six */ seven\n/// eight";
        assert_eq!(code_words(source), ["one", "three", "seven"]);
    }

    #[test]
    fn what_stands_in_literals_is_no_code() {
        let text = RustText::of(r####"f("a \" b", r#"c " d"#, b"e", 'g', '"', '\'', h)"####);
        let literals: Vec<_> = text.literals.iter().map(|found| &*found.text).collect();
        assert_eq!(literals, [r#"a \" b"#, r#"c " d"#, "e"]);
        assert!(text.code.ends_with(", h)"), "{}", text.code);
        assert!(!text.code.contains('g'), "{}", text.code);
    }

    #[test]
    fn lifetimes_and_raw_identifiers_open_nothing() {
        let source = "fn f<'a>(x: &'a str) -> &'a str { r#match(x) } // end";
        assert!(RustText::of(source).code.contains("r#match(x) }"));
        assert!(RustText::of(source).literals.is_empty());
    }

    #[test]
    fn offsets_and_lines_are_those_of_the_file() {
        let text = RustText::of("/* äöü\n */ let a = \"b\nc\";\nword");
        let at = text.words("word").next().expect("the word is there");
        assert_eq!(text.line(at), 4);
        assert_eq!(text.line(text.literals[0].start), 2);
    }

    #[test]
    fn paths_are_found_alone_and_in_groups() {
        let found = |source: &str| RustText::of(source).paths("std", "fs").count();
        assert_eq!(found("use std::fs;"), 1);
        assert_eq!(found("let a = std :: fs::read(b);"), 1);
        assert_eq!(found("use std::{io::{self, Read}, fs::File};"), 1);
        assert_eq!(found("use std::{io::{fs, Read}, sync};"), 0);
        assert_eq!(found("use nostd::fs; use std::fsync; use std::sync;"), 0);
    }

    #[test]
    fn attributes_are_found_outer_and_inner() {
        let text = RustText::of("#![a(b)]\n#[c = \"]\"]\n#[d([e])] let f = r#type;");
        let found: Vec<_> = text.attributes().map(|range| &text.code[range]).collect();
        assert_eq!(found, ["a(b)", "c = \" \"", "d([e])"]);
    }

    #[test]
    fn code_for_tests_only_ends_with_its_module() {
        let source = "#[cfg(test)] mod a { x { } y }\n#[cfg(not(test))] mod b { z }\n\
                      #[cfg(all(test, unix))] #[c] fn d() { v }\n#[cfg(test)] mod e; f { g }";
        let text = RustText::of(source);
        let ranges = text.test_only().into_iter();
        let found: Vec<_> = ranges.map(|range| text.code[range].trim()).collect();
        assert_eq!(found, ["x { } y", "v"]);
    }
}
