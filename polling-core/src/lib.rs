//! The core of an embeddable, real-time polling engine: durable before it answers, exact, retry-safe and live.
//!
//! This crate knows no I/O, SQL, HTTP or environment. It holds the domain types, the ports (traits) that stores and
//! transports plug into, and the use cases, one room for each part of the domain:
//!
//! | room | what lives there |
//! | --- | --- |
//! | [`polls`] | what a poll is, its life from draft to closed, who may do what with it |
//! | [`votes`] | ballots, the intake that commits them in batches, change and withdrawal |
//! | [`results`] | tallies, the hub that holds the newest one of each watched poll, live results |
//! | [`vote_tokens`] | one-time tokens, each good for one ballot in one poll |
//! | [`limits`] | how often somebody may do what, counted by user, token or address |
//! | [`users`] | accounts, passwords and access tokens (with the feature `accounts`) |
//! | [`workspaces`] | who keeps polls together: members, roles, invitations, projects (with the feature `accounts`) |
//!
//! [`Engine`] is the one handle that an application or a transport holds. Every call takes an [`Actor`] first: who asks.
//!
//! Each room has the same files where it needs them: `model.rs` (types and pure rules), `repository.rs` (the port,
//! written as a contract), `service.rs` (use cases), `wire.rs` (the JSON that several transports parse).
#![cfg_attr(docsrs, feature(doc_cfg))]

mod actor;
mod address;
mod clock;
mod clock_jump;
mod engine;
mod error;
mod guarded_clock;
mod id;
pub mod limits;
mod log_rate;
#[cfg(feature = "openapi")]
pub mod openapi;
mod page;
pub mod polls;
mod problem;
mod repository;
pub mod results;
mod settings;
mod store_clock;
mod text;
mod tickets;
mod timestamp;
pub mod users;
pub mod vote_tokens;
pub mod votes;
pub mod wire;
pub mod workspaces;

pub use actor::{Actor, AuthError, Authenticator, TokenHash, bearer};
pub use address::{ParseNetworkError, PeerAddress, TrustedProxies};
pub use clock::{Clock, FakeClock, SystemClock};
pub use engine::{BuildError, Engine, EngineBuilder};
pub use error::{Cause, Code, Fault, FeatureOff, FieldError, Kind, StoreError};
pub use id::{
    BallotId, IdSource, ImportId, InvitationId, OptionId, PollId, ProjectId, RandomIds, SeededIds,
    SessionId, UserId, WorkspaceId,
};
pub use log_rate::{LeftOut, LogRate};
pub use polls::{NewPoll, PollView};
pub use problem::Problem;
pub use repository::Repository;
pub use results::{Results, Revision, Tally};
pub use settings::{
    BulkSettings, FeatureSettings, ImportSettings, LimitSettings, PollLimits, Settings,
    WorkspaceLimits,
};
pub use tickets::{Ticket, TicketError};
pub use timestamp::Timestamp;
pub use votes::{Ballot, Receipt, Voter};
