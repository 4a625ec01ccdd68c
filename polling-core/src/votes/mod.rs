//! Ballots: the road from a request to a durable row, and back to the voter.
//!
//! [`Votes::cast`] checks what the door can check and hands the ballot to the intake; a lane commits whatever arrived
//! while its last batch was being flushed; the store, through the poll's gate, decides; every caller gets the outcome of
//! their own ballot, after the commit.

mod aside;
mod door;
mod error;
mod gate;
pub(crate) mod identify;
pub(crate) mod intake;
mod lane;
mod members;
mod model;
mod plan;
mod recall;
mod receipt;
mod recorder;
mod reply;
mod repository;
mod service;
mod shares;
mod split;
mod standing;
mod token;
mod twins;
mod verdict;
mod voter;
mod waiting;
mod wire;

pub use error::VoteError;
pub use gate::{Refusal, admit, takes};
pub use model::{Ballot, BallotRecord, Chosen, RecordedBallot, Selection};
pub use plan::{Held, VotePlan, plan_vote};
pub use receipt::{OwnBallot, Receipt};
pub use repository::{
    Change, Outcome, RecordError, Recorded, VoteRepository, VoteWriter, Withdrawal,
};
pub use service::Votes;
pub use standing::{ChangePlan, Name, Standing, WithdrawalPlan};
pub use voter::{Voter, VoterKey};
pub use wire::{BatchBody, VoteBody};
