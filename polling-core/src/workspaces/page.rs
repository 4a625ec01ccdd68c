//! The listings of the room come in pages.

use serde::Serialize;

use super::error::WorkspaceError;
use crate::Settings;
use crate::page::Room;

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

    /// How much the page has room for.
    pub(super) fn room(&self, settings: &Settings) -> Result<Room, WorkspaceError> {
        let room = Room::of(self.limit, settings, "items");
        room.map_err(|field| WorkspaceError::Invalid(vec![field]))
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
    /// Where the next page begins; `None` where there is none. Only this says whether there are more: a page ends with
    /// [`page_bytes`](crate::Settings::page_bytes), too.
    pub next_cursor: Option<C>,
}

/// About what an item takes as JSON, beside its texts.
const ITEM_BYTES: usize = 256;

impl<T, C> Listing<T, C> {
    /// The first of what was found, as many as there is room for. `texts` is how many bytes the texts of one have.
    pub(super) fn of<R: Into<T>>(
        mut found: Vec<R>,
        room: Room,
        id: impl Fn(&R) -> C,
        texts: impl Fn(&R) -> usize,
    ) -> Self {
        let more = room.cut(&mut found, |item| ITEM_BYTES + texts(item));
        Self {
            next_cursor: found.last().filter(|_| more).map(id),
            items: found.into_iter().map(Into::into).collect(),
        }
    }
}
