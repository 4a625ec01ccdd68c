//! A voter, who asks, and holds every answer against all the states that their vote may be in.

use futures_util::future::join_all;
use polling_core::votes::VoteError;
use polling_core::{Ballot, BallotId, Code, SeededIds, Timestamp, Voter};

use super::asked::{Answer, Asked, Sent};
use super::plan::{Call, Name, Request, Step, Wish};
use super::state::{Rules, State};
use super::world::World;
use crate::engine::lab::{ANYONE, ballot};

pub(super) struct VoterModel {
    name: String,
    number: usize,
    /// Where their vote may stand: one of these.
    states: Vec<State>,
    /// Every ballot id that they ever sent or were given.
    known: Vec<BallotId>,
    last: Asked,
    sent: usize,
    ids: SeededIds,
}

/// The requests of one step that were answered, as they were asked.
type Answered = Vec<(Asked, Answer)>;

impl VoterModel {
    pub(super) fn new(number: usize) -> Self {
        Self {
            name: format!("voter {number}"),
            number,
            states: vec![State::default()],
            known: Vec::new(),
            last: Asked::Read,
            sent: 0,
            ids: SeededIds::new(number as u64 + 1),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// What they do in one round; what is wrong about an answer, where one is.
    pub(super) async fn act(&mut self, world: &World, steps: &[Step]) -> Result<(), String> {
        for step in steps {
            // Whoever asks after the poll was closed is told so.
            let is_closed = world.is_closed();
            match step {
                Step::Ask(call) => {
                    let answered = self.ask(world, std::slice::from_ref(call)).await;
                    self.hold(world, is_closed, &[answered])?;
                }
                Step::AtOnce(calls) => {
                    let answered = self.ask(world, calls).await;
                    self.hold(world, is_closed, &orders(&answered))?;
                }
                Step::Batch(server, wishes) => {
                    let answered = self.ask_for_all(world, *server, wishes).await;
                    self.hold(world, is_closed, &[answered])?;
                }
                Step::Leave(server, wish) => {
                    if let Some(answered) = self.leave(world, *server, *wish).await {
                        self.hold(world, is_closed, &[vec![answered]])?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Keeps the states that these answers leave, in one of these orders.
    fn hold(&mut self, world: &World, is_closed: bool, orders: &[Answered]) -> Result<(), String> {
        for state in &mut self.states {
            state.is_closed |= is_closed;
        }
        let rules = Rules {
            allow_change: world.allow_change,
            is_poisoned: world.is_poisoned(self.number),
            may_fail: world.may_fail(),
            known: &self.known,
        };
        let may_close = world.may_be_closed();
        let mut left = Vec::new();
        for order in orders {
            let mut states = self.states.clone();
            if rules.may_fail && !rules.is_poisoned {
                for sent in order.iter().filter_map(|(asked, _)| asked.cast()) {
                    states.iter_mut().for_each(|state| state.leave(*sent));
                }
            }
            for (asked, answer) in order {
                world.allows(answer, rules.is_poisoned)?;
                let before = later(&states, rules, may_close);
                states = distinct(before.iter().flat_map(|s| s.after(asked, answer, rules)));
                if let Some(sent) = asked.cast() {
                    states.iter_mut().for_each(|state| state.arrived(sent));
                }
            }
            left.extend(states);
        }
        let left = distinct(left);
        if left.is_empty() {
            let Self { name, states, .. } = self;
            return Err(format!(
                "{name} is told, in whatever order, {:?}, which is nothing that can be answered in {states:?}",
                orders[0]
            ));
        }
        self.states = left;
        let heard = orders[0].iter().filter_map(|(_, answer)| match answer {
            Answer::Receipt(receipt) | Answer::Vote(receipt, _) => Some(receipt.ballot_id),
            _ => None,
        });
        self.known.extend(heard);
        Ok(())
    }

    /// Sends all of these at once.
    async fn ask(&mut self, world: &World, calls: &[Call]) -> Answered {
        let asked: Vec<_> = calls
            .iter()
            .map(|call| (call.server, self.asked(&call.request)))
            .collect();
        let me = &*self;
        let answers = asked
            .into_iter()
            .map(|(server, asked)| async move { (asked, me.answer(world, server, asked).await) });
        join_all(answers).await
    }

    fn asked(&mut self, request: &Request) -> Asked {
        match request {
            Request::Cast(wish) => self.last = Asked::Cast(self.sent(*wish)),
            Request::Change(wish) => self.last = Asked::Change(self.sent(*wish)),
            Request::Withdraw => return Asked::Withdraw,
            Request::Read => return Asked::Read,
            Request::Again => {
                self.sent += 1;
                if let Asked::Cast(sent) | Asked::Change(sent) = &mut self.last {
                    sent.number = self.sent;
                }
            }
        }
        self.last
    }

    fn sent(&mut self, wish: Wish) -> Sent {
        let id = match wish.id {
            Name::None => None,
            Name::New => Some(BallotId::new(Timestamp::EPOCH, &self.ids)),
            Name::Known(_) if self.known.is_empty() => None,
            Name::Known(place) => Some(*place.get(&self.known)),
        };
        self.known.extend(id);
        self.sent += 1;
        Sent {
            id,
            position: wish.position,
            number: self.sent,
        }
    }

    fn ballot(&self, world: &World, sent: &Sent) -> Ballot {
        let mut ballot = ballot(world.poll, &self.name, &[sent.position]);
        ballot.id = sent.id;
        ballot
    }

    async fn answer(&self, world: &World, server: usize, asked: Asked) -> Answer {
        let engine = world.server(server);
        let votes = engine.votes();
        let voter = Voter::anyone(&self.name);
        match asked {
            Asked::Cast(sent) => {
                let cast = votes.cast(&ANYONE, self.ballot(world, &sent)).await;
                cast.map_or_else(told, Answer::Receipt)
            }
            Asked::Change(sent) => {
                let change = votes.change(&ANYONE, self.ballot(world, &sent)).await;
                change.map_or_else(told, Answer::Receipt)
            }
            Asked::Withdraw => {
                let withdrawn = votes.withdraw(&ANYONE, world.poll, &voter).await;
                withdrawn.map_or_else(told, |()| Answer::Withdrawn)
            }
            Asked::Read => {
                let own = votes.read(&ANYONE, world.poll, &voter).await;
                own.map_or_else(told, |own| {
                    let position = world.position_of(own.option_ids[0]);
                    Answer::Vote(own.receipt, position)
                })
            }
        }
    }

    /// Several ballots in one request, which are decided in their order.
    async fn ask_for_all(&mut self, world: &World, server: usize, wishes: &[Wish]) -> Answered {
        let sent: Vec<Sent> = wishes.iter().map(|wish| self.sent(*wish)).collect();
        let ballots = sent.iter().map(|sent| Ok(self.ballot(world, sent)));
        let (engine, ballots) = (world.server(server), ballots.collect());
        let asked = sent.iter().copied().map(Asked::Cast);
        match engine.votes().cast_all(&ANYONE, world.poll, ballots).await {
            Ok(outcomes) => {
                let answers = outcomes
                    .into_iter()
                    .map(|outcome| outcome.map_or_else(told, Answer::Receipt));
                asked.zip(answers).collect()
            }
            Err(error) => {
                let answer = told(error);
                asked.map(|asked| (asked, answer.clone())).collect()
            }
        }
    }

    /// Sends a ballot, and does not wait but for what is answered at once.
    async fn leave(&mut self, world: &World, server: usize, wish: Wish) -> Option<(Asked, Answer)> {
        let sent = self.sent(wish);
        tokio::select! {
            biased;
            answer = self.answer(world, server, Asked::Cast(sent)) => {
                return Some((Asked::Cast(sent), answer));
            }
            () = tokio::task::yield_now() => {}
        }
        for state in &mut self.states {
            state.leave(sent);
        }
        None
    }

    /// The option that the vote chooses, as it is read now, when nothing of this voter is under way; and the greatest
    /// revision that they were told.
    pub(super) async fn settled(&mut self, world: &World) -> Result<(Option<u8>, u64), String> {
        let answered = vec![(Asked::Read, self.answer(world, 0, Asked::Read).await)];
        self.hold(world, world.is_closed(), &[answered])?;
        let first = &self.states[0];
        let (position, revision) = (first.position(), first.revision());
        if self.states.iter().any(|state| state.position() != position) {
            return Err(format!("{} may have voted either way", self.name));
        }
        Ok((position, revision))
    }

    pub(super) fn has_some_on_the_way(&self) -> bool {
        self.states.iter().any(State::has_some_on_the_way)
    }
}

fn told(error: VoteError) -> Answer {
    match error {
        VoteError::ShuttingDown => Answer::Nothing(Code::Unavailable),
        error => match error.code() {
            Code::Internal => Answer::Nothing(Code::Internal),
            Code::Unavailable => Answer::Unknown,
            code => Answer::Refused(code),
        },
    }
}

/// What these states may have become by themselves.
fn later(states: &[State], rules: Rules<'_>, may_close: bool) -> Vec<State> {
    let later = states.iter().flat_map(|state| state.later(rules));
    let mut later: Vec<State> = later.collect();
    if may_close {
        let closed = later.clone().into_iter().map(|mut state| {
            state.is_closed = true;
            state
        });
        later.extend(closed.collect::<Vec<_>>());
    }
    distinct(later)
}

fn distinct(states: impl IntoIterator<Item = State>) -> Vec<State> {
    let mut distinct = Vec::new();
    for state in states {
        if !distinct.contains(&state) {
            distinct.push(state);
        }
    }
    distinct
}

/// All orders of a few.
fn orders(answered: &Answered) -> Vec<Answered> {
    if answered.len() < 2 {
        return vec![answered.clone()];
    }
    let mut all = Vec::new();
    for place in 0..answered.len() {
        let mut rest = answered.clone();
        let first = rest.remove(place);
        for order in orders(&rest) {
            let mut one = vec![first.clone()];
            one.extend(order);
            all.push(one);
        }
    }
    all
}
