//! The HTTP face of the polling engine: one tower service on hyper.
