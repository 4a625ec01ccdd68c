//! The listings of the room come in pages.

use serde::Serialize;

use super::error::WorkspaceError;
use crate::page;

/// Which page of a listing; `C` is the id by which it is sorted.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ListingRequest<C> {
    /// How many at most: from 1 to [`page_polls`](crate::Settings::page_polls), which is also what counts where it is not
    /// said.
    pub limit: Option<usize>,
    /// Where the page before ended.
    pub cursor: Option<C>,
}

impl<C> ListingRequest<C> {
    /// A page.
    #[must_use]
    pub const fn new(limit: Option<usize>, cursor: Option<C>) -> Self {
        Self { limit, cursor }
    }

    /// How many the page may have.
    pub(super) fn limit(&self, most: usize) -> Result<usize, WorkspaceError> {
        let limit = page::limit(self.limit, most, "items");
        limit.map_err(|field| WorkspaceError::Invalid(vec![field]))
    }
}

impl<C> Default for ListingRequest<C> {
    fn default() -> Self {
        Self::new(None, None)
    }
}

/// A page of a listing: this is the JSON.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Listing<T, C> {
    /// What is listed.
    pub items: Vec<T>,
    /// Where the next page begins; `None` where there is none.
    pub next_cursor: Option<C>,
}

impl<T, C> Listing<T, C> {
    /// The first `limit` of what was found, of which one more says that there is a next page.
    pub(super) fn of<R: Into<T>>(mut found: Vec<R>, limit: usize, id: impl Fn(&R) -> C) -> Self {
        let more = page::cut(&mut found, limit);
        Self {
            next_cursor: found.last().filter(|_| more).map(id),
            items: found.into_iter().map(Into::into).collect(),
        }
    }
}
