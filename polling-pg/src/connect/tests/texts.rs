//! The forms of libpq.
