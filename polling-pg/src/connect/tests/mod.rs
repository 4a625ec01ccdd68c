//! Texts, and connections to private clusters.

mod texts;
