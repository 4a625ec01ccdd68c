//! What the vote of one voter is, as far as they can know: the model, and nothing but it. It fits on a page.

use polling_core::{BallotId, Code, Receipt, Timestamp};

/// What a voter asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Cast(Sent),
    Change(Sent),
    Withdraw,
    Read,
}

/// A ballot on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sent {
    /// Where the voter chose one.
    pub(super) id: Option<BallotId>,
    pub(super) position: u8,
    /// Of all that the voter sent: with this it is told from others where nobody knows its id.
    pub(super) number: usize,
}

/// What a voter is told.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    /// Recorded.
    Receipt(Receipt),
    /// Withdrawn.
    Withdrawn,
    /// This is the vote, and it chooses this option.
    Vote(Receipt, u8),
    Refused(Code),
    /// Nothing was done, because the server or the store failed.
    Nothing(Code),
    /// Nobody knows whether it was done.
    Unknown,
}

/// An id of a ballot; `Unheard` where the engine made it and its answer was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Id {
    Known(BallotId),
    Unheard(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Vote {
    id: Id,
    position: u8,
    cast_at: Option<Timestamp>,
    /// The number of what was sent to make it.
    by: usize,
}

/// One of the states that a vote may be in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    vote: Option<Vote>,
    /// Other ids under which the vote was asked for as it is: superseded with it.
    names: Vec<BallotId>,
    superseded: Vec<Id>,
    /// Casts that may be recorded at any time: those for whose answer nobody waited, and those that the engine may send to a
    /// failing store again and again before it answers.
    on_the_way: Vec<Sent>,
    /// No revision that the voter was told of is greater.
    revision: u64,
    pub(super) is_closed: bool,
}

/// By what a voter is answered, beside their vote.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules<'a> {
    pub(super) allow_change: bool,
    /// No ballot of this voter can be written.
    pub(super) is_poisoned: bool,
    /// The store fails now and then.
    pub(super) may_fail: bool,
    /// The ids that the voter knows: none of them is one that was never heard of.
    pub(super) known: &'a [BallotId],
}

/// What a request is to be answered.
enum Verdict {
    /// The vote is this one now; whether there was none before.
    Done {
        created: bool,
    },
    /// Nothing is written.
    Same,
    Refused(Code),
}

impl State {
    /// The option that the vote chooses.
    pub(super) fn position(&self) -> Option<u8> {
        self.vote.map(|vote| vote.position)
    }

    pub(super) fn revision(&self) -> u64 {
        self.revision
    }

    pub(super) fn has_some_on_the_way(&self) -> bool {
        !self.on_the_way.is_empty()
    }

    /// This one may come at any time.
    pub(super) fn leave(&mut self, sent: Sent) {
        self.on_the_way.push(sent);
    }

    /// This one was answered: it comes no more.
    pub(super) fn arrived(&mut self, sent: &Sent) {
        self.on_the_way.retain(|other| other.number != sent.number);
    }

    /// The states that this one may have become by itself: any of what is on the way may have come.
    pub(super) fn later(&self, rules: Rules<'_>) -> Vec<State> {
        let mut states = vec![self.clone()];
        for place in 0..self.on_the_way.len() {
            let mut later = self.clone();
            let sent = later.on_the_way[place];
            // It was sent before the poll was closed.
            let is_closed = std::mem::take(&mut later.is_closed);
            if let Verdict::Done { .. } = later.cast_verdict(&sent) {
                later.replace(&sent);
                later.is_closed = is_closed;
                if !rules.may_fail {
                    later.on_the_way.remove(place);
                }
                states.extend(later.later(rules));
            }
        }
        states
    }

    /// The states that this one may be after this answer; none where it cannot be the answer.
    pub(super) fn after(&self, asked: &Asked, answer: &Answer, rules: Rules<'_>) -> Vec<State> {
        match asked {
            Asked::Cast(sent) => self.after_ballot(sent, self.cast_verdict(sent), answer, rules),
            Asked::Change(sent) => {
                let verdict = self.change_verdict(sent, rules.allow_change);
                let mut next = self.clone();
                if let (Verdict::Same, Some(id)) = (&verdict, sent.id)
                    && !self.is_own(id)
                    && !matches!(answer, Answer::Nothing(_))
                {
                    next.names.push(id);
                }
                let mut states = next.after_ballot(sent, verdict, answer, rules);
                if next != *self && matches!(answer, Answer::Unknown) {
                    states.push(self.clone());
                }
                states
            }
            Asked::Withdraw => self.after_withdrawal(answer, rules.allow_change),
            Asked::Read => match (answer, &self.vote) {
                (Answer::Nothing(_) | Answer::Unknown, _)
                | (Answer::Refused(Code::VoteNotFound), None) => vec![self.clone()],
                (Answer::Vote(receipt, position), Some(vote)) if vote.position == *position => {
                    self.told(receipt, rules).into_iter().collect()
                }
                _ => Vec::new(),
            },
        }
    }

