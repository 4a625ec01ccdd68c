//! Random votes, retries, changes, withdrawals, restarts and closes, against a model that fits on a page.
//!
//! The voters run at once, and so their requests meet in every order and in every batch. What a voter is answered depends
//! on nothing but their own requests before and on whether the poll is open; so each has a model of their own, and the
//! answers can be checked one by one.

use std::sync::Arc;

use polling_core::votes::VoteError;
use polling_core::{
    Actor, BallotId, Code, IdSource, PollId, Receipt, Repository, SeededIds, Voter,
};

use super::lab::{ANYONE, Lab, ballot, tea, votes};

const SEEDS: u64 = 6;
const VOTERS: usize = 8;
const ROUNDS: usize = 6;
const REQUESTS: usize = 12;

/// Every answer is the model's, and the counters are those of the models, however the requests met.
pub async fn random_requests_are_answered_as_the_model_says(store: Arc<dyn Repository>) {
    for seed in 0..SEEDS {
        let mut lab = Arc::new(Lab::on(Arc::clone(&store)).await);
        let poll = lab.create(tea().allow_change().published()).await.id;
        let mut crowd: Vec<VoterModel> = (0..VOTERS).map(|n| VoterModel::new(seed, n)).collect();
        let dice = Dice::new(seed);
        let mut is_open = true;
        for round in 0..ROUNDS {
            let voters: Vec<_> = crowd
                .drain(..)
                .map(|mut voter| {
                    let lab = Arc::clone(&lab);
                    tokio::spawn(async move {
                        for _ in 0..REQUESTS {
                            voter.request(&lab, poll, is_open).await;
                        }
                        voter
                    })
                })
                .collect();
            for voter in voters {
                crowd.push(voter.await.unwrap());
            }
            let expected = (0..3)
                .map(|at| crowd.iter().filter(|voter| voter.chose(at)).count() as u64)
                .collect::<Vec<_>>();
            let results = lab.proven(poll).await;
            assert_eq!(votes(&results), expected, "seed {seed}, round {round}");
            assert_eq!(results.ballots, expected.iter().sum::<u64>());
            if dice.roll(3) == 0 {
                lab.engine.shutdown().await;
                lab = Arc::new(lab.another().await);
            }
            if round + 2 == ROUNDS {
                lab.engine
                    .polls()
                    .close(&Actor::System, poll)
                    .await
                    .unwrap();
                is_open = false;
            }
        }
    }
}

struct Dice(SeededIds);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(SeededIds::new(seed))
    }

    fn roll(&self, sides: u8) -> u8 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        bytes[0] % sides
    }
}

struct VoterModel {
    name: String,
    dice: Dice,
    recorded: Option<(BallotId, u8)>,
    superseded: Vec<BallotId>,
    /// Other ids under which the vote was asked for as it is: superseded with it.
    names: Vec<BallotId>,
    /// Every id that this voter ever sent or was given.
    known: Vec<BallotId>,
    seed: u64,
}

/// What a request is to be answered.
#[derive(Debug, PartialEq)]
enum Verdict {
    /// The vote is this one now; whether there was none before.
    Done {
        created: bool,
    },
    /// Nothing was written.
    Same,
    Refused(Code),
}

impl VoterModel {
    fn new(seed: u64, number: usize) -> Self {
        Self {
            name: format!("voter {number}"),
            dice: Dice::new(seed * 1_000 + number as u64 + 1),
            recorded: None,
            superseded: Vec::new(),
            names: Vec::new(),
            known: Vec::new(),
            seed,
        }
    }

    fn chose(&self, position: u8) -> bool {
        self.recorded.is_some_and(|(_, chosen)| chosen == position)
    }

