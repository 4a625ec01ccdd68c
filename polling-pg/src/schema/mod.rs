//! The schema: its name, and how a database gets to it.

mod migrations;
mod name;

pub use migrations::Migrations;
pub use name::{InvalidSchemaName, SchemaName};
