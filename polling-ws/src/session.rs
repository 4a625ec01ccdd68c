//! What a frame leads to: the state of one connection, apart from its socket.
//!
//! The session decides; the pump does what it says and brings back what came of it. Nothing here waits.

use std::collections::HashMap;
use std::sync::Arc;

use polling_core::results::{ResultsError, Update, Viewer, WatchEnd};
use polling_core::votes::VoteError;
use polling_core::{Actor, AuthError, Ballot, Code, Fault, PollId, Receipt, Voter};
use tokio_tungstenite::tungstenite::protocol::frame::Utf8Bytes;

use crate::WsSettings;
use crate::answer::{Answer, ack, failure, results};
use crate::close::Close;
use crate::frame::{Ask, BadFrame, Frame, Ref};
use crate::live::{Leash, Live, Watch};
use crate::log::ConnectionId;

/// One connection: who is there, and what they watch.
#[derive(Debug)]
pub(crate) struct Session {
    id: ConnectionId,
    settings: Arc<WsSettings>,
    actor: Arc<Actor>,
    subscribed: HashMap<PollId, Leash>,
    bad_frames: usize,
}

/// What to do about a frame.
pub(crate) enum Step {
    /// This is the answer.
    Answer(Utf8Bytes),
    /// Cast this ballot, beside whatever else is going on, and bring the outcome to [`Session::voted`].
    Vote(Ballot, Option<Ref>),
    /// Subscribe, before the next frame is read, and bring the outcome to [`Session::subscribed`].
    Subscribe(PollId, Viewer, Option<Ref>),
    /// Check this token, before the next frame is read, and bring the outcome to [`Session::authenticated`].
    Authenticate(String, Option<Ref>),
    /// Close.
    Close(Close),
}

/// What to tell the client.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Tell {
    Frame(Utf8Bytes),
    Nothing,
    Close(Close),
}

impl Session {
    pub(crate) fn new(id: ConnectionId, settings: Arc<WsSettings>, actor: Actor) -> Self {
        Self {
            id,
            settings,
            actor: Arc::new(actor),
            subscribed: HashMap::new(),
            bad_frames: 0,
        }
    }

    /// Who is there, by all that they proved.
    pub(crate) fn actor(&self) -> &Arc<Actor> {
        &self.actor
    }

    /// A text frame came in.
    pub(crate) fn text(&mut self, text: &str) -> Step {
        let Frame { reference, ask } = match Frame::parse(text, self.settings.ref_bytes) {
            Ok(frame) => frame,
            Err(bad) => return self.bad(&bad),
        };
        match ask {
            Ask::Ping => Step::Answer(
                Answer::Pong {
                    reference: reference.as_ref(),
                }
                .render(),
            ),
            Ask::Vote(ballot) => Step::Vote(ballot, reference),
            Ask::Unsubscribe(poll) => {
                self.subscribed.remove(&poll);
                Step::Answer(ok(reference.as_ref()))
            }
            Ask::Subscribe(asked) => {
                let (poll, most) = (asked.poll, self.settings.subscriptions);
                if self.subscribed.len() >= most && !self.subscribed.contains_key(&poll) {
                    let message = format!("one connection may watch at most {most} polls");
                    return Step::Answer(overloaded(reference.as_ref(), Some(poll), &message));
                }
                let viewer = Viewer::default()
                    .voter(asked.voter.map(|voter| Voter::named(Some(voter))))
                    .after(asked.after);
                Step::Subscribe(poll, viewer, reference)
            }
            // Whether there is room for it depends on what it is.
            Ask::Authenticate(token) => Step::Authenticate(token, reference),
        }
    }

    /// A binary frame came in: there are none.
    pub(crate) fn binary(&mut self) -> Step {
        self.bad(&BadFrame {
            reference: None,
            message: "frames are texts, not binary".into(),
            fields: Vec::new(),
        })
    }

    fn bad(&mut self, bad: &BadFrame) -> Step {
        self.bad_frames += 1;
        if self.bad_frames > self.settings.bad_frames {
            return Step::Close(Close::BadFrames);
        }
        let answer = Answer::Error {
            reference: bad.reference.as_ref(),
            poll_id: None,
            code: Code::Invalid,
            message: &bad.message,
            errors: &bad.fields,
            retry_after: None,
        };
        Step::Answer(answer.render())
    }

