//! Listings come in pages.

use serde::Serialize;

use super::view::PollView;
use crate::{PollId, ProjectId};

/// Which page of a listing.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct PageRequest {
    /// How many polls at most: from 1 to [`page_polls`](crate::Settings::page_polls), which is also what counts where it is not
    /// said.
    pub limit: Option<usize>,
    /// Where the page before ended.
    pub cursor: Option<PollId>,
    /// Only the polls of this project.
    pub project: Option<ProjectId>,
}

impl PageRequest {
    /// A page.
    #[must_use]
    pub const fn new(limit: Option<usize>, cursor: Option<PollId>) -> Self {
        Self {
            limit,
            cursor,
            project: None,
        }
    }

    /// Only the polls of this project; of every one where it is `None`.
    #[must_use]
    pub const fn of_project(mut self, project: Option<ProjectId>) -> Self {
        self.project = project;
        self
    }
}

/// A page of a listing.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct Page {
    /// The polls, newest first.
    pub items: Vec<PollView>,
    /// Where the next page begins; null where there is none. Only this says whether there are more: a page may have fewer polls
    /// than were asked for.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub next_cursor: Option<PollId>,
}