    fn after_ballot(
        &self,
        sent: &Sent,
        verdict: Verdict,
        answer: &Answer,
        rules: Rules<'_>,
    ) -> Vec<State> {
        let mut done = self.clone();
        match (answer, verdict) {
            (Answer::Nothing(_), _) => vec![done],
            (Answer::Unknown, Verdict::Done { .. }) if !rules.is_poisoned => {
                done.replace(sent);
                vec![self.clone(), done]
            }
            (Answer::Unknown, _) => vec![done],
            (Answer::Receipt(receipt), Verdict::Done { created }) => {
                let is_it = receipt.created == created
                    && sent.id.is_none_or(|id| id == receipt.ballot_id)
                    && receipt.revision > self.revision
                    && !rules.is_poisoned;
                done.replace(sent);
                let told = if is_it {
                    done.told(receipt, rules)
                } else {
                    None
                };
                told.into_iter().collect()
            }
            (Answer::Receipt(receipt), Verdict::Same)
                // Or the engine itself sent it before, without hearing of it.
                if !receipt.created || rules.may_fail && self.was_made_by(sent) =>
            {
                done.told(receipt, rules).into_iter().collect()
            }
            (Answer::Refused(code), Verdict::Refused(expected)) if *code == expected => vec![done],
            _ => Vec::new(),
        }
    }

    fn after_withdrawal(&self, answer: &Answer, allow_change: bool) -> Vec<State> {
        let refusal = match self.vote {
            _ if !allow_change => Some(Code::ChangeNotAllowed),
            _ if self.is_closed => Some(Code::PollClosed),
            None => Some(Code::VoteNotFound),
            Some(_) => None,
        };
        let mut done = self.clone();
        done.supersede();
        match (answer, refusal) {
            (Answer::Unknown, None) => vec![self.clone(), done],
            (Answer::Nothing(_) | Answer::Unknown, _) => vec![self.clone()],
            (Answer::Withdrawn, None) => vec![done],
            (Answer::Refused(code), Some(expected)) if *code == expected => vec![self.clone()],
            _ => Vec::new(),
        }
    }

    fn cast_verdict(&self, sent: &Sent) -> Verdict {
        match self.vote {
            _ if self.is_superseded(sent) => Verdict::Refused(Code::BallotSuperseded),
            Some(vote)
                if sent.id.is_none_or(|id| self.is_own(id)) && vote.position == sent.position =>
            {
                Verdict::Same
            }
            Some(_) if sent.id.is_some_and(|id| self.is_own(id)) => {
                Verdict::Refused(Code::BallotIdReused)
            }
            Some(_) => Verdict::Refused(Code::AlreadyVoted),
            None if self.is_closed => Verdict::Refused(Code::PollClosed),
            None => Verdict::Done { created: true },
        }
    }

    fn change_verdict(&self, sent: &Sent, allow_change: bool) -> Verdict {
        let is_known = |id| self.is_own(id) || self.names.contains(&id);
        match self.vote {
            _ if !allow_change => Verdict::Refused(Code::ChangeNotAllowed),
            _ if self.is_superseded(sent) => Verdict::Refused(Code::BallotSuperseded),
            Some(vote) if vote.position == sent.position => Verdict::Same,
            Some(_) if sent.id.is_some_and(is_known) => Verdict::Refused(Code::BallotIdReused),
            _ if self.is_closed => Verdict::Refused(Code::PollClosed),
            vote => Verdict::Done {
                created: vote.is_none(),
            },
        }
    }

    fn was_made_by(&self, sent: &Sent) -> bool {
        self.vote.is_some_and(|vote| vote.by == sent.number)
    }

    fn is_own(&self, id: BallotId) -> bool {
        self.vote.is_some_and(|vote| vote.id == Id::Known(id))
    }

    fn is_superseded(&self, sent: &Sent) -> bool {
        sent.id
            .is_some_and(|id| self.superseded.contains(&Id::Known(id)))
    }

    /// The vote is this one now.
    fn replace(&mut self, sent: &Sent) {
        self.supersede();
        self.vote = Some(Vote {
            id: sent.id.map_or(Id::Unheard(sent.number), Id::Known),
            position: sent.position,
            cast_at: None,
            by: sent.number,
        });
    }

    fn supersede(&mut self) {
        self.superseded.extend(self.vote.take().map(|vote| vote.id));
        let names = self.names.drain(..).map(Id::Known);
        self.superseded.extend(names);
    }

    /// The same, in which more is known; `None` where this is no receipt of the vote: all of a vote name the same ballot,
    /// of the same time.
    fn told(&self, receipt: &Receipt, rules: Rules<'_>) -> Option<Self> {
        let mut told = self.clone();
        let id = Id::Known(receipt.ballot_id);
        let vote = told.vote.as_mut()?;
        let is_it = match vote.id {
            Id::Unheard(_) => !rules.known.contains(&receipt.ballot_id),
            known @ Id::Known(_) => known == id,
        };
        let is_its_time = vote.cast_at.is_none_or(|at| at == receipt.cast_at);
        (vote.id, vote.cast_at) = (id, Some(receipt.cast_at));
        told.revision = told.revision.max(receipt.revision);
        (is_it && is_its_time).then_some(told)
    }
}
