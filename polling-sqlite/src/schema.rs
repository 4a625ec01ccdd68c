//! The schema, and how a database gets to it.

use std::path::Path;

use refinery::Runner;
use rusqlite::Connection;

use crate::OpenError;

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// All that are missing are run in one transaction, with the rows that say so: a file is as it was, or up to date.
fn runner() -> Runner {
    embedded::migrations::runner().set_grouped(true)
}

/// `poll` in ASCII: what the first migration writes into the file's header.
const APPLICATION_ID: u32 = 0x706F_6C6C;

const TABLES: &str = "\
-- schema.count_tables
SELECT count(*) FROM sqlite_schema WHERE type = 'table'";

const HAS_HISTORY: &str = "\
-- schema.has_history
SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'refinery_schema_history'";

const VERSION: &str = "\
-- schema.version
SELECT ifnull(max(version), 0) FROM refinery_schema_history";

/// Refuses a database that is not ours, or newer than we are; brings an older one up to date where it may.
pub(crate) fn prepare(
    connection: &mut Connection,
    path: &Path,
    may_migrate: bool,
) -> Result<(), OpenError> {
    let found = version(connection, path)?;
    let runner = runner();
    let known = runner
        .get_migrations()
        .iter()
        .map(|migration| u32::try_from(migration.version()).unwrap_or(0))
        .max()
        .unwrap_or(0);
    if found > known {
        return Err(OpenError::NewerSchema { found, known });
    }
    if may_migrate {
        // Also where it is current: it compares what was run with what should have been.
        runner
            .run(connection)
            .map_err(|error| OpenError::Migration(error.into()))?;
    } else if found < known {
        return Err(OpenError::OldSchema {
            found,
            needed: known,
        });
    }
    Ok(())
}

/// The version of the schema, 0 for an empty database.
fn version(connection: &Connection, path: &Path) -> Result<u32, OpenError> {
    let sqlite = |error| OpenError::sqlite(path, error);
    let number = |sql| connection.query_row(sql, [], |row| row.get::<_, u32>(0));
    let application_id: u32 = connection
        .pragma_query_value(None, "application_id", |row| row.get(0))
        .map_err(sqlite)?;
    let is_ours = application_id == APPLICATION_ID;
    let has_history = number(HAS_HISTORY).map_err(sqlite)? > 0;
    let tables = number(TABLES).map_err(sqlite)?;
    // Migrations that did not come to their end leave an empty history, and nothing else.
    if !is_ours && tables > u32::from(has_history) {
        return Err(OpenError::Foreign {
            path: path.to_owned(),
        });
    }
    if has_history {
        number(VERSION).map_err(sqlite)
    } else {
        Ok(0)
    }
}

#[cfg(test)]
mod tests;
