//! JSON in, as every transport parses it: strict, bounded by the parser's own depth limit, and with the field named in
//! every complaint.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::FieldError;

/// Why a text is not the JSON that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// The text is no JSON at all.
    #[error("this is no JSON: {0}")]
    Syntax(String),
    /// It is JSON, of another shape.
    #[error("{}", .0.detail)]
    Shape(FieldError),
}

/// What to do with fields that nobody asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownFields {
    /// A misspelt field must not be passed over in silence.
    Refuse,
    /// Clients of other systems send more than we know.
    PassOver,
}

/// Parses the JSON object `json`, and names the field in what it complains about.
///
/// # Errors
/// [`ParseError`], with a JSON pointer where the text is JSON of another shape.
pub fn parse<T: DeserializeOwned>(json: &[u8], unknown: UnknownFields) -> Result<T, ParseError> {
    match shaped(json, unknown) {
        // The first wrong field ended the reading: whether what follows it is JSON is seen only now.
        Err(ParseError::Shape(field)) => match serde_json::from_slice::<Whole>(json) {
            Ok(_) => Err(ParseError::Shape(field)),
            Err(error) => Err(ParseError::Syntax(error.to_string())),
        },
        parsed => parsed,
    }
}

/// Reads `json` in one pass; `None` where that fails, and says nothing of why: ask [`parse`] then.
///
/// This is the fast half of what [`parse`] does, for what comes a hundred thousand times a second and is mostly right.
/// `T` must take nothing that [`parse`] does not, and so refuses unknown fields by itself (`deny_unknown_fields`).
#[must_use]
pub fn read<'de, T: Deserialize<'de>>(json: &'de str) -> Option<T> {
    serde_json::from_str::<Object<T>>(json)
        .ok()
        .map(|Object(value)| value)
}

/// A structure that is an object, and not the list of its fields, which the parser would take for one.
#[derive(Debug)]
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }

        deserializer.deserialize_map(Fields(PhantomData))
    }
}

fn shaped<T: DeserializeOwned>(json: &[u8], unknown: UnknownFields) -> Result<T, ParseError> {
    // The fields of a structure could also be read from a list, by their order: nobody means that.
    if json.trim_ascii_start().starts_with(b"[") {
        let field = FieldError::invalid("", "must be an object, not a list");
        return Err(ParseError::Shape(field));
    }
    let mut surplus = None;
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let parsed = serde_ignored::deserialize(&mut deserializer, |path| {
        surplus.get_or_insert_with(|| ignored_pointer(&path));
    });
    match parsed.and_then(|value| deserializer.end().map(|()| value)) {
        Ok(value) => match surplus {
            Some(pointer) if unknown == UnknownFields::Refuse => Err(ParseError::Shape(
                FieldError::invalid(pointer, "there is no such field"),
            )),
            _ => Ok(value),
        },
        Err(error) if error.is_data() => Err(ParseError::Shape(locate::<T>(json, &error))),
        Err(error) => Err(ParseError::Syntax(error.to_string())),
    }
}

/// Any JSON, read to its end and kept nowhere. Unlike what a parser passes over, its texts and its depth are checked.
struct Whole;

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Whole)
    }
}

