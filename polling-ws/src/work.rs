//! What one connection waits for, beside its socket.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{StreamExt, StreamFuture};
use polling_core::results::{ResultsError, Update, Viewer};
use polling_core::votes::VoteError;
use polling_core::{Actor, AuthError, Ballot, Engine, PollId, Receipt};

use crate::frame::Ref;
use crate::live::{Live, Watch};

/// Something that is under way.
pub(crate) enum Work {
    /// A vote, a subscribe, an authenticate.
    Asked(BoxFuture<'static, Done>),
    /// The next that a subscription has to tell.
    Watching(StreamFuture<Live>),
}

/// What came of it.
pub(crate) enum Done {
    Voted {
        poll: PollId,
        reference: Option<Ref>,
        outcome: Result<Receipt, VoteError>,
    },
    Subscribed {
        poll: PollId,
        reference: Option<Ref>,
        /// In a box, because it is so much larger than what the others have.
        outcome: Box<Result<(Watch, Update), ResultsError>>,
    },
    Authenticated {
        reference: Option<Ref>,
        outcome: Result<Actor, AuthError>,
    },
    /// The stream is to be watched on, where it gave something.
    Updated(Option<(PollId, Update)>, Live),
}

impl Future for Work {
    type Output = Done;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Done> {
        match &mut *self {
            Work::Asked(asked) => asked.poll_unpin(cx),
            Work::Watching(next) => next
                .poll_unpin(cx)
                .map(|(update, live)| Done::Updated(update, live)),
        }
    }
}

impl Work {
    pub(crate) fn watch(live: Live) -> Self {
        Work::Watching(live.into_future())
    }

    pub(crate) fn vote(
        engine: Engine,
        actor: Arc<Actor>,
        ballot: Ballot,
        reference: Option<Ref>,
    ) -> Self {
        let poll = ballot.poll;
        Work::Asked(Box::pin(async move {
            let outcome = engine.votes().cast(&actor, ballot).await;
            Done::Voted {
                poll,
                reference,
                outcome,
            }
        }))
    }

    pub(crate) fn subscribe(
        engine: Engine,
        actor: Arc<Actor>,
        poll: PollId,
        viewer: Viewer,
        reference: Option<Ref>,
    ) -> Self {
        Work::Asked(Box::pin(async move {
            Done::Subscribed {
                poll,
                reference,
                outcome: Box::new(Watch::begin(engine, actor, poll, viewer).await),
            }
        }))
    }

    pub(crate) fn authenticate(engine: Engine, token: String, reference: Option<Ref>) -> Self {
        Work::Asked(Box::pin(async move {
            let outcome = engine.authenticate(&token).await;
            Done::Authenticated { reference, outcome }
        }))
    }
}
