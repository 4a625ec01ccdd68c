//! Public ids, and the port that they and all secrets are made from.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Timestamp;

macro_rules! id {
    ($(#[doc = $doc:literal])* $name:ident) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// From the 16 bytes of its UUID.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// The 16 bytes of its UUID.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// A new id, version 7: it sorts by the time it was made.
            pub fn new(at: Timestamp, ids: &dyn IdSource) -> Self {
                Self(uuid_v7(at, ids))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self).map_err(|_| ParseIdError)
            }
        }

        #[cfg(feature = "openapi")]
        crate::openapi::id_schema!($name, concat!($($doc),*));
    };
}

macro_rules! debug_shows {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    )*};
}

debug_shows!(
    PollId,
    OptionId,
    UserId,
    SessionId,
    WorkspaceId,
    ProjectId,
    ImportId,
    BallotId
);

id! {
    /// A poll.
    PollId
}
id! {
    /// An option of a poll. Inside its poll an option is its position; the id is its public name.
    OptionId
}
id! {
    /// A user.
    UserId
}
id! {
    /// A sign-in, and the family of refresh tokens that came of it.
    SessionId
}
id! {
    /// A workspace.
    WorkspaceId
}
id! {
    /// A project of a workspace.
    ProjectId
}
id! {
    /// An invitation to a workspace. Who knows it, and has the invited address, may answer: 74 of its bits are random.
    InvitationId
}

impl fmt::Debug for InvitationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InvitationId(…)")
    }
}
id! {
    /// A bulk import of users, chosen by whoever imports, or else made by the engine.
    ImportId
}
id! {
    /// A ballot, chosen by the client so that a retry can be told from a second vote, or else made by the engine.
    BallotId
}

/// The text is no UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an id is a UUID, like 0193a5b0-7c3e-7d52-8f5e-6f0d3a1c2b4d")]
pub struct ParseIdError;

/// Where ids and secrets get their randomness.
pub trait IdSource: Send + Sync + 'static {
    /// Fills `bytes` with bytes that nobody can guess.
    fn fill(&self, bytes: &mut [u8]);
}

/// A bearer token that is shown once: what its kind begins with, and 256 random bits as text.
pub(crate) fn opaque_token(prefix: &str, ids: &dyn IdSource) -> String {
    let mut secret = [0; 32];
    ids.fill(&mut secret);
    let mut token = String::with_capacity(prefix.len() + 43);
    token.push_str(prefix);
    BASE64_URL_SAFE_NO_PAD.encode_string(secret, &mut token);
    token
}

/// Randomness of the `ChaCha` family, seeded from the operating system's, in each thread for itself: a ballot has no time for
/// a system call.
#[derive(Clone, Copy, Debug, Default)]
pub struct RandomIds;

impl IdSource for RandomIds {
    fn fill(&self, bytes: &mut [u8]) {
        rand::fill(bytes);
    }
}

/// The same ids in every run, for tests. Never for anything that must not be guessed.
#[derive(Debug)]
pub struct SeededIds(AtomicU64);

impl SeededIds {
    /// Ids that follow from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }
}

impl IdSource for SeededIds {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            // SplitMix64 (Steele, Lea, Flood 2014): one addition a step, so that threads can share it.
            let step = 0x9E37_79B9_7F4A_7C15_u64;
            let mut word = self.0.fetch_add(step, Ordering::Relaxed).wrapping_add(step);
            word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            word ^= word >> 31;
            chunk.copy_from_slice(&word.to_le_bytes()[..chunk.len()]);
        }
    }
}

/// RFC 9562, version 7: 48 bits of milliseconds, the rest random.
fn uuid_v7(at: Timestamp, ids: &dyn IdSource) -> Uuid {
    let mut random = [0; 10];
    ids.fill(&mut random);
    let millis = u64::try_from(at.as_millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All bits the same.
    struct Same(u8);

    impl IdSource for Same {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    /// Also of two that are made in the same millisecond, whoever has one cannot count on to the other.
    #[test]
    fn what_is_no_time_and_no_version_in_an_id_is_random() {
        let now = Timestamp::from_millis(1_700_000_000_000);
        let id = |byte| u128::from_be_bytes(*InvitationId::new(now, &Same(byte)).as_bytes());
        assert_eq!((id(0x00) ^ id(0xFF)).count_ones(), 74);
        let random: std::collections::HashSet<_> = (0..1_000)
            .map(|_| *InvitationId::new(now, &RandomIds).as_bytes())
            .collect();
        assert_eq!(random.len(), 1_000);
    }

    #[test]
    fn an_invitation_is_not_shown_by_debug() {
        let id = InvitationId::from_bytes([7; 16]);
        assert_eq!(format!("{id:?}"), "InvitationId(…)");
        assert_eq!(format!("{id}").parse(), Ok(id));
    }
}
