//! Why a schema was not brought up to date, in words, and with what somebody can do about it.

use std::error::Error;

use tokio_postgres::Client;
use tokio_postgres::error::{DbError, SqlState};

use super::SchemaName;
use crate::OpenError;

/// What was being done.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// Asking where the schema stands.
    Look,
    /// Making the schema itself, in which the tables will be.
    MakeSchema,
    /// Making what is in it.
    Migrate,
}

/// Who asks, where: for a statement that can be copied.
const WHO_AND_WHERE: &str = "\
-- schema.who_and_where
SELECT quote_ident(current_user), quote_ident(current_database())";

/// What the database says, with the statements that give a role the right that it lacks. Those take a question more,
/// which is asked on the same connection.
pub(super) async fn explain(
    client: &Client,
    schema: &SchemaName,
    step: Step,
    error: impl Error + Send + Sync + 'static,
) -> OpenError {
    let Some(said) = database_error(&error) else {
        return OpenError::migration(chain(&error));
    };
    let mut words = in_words(said);
    if *said.code() == SqlState::INSUFFICIENT_PRIVILEGE {
        let who = client.query_one(WHO_AND_WHERE, &[]).await;
        let (role, database) = who.map_or_else(
            |_| ("the role".to_owned(), "the database".to_owned()),
            |row| (row.get(0), row.get(1)),
        );
        words = format!("{words}; {}", remedy(step, schema, &role, &database));
    }
    OpenError::migration(words)
}

fn remedy(step: Step, schema: &SchemaName, role: &str, database: &str) -> String {
    match step {
        Step::Look => format!(
            "the role {role} may not look into the schema {schema}: somebody who may has to run \
             GRANT USAGE ON SCHEMA {schema} TO {role}, and then either GRANT CREATE ON SCHEMA {schema} TO {role}, which \
             then migrates it, or, where it is up to date, \
             GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}"
        ),
        Step::MakeSchema => format!(
            "there is no schema {schema} yet, and the role {role} may not make it: somebody who may has to run either \
             GRANT CREATE ON DATABASE {database} TO {role}, or CREATE SCHEMA {schema} AUTHORIZATION {role}"
        ),
        Step::Migrate => format!(
            "the role {role} may not make tables in the schema {schema}: somebody who may has to run \
             GRANT USAGE, CREATE ON SCHEMA {schema} TO {role}"
        ),
    }
}

/// What PostgreSQL said, however deep it lies.
fn database_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a DbError> {
    causes(error).find_map(<dyn Error>::downcast_ref)
}

fn in_words(said: &DbError) -> String {
    let mut words = format!("{} ({})", said.message(), said.code().code());
    for more in [said.detail(), said.hint()].into_iter().flatten() {
        words.push_str(": ");
        words.push_str(more);
    }
    words
}

fn chain(error: &(dyn Error + 'static)) -> String {
    let words: Vec<String> = causes(error).map(ToString::to_string).collect();
    words.join(": ")
}

/// The error, and what caused it, outermost first.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}
