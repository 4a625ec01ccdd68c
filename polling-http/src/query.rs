//! Query parameters, taken one by one by their names; those that nobody asks for are passed over.

use std::borrow::Cow;
use std::str::FromStr;

use percent_encoding::percent_decode_str;
use polling_core::FieldError;

use crate::problem::Problem;

/// The query of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Query<'a>(&'a str);

impl<'a> Query<'a> {
    pub(crate) fn of(uri: &'a http::Uri) -> Self {
        Self(uri.query().unwrap_or_default())
    }

    /// The text of a parameter; `None` where it is not there.
    ///
    /// # Errors
    /// `invalid` where it is there twice, or is no UTF-8: a voter must not be mistaken for another.
    pub(crate) fn text(self, name: &str) -> Result<Option<String>, Problem> {
        let mut found = None;
        for pair in self.0.split('&') {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            if decoded(key).as_deref() != Some(name) {
                continue;
            }
            let value = decoded(value).ok_or_else(|| invalid(name, "must be UTF-8"))?;
            if found.replace(value).is_some() {
                return Err(invalid(name, "stands there twice"));
            }
        }
        Ok(found)
    }

    /// A parameter of a type; `None` where it is not there.
    ///
    /// # Errors
    /// As [`text`](Self::text), and `invalid` where it is no `T`, which `detail` describes.
    pub(crate) fn parsed<T: FromStr>(self, name: &str, detail: &str) -> Result<Option<T>, Problem> {
        let text = self.text(name)?;
        text.map(|text| text.parse().map_err(|_| invalid(name, detail)))
            .transpose()
    }
}

/// As HTML forms write it; `None` where that gives no UTF-8.
fn decoded(text: &str) -> Option<String> {
    let text = match text.contains('+') {
        true => Cow::Owned(text.replace('+', " ")),
        false => Cow::Borrowed(text),
    };
    let decoded = percent_decode_str(&text).decode_utf8().ok()?;
    Some(decoded.into_owned())
}

fn invalid(name: &str, detail: &str) -> Problem {
    Problem::invalid_field(FieldError::invalid(format!("/{name}"), detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_found_and_decoded() {
        let query = Query("voter=a%20b+c%C3%A9&limit=5&flag&=x");
        assert_eq!(query.text("voter").unwrap().as_deref(), Some("a b cé"));
        assert_eq!(query.parsed::<u64>("limit", "x").unwrap(), Some(5));
        assert_eq!(query.text("flag").unwrap().as_deref(), Some(""));
        assert_eq!(query.text("cursor").unwrap(), None);
        assert_eq!(Query("").text("voter").unwrap(), None);
    }

    #[test]
    fn a_bad_value_is_named() {
        for query in [
            "limit=x",
            "limit=-1",
            "limit=1&limit=2",
            "limit=%FF",
            "limit=",
        ] {
            let problem = Query(query).parsed::<usize>("limit", "must be a number");
            let json = String::from_utf8(problem.unwrap_err().json()).unwrap();
            assert!(json.contains(r#""pointer":"/limit""#), "{query}: {json}");
            assert!(json.contains(r#""status":422"#), "{query}: {json}");
        }
    }
}
