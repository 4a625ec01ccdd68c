//! The PostgreSQL store and notifier of the polling engine.
