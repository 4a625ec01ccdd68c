//! A computer's clock that is set, and a store that has none of its own: no poll opens or closes for good by a jump, before
//! it has stood.

#![expect(
    clippy::unwrap_used,
    reason = "everything here is a test, where an unexpected answer ends the run"
)]

use std::time::Duration;

use polling_core::polls::Status;
use polling_core::{
    Actor, Ballot, Clock, Code, Engine, FakeClock, NewPoll, PollId, Settings, Timestamp, Voter,
};
use polling_sqlite::SqliteStore;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3_600);

struct Computer {
    engine: Engine,
    wall: FakeClock,
    steady: FakeClock,
}

impl Computer {
    async fn start() -> Self {
        let (wall, steady) = (FakeClock::default(), FakeClock::at(Timestamp::EPOCH));
        let mut settings = Settings::default();
        settings.push_interval = Duration::ZERO;
        let engine = Engine::builder(SqliteStore::in_memory().await.unwrap())
            .computer_clocks(wall.clone(), steady.clone())
            .settings(settings);
        Self {
            engine: engine.build().await.unwrap(),
            wall,
            steady,
        }
    }

    /// A poll that opens and closes so much later than now.
    async fn poll(&self, opens: Option<Duration>, closes: Duration) -> PollId {
        let now = self.wall.now();
        let mut new =
            NewPoll::single("Tea or coffee?", ["Tea", "Coffee"]).closes_at(now.after(closes));
        if let Some(opens) = opens {
            new = new.opens_at(now.after(opens));
        }
        let created = self.engine.polls().create(&Actor::System, new.published());
        created.await.unwrap().id
    }

    async fn status(&self, poll: PollId) -> Status {
        let read = self.engine.polls().read(&Actor::System, poll, None).await;
        read.unwrap().status
    }

    async fn vote(&self, poll: PollId, voter: &str) -> Result<(), Code> {
        let ballot = Ballot::of(poll, Voter::vouched(voter), [0]);
        let cast = self.engine.votes().cast(&Actor::System, ballot).await;
        cast.map(drop).map_err(|error| error.code())
    }

    fn pass(&self, time: Duration) {
        self.wall.advance(time);
        self.steady.advance(time);
    }

    fn set_back(&self, by: Duration) {
        self.wall.set(self.wall.now().before(by));
    }

    /// Lets time pass, in steps that are as nothing, until the poll has this status.
    async fn reaches(&self, poll: PollId, status: Status) {
        let reached = async {
            while self.status(poll).await != status {
                self.pass(Duration::from_millis(1));
                tokio::task::yield_now().await;
            }
        };
        let reached = tokio::time::timeout(SECOND * 60, reached).await;
        reached.unwrap_or_else(|_| panic!("it never was {status:?}"));
    }

    /// Lets so many seconds pass. Whether what is due by then was done is to be seen from a poll that ends.
    async fn pass_seconds(&self, seconds: u64) {
        for _ in 0..seconds {
            self.pass(SECOND);
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn a_jump_forward_closes_and_opens_nothing_until_it_has_stood() {
    let computer = Computer::start().await;
    let poll = computer.poll(None, HOUR / 2).await;
    let later = computer.poll(Some(HOUR / 2), HOUR * 24).await;
    let soon = computer.poll(None, SECOND * 5).await;
    computer.wall.advance(HOUR);
    computer.vote(poll, "ada").await.unwrap();
    assert_eq!(computer.vote(later, "ada").await, Err(Code::PollNotOpen));
    // What is due by both times goes on.
    computer.pass_seconds(5).await;
    computer.reaches(soon, Status::Closed).await;
    computer.vote(poll, "bob").await.unwrap();
    assert_eq!(computer.status(poll).await, Status::Open);
    assert_eq!(computer.status(later).await, Status::Scheduled);
    // Nobody has set it back.
    computer.pass_seconds(60).await;
    computer.reaches(poll, Status::Closed).await;
    computer.reaches(later, Status::Open).await;
    assert_eq!(computer.vote(poll, "eve").await, Err(Code::PollClosed));
    computer.vote(later, "eve").await.unwrap();
}

#[tokio::test]
async fn a_jump_forward_that_is_taken_back_changes_nothing() {
    let computer = Computer::start().await;
    let poll = computer.poll(None, HOUR / 2).await;
    let during = computer.poll(None, SECOND * 5).await;
    computer.wall.advance(HOUR);
    computer.pass_seconds(5).await;
    computer.reaches(during, Status::Closed).await;
    computer.set_back(HOUR);
    computer.pass_seconds(90).await;
    let soon = computer.poll(None, SECOND).await;
    computer.reaches(soon, Status::Closed).await;
    computer.vote(poll, "ada").await.unwrap();
    computer.pass(HOUR / 2);
    assert_eq!(computer.vote(poll, "eve").await, Err(Code::PollClosed));
    computer.reaches(poll, Status::Closed).await;
}

/// The steady time says that it has ended, the computer's that it has not: votes go by the one, and closing waits for both.
#[tokio::test]
async fn a_jump_back_closes_nothing_until_both_times_say_so() {
    let computer = Computer::start().await;
    let poll = computer.poll(None, SECOND * 10).await;
    let open = computer.poll(None, HOUR).await;
    computer.set_back(HOUR / 2);
    computer.pass_seconds(20).await;
    assert_eq!(computer.vote(poll, "ada").await, Err(Code::PollClosed));
    computer.vote(open, "ada").await.unwrap();
    assert_eq!(computer.status(poll).await, Status::Open);
    // The new time is believed, by which it goes on for half an hour.
    computer.pass_seconds(60).await;
    let soon = computer.poll(None, SECOND).await;
    computer.reaches(soon, Status::Closed).await;
    assert_eq!(computer.status(poll).await, Status::Open);
    computer.vote(poll, "ada").await.unwrap();
    computer.pass(HOUR / 2);
    computer.reaches(poll, Status::Closed).await;
}
