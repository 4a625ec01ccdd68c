//! What the end-to-end tests share.

pub mod client;
pub mod events;
pub mod faulty;
pub mod process;
pub mod storm;
