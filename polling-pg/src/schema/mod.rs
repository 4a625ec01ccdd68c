//! The schema: its name, and how a database gets to it.

mod migrations;
mod name;
mod refusal;

pub use migrations::Migrations;
pub use name::{InvalidSchemaName, SchemaName};
