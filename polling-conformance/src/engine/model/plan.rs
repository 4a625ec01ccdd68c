//! What a case is made of, and how it is thrown.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::{Just, any};
use proptest::prop_oneof;
use proptest::sample::Index;
use proptest::strategy::{BoxedStrategy, Strategy};

use crate::faulty::Fault;

/// How many vote in one case.
pub(super) const VOTERS: usize = 5;

/// One poll's life.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// How many servers share the store.
    pub(super) servers: usize,
    /// Of each server.
    pub(super) lanes: usize,
    /// Ballots in one commit, at most.
    pub(super) batch: usize,
    /// How long a lane insists.
    pub(super) retry_for: Duration,
    pub(super) allow_change: bool,
    /// One after the other.
    pub(super) rounds: Vec<Round>,
}

/// All of this happens at once.
#[derive(Clone, Debug)]
pub(super) struct Round {
    /// What each voter does, one after the other.
    pub(super) voters: Vec<Vec<Step>>,
    /// What the store meets.
    pub(super) faults: Vec<Fault>,
    /// Whose ballots cannot be written.
    pub(super) poisoned: Option<usize>,
    pub(super) event: Event,
}

/// What befalls a server, or the poll.
#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    Nothing,
    /// This server is shut down, and started again.
    Restart(usize),
    /// The poll is closed by hand.
    Close,
    /// The poll's end comes.
    End,
    /// The poll's end is moved to a later time.
    Extend,
}

/// What a voter does before anything else of theirs.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Asks, and waits for the answer.
    Ask(Call),
    /// Asks several times at once.
    AtOnce(Vec<Call>),
    /// Sends several ballots in one request.
    Batch(usize, Vec<Wish>),
    /// Sends a ballot, and does not wait for its answer.
    Leave(usize, Wish),
}

/// A request to one of the servers.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) server: usize,
    pub(super) request: Request,
}

#[derive(Clone, Debug)]
pub(super) enum Request {
    Cast(Wish),
    Change(Wish),
    Withdraw,
    Read,
    /// The last cast or change, as it was.
    Again,
}

/// A ballot to be made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wish {
    pub(super) id: Name,
    pub(super) position: u8,
}

/// The id of a ballot.
#[derive(Clone, Copy, Debug)]
pub(super) enum Name {
    /// None: the engine makes one.
    None,
    /// A new one.
    New,
    /// One that the voter has sent or was told before.
    Known(Index),
}

/// All the cases there are.
pub(super) fn plans() -> impl Strategy<Value = Plan> {
    let patience = prop_oneof![Just(0), Just(300), Just(100_000)];
    (
        1..=2_usize,
        1..=2_usize,
        1..=6_usize,
        patience,
        prop_oneof![4 => Just(true), 1 => Just(false)],
        vec(rounds(), 1..=4),
    )
        .prop_map(
            |(servers, lanes, batch, patience, allow_change, rounds)| Plan {
                servers,
                lanes,
                batch,
                retry_for: Duration::from_millis(patience),
                allow_change,
                rounds,
            },
        )
}

fn rounds() -> impl Strategy<Value = Round> {
    let fault = prop_oneof![
        3 => Just(Fault::LostAfterCommit),
        2 => Just(Fault::LostBeforeCommit),
        1 => Just(Fault::PanicsBeforeCommit),
        1 => Just(Fault::PanicsAfterCommit),
    ];
    let event = prop_oneof![
        6 => Just(Event::Nothing),
        3 => (0..2_usize).prop_map(Event::Restart),
        2 => Just(Event::Close),
        1 => Just(Event::End),
        1 => Just(Event::Extend),
    ];
    (
        vec(vec(steps(), 0..6), VOTERS),
        prop_oneof![2 => Just(Vec::new()), 3 => vec(fault, 1..8)],
        prop_oneof![3 => Just(None), 1 => (0..VOTERS).prop_map(Some)],
        event,
    )
        .prop_map(|(voters, faults, poisoned, event)| Round {
            voters,
            faults,
            poisoned,
            event,
        })
}

fn steps() -> BoxedStrategy<Step> {
    prop_oneof![
        8 => calls().prop_map(Step::Ask),
        4 => vec(calls(), 2..=3).prop_map(Step::AtOnce),
        2 => (0..2_usize, vec(wishes(), 1..=4)).prop_map(|(server, all)| Step::Batch(server, all)),
        1 => (0..2_usize, wishes()).prop_map(|(server, wish)| Step::Leave(server, wish)),
    ]
    .boxed()
}

fn calls() -> impl Strategy<Value = Call> {
    let request = prop_oneof![
        4 => wishes().prop_map(Request::Cast),
        3 => wishes().prop_map(Request::Change),
        4 => Just(Request::Again),
        1 => Just(Request::Withdraw),
        1 => Just(Request::Read),
    ];
    (0..2_usize, request).prop_map(|(server, request)| Call { server, request })
}

fn wishes() -> impl Strategy<Value = Wish> {
    let id = prop_oneof![
        1 => Just(Name::None),
        2 => Just(Name::New),
        1 => any::<Index>().prop_map(Name::Known),
    ];
    (id, 0..3_u8).prop_map(|(id, position)| Wish { id, position })
}
