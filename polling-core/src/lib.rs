//! Domain types, ports and use cases of the polling engine: no I/O, no SQL, no HTTP.
