//! Everything that cargo bench runs.
