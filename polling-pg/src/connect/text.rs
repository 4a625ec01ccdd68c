//! The two forms in which libpq takes settings, taken apart into pairs of keyword and value.
//!
//! No message repeats a piece of the text whose place is unclear: it may be part of a password.

use std::collections::BTreeMap;

use super::ConnectOptionsError;

/// Keyword and value as they stand in the text; the last one wins, as it does in libpq.
pub(super) type Pairs = BTreeMap<String, String>;

const ENCODE: &str = "in a URL a password with any of / @ : ? # % in it must be percent-encoded";

/// Takes a URL or `keyword=value` pairs apart.
pub(super) fn pairs(text: &str) -> Result<Pairs, ConnectOptionsError> {
    let text = text.trim();
    let rest = ["postgres://", "postgresql://"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme));
    match rest {
        Some(rest) => url(rest),
        None if text.contains("://") => Err(malformed(
            "a URL must begin with postgres:// or postgresql://",
        )),
        None => keywords(text),
    }
}

fn malformed(reason: impl Into<String>) -> ConnectOptionsError {
    ConnectOptionsError::Malformed {
        reason: reason.into(),
    }
}

/// `[user[:password]@][host[:port],…][/database][?keyword=value&…]`, all of it optional.
fn url(rest: &str) -> Result<Pairs, ConnectOptionsError> {
    let mut pairs = Pairs::new();
    let mut rest = rest;
    let end = rest.find(['@', '/']).unwrap_or(rest.len());
    if rest[end..].starts_with('@') {
        let (user, password) = rest[..end].split_once(':').unwrap_or((&rest[..end], ""));
        insert(&mut pairs, "user", decode(user, "the user")?);
        insert(&mut pairs, "password", decode(password, "the password")?);
        rest = &rest[end + 1..];
    }
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (places, database) = rest.split_once('/').unwrap_or((rest, ""));
    if rest.contains('@') {
        return Err(malformed(format!("there is an @ out of place: {ENCODE}")));
    }
    hosts(places, &mut pairs)?;
    insert(&mut pairs, "dbname", decode(database, "the database")?);
    for parameter in query.split('&').filter(|text| !text.is_empty()) {
        let (keyword, value) = parameter.split_once('=').ok_or_else(|| {
            malformed("a parameter after the ? has no = between keyword and value")
        })?;
        let keyword = decode(keyword, "a keyword after the ?")?;
        let value = decode(value, "a value after the ?")?;
        // What JDBC writes; libpq takes it in URLs alone.
        if keyword == "ssl" && value == "true" {
            pairs.insert("sslmode".to_owned(), "require".to_owned());
        } else {
            pairs.insert(keyword, value);
        }
    }
    Ok(pairs)
}

/// What is left out of a URL is left to the environment, as libpq does it.
fn insert(pairs: &mut Pairs, keyword: &str, value: String) {
    if !value.is_empty() {
        pairs.insert(keyword.to_owned(), value);
    }
}

/// `host:port,[::1]:port,…` as the lists `host` and `port`.
fn hosts(text: &str, pairs: &mut Pairs) -> Result<(), ConnectOptionsError> {
    let mut names = Vec::new();
    let mut ports = Vec::new();
    for place in text.split(',') {
        let (name, port) = match place.strip_prefix('[') {
            Some(bracketed) => bracketed
                .split_once(']')
                .filter(|(address, _)| !address.is_empty())
                .ok_or_else(|| malformed("an IPv6 address must stand in [ ]"))?,
            None => place.split_at(place.find(':').unwrap_or(place.len())),
        };
        let port = match port.strip_prefix(':') {
            None if !port.is_empty() => {
                return Err(malformed("after an IPv6 address comes : and a port"));
            }
            port => port.unwrap_or_default(),
        };
        names.push(decode(name, "a host")?);
        ports.push(decode(port, "a port")?);
    }
    if names.iter().any(|name| !name.is_empty()) {
        pairs.insert("host".to_owned(), names.join(","));
    }
    if ports.iter().any(|port| !port.is_empty()) {
        pairs.insert("port".to_owned(), ports.join(","));
    }
    Ok(())
}

fn decode(text: &str, what: &str) -> Result<String, ConnectOptionsError> {
    let wrong = |how: &str| malformed(format!("{what} has {how}: {ENCODE}"));
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16));
        match (digit(), digit()) {
            (Some(0), Some(0)) => return Err(wrong("the forbidden byte %00")),
            (Some(high), Some(low)) => bytes.extend(u8::try_from(high * 16 + low)),
            _ => return Err(wrong("a % without two hexadecimal digits")),
        }
    }
    String::from_utf8(bytes).map_err(|_| wrong("bytes that are not UTF-8"))
}

/// `keyword = value keyword='a value'`, where a backslash takes the next character as it stands.
fn keywords(text: &str) -> Result<Pairs, ConnectOptionsError> {
    let mut pairs = Pairs::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (keyword, value) = rest.split_once('=').ok_or_else(|| {
            malformed("a keyword has no = after it (a value with spaces must stand in ' ')")
        })?;
        let keyword = keyword.trim_end();
        if keyword.is_empty() || keyword.contains(char::is_whitespace) {
            return Err(malformed(
                "something stands between two settings (a value with spaces must stand in ' ')",
            ));
        }
        let (value, after) = value_of(value.trim_start())?;
        pairs.insert(keyword.to_owned(), value);
        rest = after.trim_start();
    }
    Ok(pairs)
}

/// The value that `text` begins with, and what comes after it.
fn value_of(text: &str) -> Result<(String, &str), ConnectOptionsError> {
    let (quoted, body) = match text.strip_prefix('\'') {
        Some(body) => (true, body),
        None => (false, text),
    };
    let mut value = String::new();
    let mut characters = body.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            '\'' if quoted => return Ok((value, &body[at + 1..])),
            space if !quoted && space.is_whitespace() => return Ok((value, &body[at..])),
            other => value.push(other),
        }
    }
    if quoted {
        return Err(malformed("a value begins with ' and does not end with one"));
    }
    Ok((value, ""))
}
