//! Tickets: what a caller has proved, to be shown once more where no header can be sent. A browser opens event streams and
//! WebSocket connections without an `Authorization`, and a bearer token in an address would stand in every log on the way.
//! A ticket is good once and for seconds, and may stand there.
//!
//! They are kept in the memory of the server that made them, and end with it.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use crate::engine::Parts;
use crate::id::opaque_token;
use crate::limits::{LimitError, RateLimited, Rule, Standing};
use crate::{Actor, AuthError, Code, Fault, StoreError, Timestamp, TokenHash};

/// What every ticket begins with.
const TICKET_PREFIX: &str = "pt_";

/// A ticket, shown this once: this is the JSON.
#[derive(Clone, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct Ticket {
    /// The ticket, for `?ticket=` of an event stream or a WebSocket: `pt_` and 43 letters, digits, dashes and underscores.
    pub ticket: String,
    /// Seconds until it ends.
    pub expires_in: u64,
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket")
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}

/// Why no ticket was made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TicketError {
    /// Who proved nothing has nothing that a ticket could show.
    #[error("a ticket needs a credential that it can stand for")]
    Unauthorized,
    /// As many tickets are waiting to be used as may.
    #[error("too many tickets are waiting to be used: try again soon")]
    Overloaded,
    /// This was asked for too often.
    #[error(transparent)]
    RateLimited(#[from] RateLimited),
    /// It could not be asked how often.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<LimitError> for TicketError {
    fn from(error: LimitError) -> Self {
        match error {
            LimitError::Exceeded(limited) => limited.into(),
            LimitError::Store(error) => error.into(),
        }
    }
}

impl TicketError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        Fault::code(self)
    }
}

impl Fault for TicketError {
    fn code(&self) -> Code {
        match self {
            TicketError::Unauthorized => Code::Unauthorized,
            TicketError::Overloaded => Code::Overloaded,
            TicketError::RateLimited(_) => Code::RateLimited,
            TicketError::Store(error) => error.code(),
        }
    }

    fn standing(&self) -> Option<&Standing> {
        match self {
            TicketError::RateLimited(limited) => Some(limited.standing()),
            _ => None,
        }
    }
}

/// The tickets that were made and not used yet.
#[derive(Default)]
pub(crate) struct Tickets {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    actors: HashMap<TokenHash, (Actor, Timestamp)>,
    /// The same in the order in which they end, and those that were used meanwhile.
    ends: VecDeque<(Timestamp, TokenHash)>,
}

impl Tickets {
    /// Makes a ticket for all that `actor` has proved.
    pub(crate) async fn make(&self, parts: &Parts, actor: &Actor) -> Result<Ticket, TicketError> {
        if actor.is_anonymous() || matches!(actor, Actor::System) {
            return Err(TicketError::Unauthorized);
        }
        parts.limits.check(Rule::Ticket, actor).await?;
        let (settings, now) = (&parts.settings, parts.clock.now());
        let ticket = opaque_token(TICKET_PREFIX, &*parts.ids);
        let (hash, end) = (TokenHash::of(&ticket), now.after(settings.ticket_lifetime));
        let mut kept = self.kept();
        kept.forget(now, end);
        // Used ones count until they would have ended, so that their memory is bounded too.
        if kept.ends.len() >= settings.tickets {
            return Err(TicketError::Overloaded);
        }
        kept.actors.insert(hash, (actor.without_address(), end));
        kept.ends.push_back((end, hash));
        Ok(Ticket {
            ticket,
            expires_in: settings.ticket_lifetime.as_secs(),
        })
    }

    /// Uses a ticket: what it stands for, once.
    pub(crate) fn redeem(&self, parts: &Parts, ticket: &str) -> Result<Actor, AuthError> {
        let found = self.kept().actors.remove(&TokenHash::of(ticket));
        match found {
            Some((actor, end)) if parts.clock.now() < end => Ok(actor),
            _ => Err(AuthError::Rejected),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Whole whoever panics: what one of the two has more than the other is forgotten in time.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// Forgets the tickets that are over: what ends after `latest`, the end of one that is made now, was made before the clock
    /// was set back, and would hold its place for as long as that was.
    fn forget(&mut self, now: Timestamp, latest: Timestamp) {
        while let Some(&(end, hash)) = self.ends.front()
            && (end <= now || end > latest)
        {
            self.ends.pop_front();
            self.actors.remove(&hash);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{Clock, FakeClock};

    const LIFETIME: Duration = Duration::from_secs(30);

    #[test]
    fn a_clock_that_is_set_back_makes_no_ticket_hold_its_place_for_longer() {
        let clock = FakeClock::default();
        let mut kept = Kept::default();
        let add = |kept: &mut Kept, ticket: &str| {
            let (now, end) = (clock.now(), clock.now().after(LIFETIME));
            kept.forget(now, end);
            let hash = TokenHash::of(ticket);
            kept.actors.insert(hash, (Actor::anonymous(), end));
            kept.ends.push_back((end, hash));
        };
        add(&mut kept, "before");
        clock.set(clock.now().before(Duration::from_secs(3_600)));
        add(&mut kept, "after");
        assert_eq!((kept.ends.len(), kept.actors.len()), (1, 1));
        clock.advance(LIFETIME);
        add(&mut kept, "later");
        assert_eq!((kept.ends.len(), kept.actors.len()), (1, 1));
    }
}
