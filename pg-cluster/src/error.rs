//! Why there is no server.

use std::io;

/// Why a server did not start, or did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The machine has no such server.
    #[error("{what} is missing: `cargo xtask test --install` brings it")]
    Missing {
        /// The program, and where it was looked for.
        what: String,
    },
    /// A program ended, or did not get ready in time.
    #[error("{program} {what}; it said:\n{log}")]
    Failed {
        /// Which program it was.
        program: &'static str,
        /// What it did instead of what was wanted.
        what: String,
        /// The end of what it wrote.
        log: String,
    },
    /// The system refused something that a server needs.
    #[error("cannot {doing}: {source}")]
    System {
        /// What was tried.
        doing: String,
        /// What the system said.
        source: io::Error,
    },
}

/// Says what was being done when the system refused.
pub(crate) trait While<T> {
    fn during(self, doing: impl FnOnce() -> String) -> Result<T, Error>;
}

impl<T> While<T> for io::Result<T> {
    fn during(self, doing: impl FnOnce() -> String) -> Result<T, Error> {
        self.map_err(|source| Error::System {
            doing: doing(),
            source,
        })
    }
}