impl<'de> Visitor<'de> for Whole {
    type Value = Whole;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Whole, E> {
        Ok(Whole)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Whole, E> {
        Ok(Whole)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Whole, E> {
        Ok(Whole)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Whole, E> {
        Ok(Whole)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Whole, E> {
        Ok(Whole)
    }

    fn visit_str<E>(self, _: &str) -> Result<Whole, E> {
        Ok(Whole)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Whole, A::Error> {
        while list.next_element::<Whole>()?.is_some() {}
        Ok(Whole)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Whole, A::Error> {
        while map.next_entry::<Whole, Whole>()?.is_some() {}
        Ok(Whole)
    }
}

/// Parses once more, slower, to learn where the error is.
fn locate<T: DeserializeOwned>(json: &[u8], error: &serde_json::Error) -> FieldError {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    match serde_path_to_error::deserialize::<_, T>(&mut deserializer) {
        Ok(_) => FieldError::invalid("", error.to_string()),
        Err(located) => {
            let pointer = error_pointer(located.path(), &located.inner().to_string());
            FieldError::invalid(pointer, without_position(&located.inner().to_string()))
        }
    }
}

/// A missing field is reported at the object that lacks it; name the field itself.
fn error_pointer(path: &serde_path_to_error::Path, message: &str) -> String {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } => pointer.push_str(&format!("/{}", escaped(key))),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    let named = message
        .strip_prefix("missing field `")
        .or_else(|| message.strip_prefix("duplicate field `"));
    if let Some(field) = named.and_then(|rest| rest.split('`').next())
        && !pointer.ends_with(&format!("/{field}"))
    {
        pointer.push('/');
        pointer.push_str(&escaped(field));
    }
    pointer
}

fn ignored_pointer(path: &serde_ignored::Path<'_>) -> String {
    use serde_ignored::Path;
    match path {
        Path::Root => String::new(),
        Path::Seq { parent, index } => format!("{}/{index}", ignored_pointer(parent)),
        Path::Map { parent, key } => format!("{}/{}", ignored_pointer(parent), escaped(key)),
        Path::Some { parent }
        | Path::NewtypeStruct { parent }
        | Path::NewtypeVariant { parent } => ignored_pointer(parent),
    }
}

/// RFC 6901, section 3.
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// The parser's " at line 1 column 5" helps nobody who is told the field.
fn without_position(message: &str) -> &str {
    message.split(" at line ").next().unwrap_or(message)
}

/// For fields where `null` and absence mean different things, as in a PATCH: `None` is absent, `Some(None)` is null.
///
/// Use with `#[serde(default, deserialize_with = "…")]`.
///
/// # Errors
/// Those of `T`.
pub fn present<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    T::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Body {
        name: String,
        #[serde(default)]
        list: Vec<u8>,
    }

    fn shape(json: &str) -> (String, String) {
        match parse::<Body>(json.as_bytes(), UnknownFields::Refuse) {
            Err(ParseError::Shape(field)) => (field.pointer, field.detail),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_field_is_named() {
        assert_eq!(shape(r#"{"name":1}"#).0, "/name");
        assert_eq!(shape(r#"{"name":"a","list":[1,"b"]}"#).0, "/list/1");
        assert_eq!(shape("{}"), ("/name".into(), "missing field `name`".into()));
        assert_eq!(shape(r#"{"name":"a","name":"b"}"#).0, "/name");
        assert_eq!(
            shape(r#"{"name":"a","na/me":1}"#),
            ("/na~1me".into(), "there is no such field".into())
        );
        assert_eq!(shape("1").0, "");
        for list in ["[1]", r#" ["a"]"#] {
            assert_eq!(
                shape(list),
                ("".into(), "must be an object, not a list".into())
            );
        }
    }

    #[test]
    fn surplus_fields_can_be_passed_over() {
        let body =
            parse::<Body>(br#"{"name":"a","more":{"x":[]}}"#, UnknownFields::PassOver).unwrap();
        assert_eq!(
            body,
            Body {
                name: "a".into(),
                list: vec![]
            }
        );
    }

    #[test]
    fn what_is_no_json_is_told_apart() {
        let deep = "[".repeat(100_000);
        let deep_field = format!(r#"{{"name":{deep}"#);
        let broken_later = r#"{"name":1,"list":[1"#;
        for json in [
            "",
            "{",
            "{}x",
            "nul",
            "\u{feff}{}",
            &deep,
            &deep_field,
            broken_later,
        ] {
            assert!(
                matches!(
                    parse::<Body>(json.as_bytes(), UnknownFields::Refuse),
                    Err(ParseError::Syntax(_))
                ),
                "{json:.9}"
            );
        }
        assert!(matches!(
            parse::<serde_json::Value>(deep.as_bytes(), UnknownFields::Refuse),
            Err(ParseError::Syntax(_))
        ));
        assert!(matches!(
            parse::<Body>(b"{\"name\":\"\xff\"}", UnknownFields::Refuse),
            Err(ParseError::Syntax(_))
        ));
    }
}