    /// What came of a vote.
    pub(crate) fn voted(
        &self,
        poll_id: PollId,
        reference: Option<&Ref>,
        outcome: &Result<Receipt, VoteError>,
    ) -> Utf8Bytes {
        match outcome {
            Ok(receipt) => ack(reference, poll_id, receipt),
            Err(error) => failure(self.id, reference, Some(poll_id), error),
        }
    }

    /// What came of a subscribe: the subscription, and the first that it had to tell.
    pub(crate) fn subscribed(
        &mut self,
        poll: PollId,
        reference: Option<&Ref>,
        outcome: Result<(Watch, Update), ResultsError>,
    ) -> (Tell, Option<Live>) {
        let (watch, first) = match outcome {
            Ok(subscribed) => subscribed,
            // What the client was subscribed to before, it still is.
            Err(error) => {
                return (
                    Tell::Frame(failure(self.id, reference, Some(poll), &error)),
                    None,
                );
            }
        };
        let (leash, live) = Leash::put_on(watch, self.id);
        self.subscribed.insert(poll, leash);
        (self.tell(poll, reference, first), Some(live))
    }

    /// A subscription has something to tell.
    pub(crate) fn updated(&mut self, poll: PollId, update: Update) -> Tell {
        if self.subscribed.contains_key(&poll) {
            self.tell(poll, None, update)
        } else {
            Tell::Nothing
        }
    }

    fn tell(&mut self, poll_id: PollId, reference: Option<&Ref>, update: Update) -> Tell {
        Tell::Frame(match update {
            Update::Results(snapshot) => results(reference, &snapshot),
            Update::Unchanged(revision) => Answer::Unchanged {
                reference,
                poll_id,
                revision,
            }
            .render(),
            Update::Hidden => failure(self.id, reference, Some(poll_id), &ResultsError::Hidden),
            Update::Ended(WatchEnd::PollDeleted) => {
                self.subscribed.remove(&poll_id);
                Answer::PollDeleted { reference, poll_id }.render()
            }
            Update::Ended(_) => return Tell::Close(Close::Leaving),
            _ => return Tell::Nothing,
        })
    }

    /// What came of a token: what it proves adds to what was proved before, and counts for all subscriptions. One that is
    /// refused leaves nobody there: whoever comes with it may not go on as who was there before. Of manage and vote tokens
    /// there may be only so many; an access token takes the place of the one before, and there is always room for it.
    pub(crate) fn authenticated(
        &mut self,
        reference: Option<&Ref>,
        outcome: Result<Actor, AuthError>,
    ) -> Utf8Bytes {
        match outcome {
            Ok(later) => {
                let known = Actor::clone(&self.actor).and(later);
                let most = self.settings.credentials;
                if tokens(&known) > most.max(tokens(&self.actor)) {
                    let message =
                        format!("one connection may hold at most {most} manage and vote tokens");
                    return overloaded(reference, None, &message);
                }
                self.become_known_as(known);
                ok(reference)
            }
            Err(error) => {
                // Where the store could not be asked nothing was refused.
                if matches!(error, AuthError::Rejected) {
                    self.become_known_as(self.actor.without_identity());
                }
                failure(self.id, reference, None, &error as &(dyn Fault + 'static))
            }
        }
    }

    fn become_known_as(&mut self, actor: Actor) {
        self.actor = Arc::new(actor);
        for leash in self.subscribed.values() {
            leash.see_as(&self.actor);
        }
    }
}

/// The tokens that add up.
fn tokens(actor: &Actor) -> usize {
    actor.manage_tokens().len() + actor.vote_tokens().len()
}

fn ok(reference: Option<&Ref>) -> Utf8Bytes {
    Answer::Ok { reference }.render()
}

/// A bound of the connection is reached.
fn overloaded(reference: Option<&Ref>, poll_id: Option<PollId>, message: &str) -> Utf8Bytes {
    let answer = Answer::Error {
        reference,
        poll_id,
        code: Code::Overloaded,
        message,
        errors: &[],
        retry_after: None,
    };
    answer.render()
}

#[cfg(test)]
mod tests;
