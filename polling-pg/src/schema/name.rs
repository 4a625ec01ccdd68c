//! The name of the schema in which everything lives, so that it can live in an application's own database.

use std::fmt;
use std::str::FromStr;

/// The name of a schema: from 1 to 40 of the characters `a` to `z`, `0` to `9` and `_`, not beginning with a digit or with
/// `pg_`, and not that of PostgreSQL's own. The names made from it are short enough for PostgreSQL.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SchemaName(String);

/// A name that no schema of ours can have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no name for the schema: 1 to 40 of the characters a to z, 0 to 9 and _, not beginning with a digit or pg_"
)]
pub struct InvalidSchemaName(String);

const MOST_CHARS: usize = 40;

/// What stands for the name in the templates.
const PLACEHOLDER: &str = "{schema}";

impl SchemaName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The statement that `template` becomes. The name is quoted, because it may be a word of SQL.
    pub(crate) fn fill(&self, template: &str) -> String {
        template.replace(PLACEHOLDER, &format!("\"{}\"", self.0))
    }

    /// The channel on which the servers of this schema tell each other what moved.
    pub(crate) fn channel(&self) -> String {
        format!("{}_results", self.0)
    }
}

impl Default for SchemaName {
    /// `polling`.
    fn default() -> Self {
        Self("polling".to_owned())
    }
}

impl FromStr for SchemaName {
    type Err = InvalidSchemaName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let is_good = (1..=MOST_CHARS).contains(&name.len())
            && name.chars().all(is_plain)
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && !name.starts_with("pg_")
            && name != "information_schema";
        if is_good {
            Ok(Self(name.to_owned()))
        } else {
            Err(InvalidSchemaName(name.to_owned()))
        }
    }
}

impl fmt::Display for SchemaName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_plain_and_nobody_elses() {
        let longest = "a".repeat(MOST_CHARS);
        for good in ["polling", "_x", "polls_2", longest.as_str()] {
            assert_eq!(good.parse::<SchemaName>().unwrap().as_str(), good);
        }
        let too_long = "a".repeat(MOST_CHARS + 1);
        for bad in [
            "",
            "2polls",
            "pg_polls",
            "information_schema",
            "Polls",
            "a b",
            "a\"b",
            "a.b",
            "a;b",
            "ä",
            too_long.as_str(),
        ] {
            assert!(bad.parse::<SchemaName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_name_is_filled_in_everywhere() {
        let name: SchemaName = "my".parse().unwrap();
        assert_eq!(
            name.fill("a {schema}.b, {schema}.c"),
            "a \"my\".b, \"my\".c"
        );
    }
}
