//! What the polling engine is like to use: a server, an embedding, a watcher; and the tests end to end.
