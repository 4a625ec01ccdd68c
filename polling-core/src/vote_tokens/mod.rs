//! One-time vote tokens: who holds one has one ballot in the one poll that it was made for.
//!
//! A token is 256 random bits, shown once. Of it the store keeps the hash, in a table of tokens; a ballot has a voter key
//! that is made of the token too, by another road. Who reads the database can tell neither from the other, so that it does
//! not say which token cast which vote. The price: nobody can tell which tokens were used, only how many.

mod error;
mod link;
mod making;
mod model;
mod repository;
mod service;

pub use error::VoteTokenError;
pub use link::LinkTemplate;
pub(crate) use model::VOTE_TOKEN_PREFIX;
pub use model::{
    NewVoteTokens, NewlyMadeTokens, Revocation, RevokedTokens, VoteToken, VoteTokenCounts,
};
pub use repository::{Making, NewMaking, TokensInStore, VoteTokenRepository, WhichTokens};
pub use service::VoteTokens;
