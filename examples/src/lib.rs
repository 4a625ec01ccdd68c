//! What the polling engine is like to use: a server, an embedding, a watcher; and the tests end to end.
//!
//! The programs are examples of this package; this library only makes the tests compile what the README shows.

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
