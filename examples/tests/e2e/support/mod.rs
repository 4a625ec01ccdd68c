//! What the end-to-end tests share.

pub(crate) mod bed;
pub(crate) mod client;
pub(crate) mod events;
pub(crate) mod faulty;
pub(crate) mod process;
pub(crate) mod storm;
