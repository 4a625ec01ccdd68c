//! What a poll is, its life, and who may do what with it.
//!
//! A poll has two halves. [`Poll`] is its definition: question, options, who may vote. Its options, choice and voters are
//! fixed once it is published. The other half is its [`Tally`](crate::results::Tally): status, window, visibility and
//! counters, all that moves with the poll's one revision. The tally is the gate that every ballot, and every step from
//! draft to closed, passes through.

pub(crate) mod access;
pub(crate) mod cache;
mod edit;
mod error;
mod fields;
mod model;
mod new;
mod page;
mod project;
pub(crate) mod purge;
mod reading;
mod repository;
pub(crate) mod schedule;
mod service;
mod step;
mod view;

pub use edit::{PollEdit, PollPatch};
pub use error::PollError;
pub use model::{
    Choice, Description, OptionText, Poll, PollOption, PollRecord, ProjectRef, Question,
    ShowResults, Status, Voters, Window,
};
pub use new::{ChoiceKind, NewChoice, NewOption, NewPoll};
pub use page::{Page, PageRequest};
pub use repository::{Advanced, DueStep, Edited, Kept, ListQuery, PollRepository, ProjectQuery};
pub(crate) use service::MANAGE_TOKEN_PREFIX;
pub use service::Polls;
pub use step::Step;
pub use view::{ManageToken, OptionView, PollView};
