//! The embedded store of the polling engine: a durable SQLite file, or memory.
