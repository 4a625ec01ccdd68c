//! Where comments and literals of a Rust file begin and end. Its tests are those of
//! [`super::rust_text`], which has no other source.

use std::ops::Range;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Code,
    Text,
    /// Comments and characters, which no check looks into.
    Blank,
}

/// What begins at `at`: its kind, its inside, and where the next one begins.
pub(super) fn lexeme(source: &[u8], at: usize) -> (Kind, Range<usize>, usize) {
    let rest = &source[at..];
    let until = |length: usize| (Kind::Blank, at..at + length, at + length);
    if rest.starts_with(b"//") {
        until(length_to(rest, b"\n"))
    } else if rest.starts_with(b"/*") {
        until(block_comment(rest))
    } else if let Some(hashes) = raw_opening(source, at) {
        let start = at + hashes + 2;
        let close = format!("\"{}", "#".repeat(hashes));
        let end = start + length_to(&source[start..], close.as_bytes());
        (Kind::Text, start..end, end + close.len())
    } else if rest[0] == b'"' {
        let end = at + 1 + escaped_until(&rest[1..], b'"');
        (Kind::Text, at + 1..end, end + 1)
    } else if let Some(length) = character(rest) {
        (Kind::Blank, at + 1..at + length - 1, at + length)
    } else {
        (Kind::Code, at..at + 1, at + 1)
    }
}

fn length_to(bytes: &[u8], end: &[u8]) -> usize {
    let found = bytes.windows(end.len()).position(|window| window == end);
    found.unwrap_or(bytes.len())
}

/// The length of the block comment that `bytes` begins with; they nest.
fn block_comment(bytes: &[u8]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if bytes[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    at
}

/// The number of hashes, if a raw string (`r"`, `r#"`, `br"`, …) begins with the `r` at `at`.
fn raw_opening(source: &[u8], at: usize) -> Option<usize> {
    let after = source[at..].strip_prefix(b"r")?;
    let hashes = after.iter().take_while(|byte| **byte == b'#').count();
    let before = source[..at]
        .strip_suffix(b"b")
        .or(source[..at].strip_suffix(b"c"));
    let before = before.unwrap_or(&source[..at]);
    let in_word = before
        .last()
        .is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    (after.get(hashes) == Some(&b'"') && !in_word).then_some(hashes)
}

/// The offset of the first `quote` that no backslash escapes.
fn escaped_until(bytes: &[u8], quote: u8) -> usize {
    let mut at = 0;
    while at < bytes.len() && bytes[at] != quote {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at.min(bytes.len())
}

/// The length of the character literal that `bytes` begins with; a lifetime is none.
fn character(bytes: &[u8]) -> Option<usize> {
    let after = bytes.strip_prefix(b"'")?;
    if after.first() == Some(&b'\\') {
        return Some(escaped_until(after, b'\'') + 2);
    }
    let end = after.iter().take(5).position(|byte| *byte == b'\'')?;
    let one = std::str::from_utf8(&after[..end]).ok()?.chars().count() == 1;
    one.then_some(end + 2)
}
