//! The statements, each with the name of the schema filled in once.

use crate::schema::SchemaName;

/// Declares the statements of a room: a struct with a text for each.
macro_rules! statements {
    ($(#[$doc:meta])* $name:ident { $($field:ident = $sql:expr;)* }) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub(crate) struct $name { $(pub(crate) $field: String,)* }

        impl $name {
            pub(crate) fn of(schema: &crate::schema::SchemaName) -> Self {
                Self { $($field: schema.fill($sql),)* }
            }
        }
    };
}

pub(crate) use statements;

/// All statements of a store.
#[derive(Debug)]
pub(crate) struct Statements {
    pub(crate) store: crate::store::StoreStatements,
    pub(crate) polls: crate::polls::PollStatements,
    pub(crate) votes: crate::votes::VoteStatements,
    pub(crate) results: crate::results::ResultStatements,
    pub(crate) users: crate::users::UserStatements,
    pub(crate) vote_tokens: crate::vote_tokens::VoteTokenStatements,
    pub(crate) sessions: crate::users::SessionStatements,
    pub(crate) links: crate::users::LinkStatements,
    pub(crate) workspaces: crate::workspaces::WorkspaceStatements,
}

impl Statements {
    pub(crate) fn of(schema: &SchemaName) -> Self {
        Self {
            store: crate::store::StoreStatements::of(schema),
            polls: crate::polls::PollStatements::of(schema),
            votes: crate::votes::VoteStatements::of(schema),
            results: crate::results::ResultStatements::of(schema),
            users: crate::users::UserStatements::of(schema),
            vote_tokens: crate::vote_tokens::VoteTokenStatements::of(schema),
            sessions: crate::users::SessionStatements::of(schema),
            links: crate::users::LinkStatements::of(schema),
            workspaces: crate::workspaces::WorkspaceStatements::of(schema),
        }
    }
}