    async fn request(&mut self, lab: &Lab, poll: PollId, is_open: bool) {
        let position = self.dice.roll(3);
        let id = match self.dice.roll(3) {
            0 => None,
            1 => Some(BallotId::new(polling_core::Timestamp::EPOCH, &self.dice.0)),
            _ if self.known.is_empty() => None,
            _ => {
                let last = u8::try_from(self.known.len()).unwrap_or(u8::MAX);
                Some(self.known[usize::from(self.dice.roll(last))])
            }
        };
        self.known.extend(id);
        let mut ballot = ballot(poll, &self.name, &[position]);
        ballot.id = id;
        match self.dice.roll(8) {
            0..3 => {
                let expected = self.cast_verdict(id, position, is_open);
                let answer = lab.cast(ballot).await;
                self.check("cast", position, expected, answer);
            }
            3 => {
                let expected = self.cast_verdict(id, position, is_open);
                let batch = lab.engine.votes().cast_all(&ANYONE, poll, vec![Ok(ballot)]);
                let answer = batch.await.unwrap().remove(0);
                self.check("batch", position, expected, answer);
            }
            4..6 => {
                let expected = self.change_verdict(id, position, is_open);
                if expected == Verdict::Same {
                    let own = self.recorded.map(|(own, _)| own);
                    self.names.extend(id.filter(|_| id != own));
                }
                let answer = lab.change(ballot).await;
                self.check("change", position, expected, answer);
            }
            6 => self.withdraw(lab, poll, is_open).await,
            _ => self.read(lab, poll).await,
        }
    }

    fn cast_verdict(&self, id: Option<BallotId>, position: u8, is_open: bool) -> Verdict {
        let is_superseded = id.is_some_and(|id| self.superseded.contains(&id));
        match self.recorded {
            _ if is_superseded => Verdict::Refused(Code::BallotSuperseded),
            Some((own, chosen)) if id.is_none_or(|id| id == own) && chosen == position => {
                Verdict::Same
            }
            Some((own, _)) if id == Some(own) => Verdict::Refused(Code::BallotIdReused),
            Some(_) => Verdict::Refused(Code::AlreadyVoted),
            None if is_open => Verdict::Done { created: true },
            None => Verdict::Refused(Code::PollClosed),
        }
    }

    fn change_verdict(&self, id: Option<BallotId>, position: u8, is_open: bool) -> Verdict {
        let is_superseded = id.is_some_and(|id| self.superseded.contains(&id));
        match self.recorded {
            _ if is_superseded => Verdict::Refused(Code::BallotSuperseded),
            Some((_, chosen)) if chosen == position => Verdict::Same,
            Some((own, _)) if id.is_some_and(|id| id == own || self.names.contains(&id)) => {
                Verdict::Refused(Code::BallotIdReused)
            }
            _ if !is_open => Verdict::Refused(Code::PollClosed),
            recorded => Verdict::Done {
                created: recorded.is_none(),
            },
        }
    }

    fn check(
        &mut self,
        what: &str,
        position: u8,
        expected: Verdict,
        answer: Result<Receipt, VoteError>,
    ) {
        let got = match &answer {
            Ok(receipt) if receipt.created => Verdict::Done { created: true },
            Ok(receipt)
                if self
                    .recorded
                    .is_some_and(|(own, _)| own == receipt.ballot_id) =>
            {
                Verdict::Same
            }
            Ok(_) => Verdict::Done { created: false },
            Err(error) => Verdict::Refused(error.code()),
        };
        let Self { name, seed, .. } = self;
        assert_eq!(got, expected, "{what} of {position} by {name}, seed {seed}");
        if let (Verdict::Done { .. }, Ok(receipt)) = (expected, answer) {
            self.supersede();
            self.recorded = Some((receipt.ballot_id, position));
            self.known.push(receipt.ballot_id);
        }
    }

    async fn withdraw(&mut self, lab: &Lab, poll: PollId, is_open: bool) {
        let expected = match self.recorded {
            _ if !is_open => Err(Code::PollClosed),
            None => Err(Code::VoteNotFound),
            Some(_) => Ok(()),
        };
        let answer = lab.withdraw(poll, &self.name).await;
        let got = answer.map_err(|error| error.code());
        assert_eq!(got, expected, "{}, seed {}", self.name, self.seed);
        if got.is_ok() {
            self.supersede();
        }
    }

    fn supersede(&mut self) {
        self.superseded
            .extend(self.recorded.take().map(|(own, _)| own));
        self.superseded.append(&mut self.names);
    }

    async fn read(&self, lab: &Lab, poll: PollId) {
        let voter = Voter::anyone(&self.name);
        let own = lab.engine.votes().read(&ANYONE, poll, &voter).await;
        let got = own
            .map(|own| own.receipt.ballot_id)
            .map_err(|error| error.code());
        let expected = self.recorded.map(|(own, _)| own).ok_or(Code::VoteNotFound);
        assert_eq!(got, expected, "{}, seed {}", self.name, self.seed);
    }
}
