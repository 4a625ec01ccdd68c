//! Private, throw-away PostgreSQL clusters for tests and benches.
