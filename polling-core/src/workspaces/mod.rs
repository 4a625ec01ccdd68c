//! Workspaces: people who keep polls together.
//!
//! A workspace has members, each with one [role](WorkspaceRole), and projects, which polls may belong to. Who may do what
//! is one pure table, in `access.rs`. A role is looked up in the store for each request, and never read from a token: who
//! loses it has lost it with the next request.
//!
//! The types and the port are always here, and so is what the rooms of the polls, votes and results ask of a membership
//! (`membership.rs`). The use cases come with the feature `accounts`, because people are invited by e-mail.

mod access;
#[cfg(feature = "accounts")]
mod before;
#[cfg(feature = "accounts")]
mod error;
#[cfg(feature = "accounts")]
mod invitations;
#[cfg(feature = "accounts")]
mod members;
pub(crate) mod membership;
mod model;
#[cfg(feature = "accounts")]
mod page;
#[cfg(feature = "accounts")]
mod projects;
mod repository;
#[cfg(feature = "accounts")]
mod service;
#[cfg(feature = "accounts")]
mod view;
#[cfg(feature = "accounts")]
mod wire;

pub(crate) use access::Action;
#[cfg(feature = "accounts")]
pub use error::WorkspaceError;
pub use model::{
    Invitation, Member, Project, ProjectName, Workspace, WorkspaceName, WorkspaceRole,
};
#[cfg(feature = "accounts")]
pub use page::{Listing, ListingRequest};
pub use repository::{
    Accepted, Added, Deleted, MemberChange, MembershipLimits, WorkspaceRepository,
};
#[cfg(feature = "accounts")]
pub use service::Workspaces;
#[cfg(feature = "accounts")]
pub use view::{InvitationView, MemberView, ProjectView, WorkspaceView};
#[cfg(feature = "accounts")]
pub use wire::{NewInvitation, NewProject, NewRole, NewWorkspace, ProjectPatch, WorkspacePatch};
