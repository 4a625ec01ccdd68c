//! The steps that the clock takes.

use std::sync::Arc;
use std::time::Duration;

use polling_core::polls::{PollPatch, Status};
use polling_core::results::Viewer;
use polling_core::{
    Actor, Clock, Code, Engine, FakeClock, Repository, Results, Settings, Timestamp,
};

use super::lab::{ANYONE, Lab, ballot, refused, results, tea};

fn seconds(lab: &Lab, seconds: u64) -> Timestamp {
    lab.clock.now().after(Duration::from_secs(seconds))
}

/// Scheduled, open, closing, closed: each with one revision, and every viewer is told.
pub async fn a_poll_opens_closes_and_ends_by_the_clock(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let new = tea()
        .opens_at(seconds(&lab, 10))
        .closes_at(seconds(&lab, 20));
    let poll = lab.create(new.published()).await;
    assert_eq!(poll.status, Status::Scheduled);
    let mut viewer = lab.subscribe(&Actor::System, poll.id, None).await;
    let summary = |results: &Results| (results.status, results.revision, results.is_final);
    assert_eq!(
        summary(&results(viewer.update().await)),
        (Status::Scheduled, 1, false)
    );
    for (advance, expected) in [
        (10, (Status::Open, 2, false)),
        (10, (Status::Closing, 3, false)),
        (1, (Status::Closed, 4, true)),
    ] {
        lab.advance(advance);
        let told = results(viewer.update().await);
        assert_eq!(summary(&told), expected);
        let view = lab.read(poll.id).await;
        assert_eq!(
            (view.status, view.updated_at),
            (told.status, lab.clock.now())
        );
    }
    assert!(lab.proven(poll.id).await.is_final);
}

/// Nobody votes before the beginning, nor from the end on, whichever timer was late.
pub async fn votes_count_from_the_beginning_to_the_end(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let new = tea()
        .opens_at(seconds(&lab, 10))
        .closes_at(seconds(&lab, 20));
    let poll = lab.create(new.published()).await.id;
    lab.clock.advance(Duration::from_millis(9_999));
    assert_eq!(
        refused(lab.vote(poll, "early", &[0]).await),
        Code::PollNotOpen
    );
    lab.clock.advance(Duration::from_millis(1));
    lab.vote(poll, "first", &[0]).await.unwrap();
    lab.clock.advance(Duration::from_millis(9_999));
    lab.vote(poll, "last", &[0]).await.unwrap();
    lab.clock.advance(Duration::from_millis(1));
    assert_eq!(
        refused(lab.vote(poll, "late", &[0]).await),
        Code::PollClosed
    );
    lab.reached(poll, Status::Closing).await;
    assert_eq!(
        refused(lab.vote(poll, "late", &[0]).await),
        Code::PollClosed
    );
    assert_eq!(lab.proven(poll).await.ballots, 2);
}

/// All of them, at the next start, however many there are.
pub async fn steps_that_were_missed_are_taken_at_the_next_start(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let mut polls = Vec::new();
    for n in 0..300 {
        let new = tea()
            .opens_at(seconds(&lab, 10 + n % 7))
            .closes_at(seconds(&lab, 20 + n % 5));
        polls.push(lab.create(new.published()).await.id);
    }
    let endless = lab
        .create(tea().opens_at(seconds(&lab, 30)).published())
        .await
        .id;
    lab.engine.shutdown().await;
    lab.advance(1_000);
    let next = lab.another().await;
    for poll in polls {
        assert_eq!(next.reached(poll, Status::Closed).await.revision, 4);
    }
    next.reached(endless, Status::Open).await;
    next.vote(endless, "ada", &[0]).await.unwrap();
}

/// A poll whose server went away within the grace ends with the next one.
pub async fn a_closing_poll_is_ended_by_the_next_server(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let poll = lab.in_status(Status::Closing, tea()).await.id;
    lab.engine.shutdown().await;
    let next = lab.another().await;
    next.advance(1);
    assert!(next.reached(poll, Status::Closed).await.is_final);
}

/// Whoever of two servers is first takes the step, and both tell their viewers.
pub async fn two_servers_take_each_step_once(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let other = lab.another().await;
    let new = tea()
        .opens_at(seconds(&lab, 10))
        .closes_at(seconds(&lab, 20));
    let poll = lab.create(new.published()).await.id;
    let mut viewers = [
        lab.subscribe(&Actor::System, poll, None).await,
        other.subscribe(&Actor::System, poll, None).await,
    ];
    for viewer in &mut viewers {
        let last = loop {
            let told = tokio::select! {
                biased;
                told = viewer.update() => results(told),
                // Where the other one was faster, this one reads the store again after a while.
                () = tokio::task::yield_now() => {
                    lab.clock.advance(Duration::from_millis(1));
                    continue;
                }
            };
            if told.is_final {
                break told;
            }
        };
        assert_eq!((last.status, last.revision), (Status::Closed, 4));
    }
}

/// Later or earlier.
pub async fn a_moved_end_moves_the_timer(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let polls = lab.engine.polls();
    let end = |at| {
        let mut patch = PollPatch::default();
        patch.closes_at = Some(at);
        patch
    };
    let new = || tea().closes_at(seconds(&lab, 10)).published();
    let [later, earlier, never] = [
        lab.create(new()).await.id,
        lab.create(new()).await.id,
        lab.create(new()).await.id,
    ];
    let system = &Actor::System;
    polls
        .edit(system, later, end(Some(seconds(&lab, 20))))
        .await
        .unwrap();
    polls
        .edit(system, earlier, end(Some(seconds(&lab, 5))))
        .await
        .unwrap();
    polls.edit(system, never, end(None)).await.unwrap();
    lab.advance(5);
    lab.reached(earlier, Status::Closing).await;
    lab.advance(5);
    lab.reached(earlier, Status::Closed).await;
    for poll in [later, never] {
        lab.vote(poll, "ada", &[0]).await.unwrap();
    }
    lab.advance(10);
    lab.reached(later, Status::Closing).await;
    lab.vote(never, "bob", &[0]).await.unwrap();
}

/// A scheduled poll whose opening time is moved to the past, or taken away, opens at once.
pub async fn an_opening_time_that_is_taken_away_opens_the_poll(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    for opens_at in [None, Some(lab.clock.now())] {
        let poll = lab.in_status(Status::Scheduled, tea()).await.id;
        let mut patch = PollPatch::default();
        patch.opens_at = Some(opens_at);
        lab.engine
            .polls()
            .edit(&Actor::System, poll, patch)
            .await
            .unwrap();
        lab.reached(poll, Status::Open).await;
        lab.vote(poll, "ada", &[0]).await.unwrap();
    }
}

/// It says what it was when it was published: a past beginning is no schedule.
pub async fn a_poll_whose_beginning_is_over_opens_at_its_publication(store: Arc<dyn Repository>) {
    let lab = Lab::on(store).await;
    let draft = lab.create(tea().opens_at(seconds(&lab, 10))).await.id;
    lab.advance(10);
    let poll = lab
        .engine
        .polls()
        .publish(&Actor::System, draft)
        .await
        .unwrap();
    assert_eq!(poll.status, Status::Open);
    lab.vote(draft, "ada", &[0]).await.unwrap();
}

/// Somebody sets it an hour ahead, and no time has passed: steps that are due without the jump are taken, and no others.
pub async fn a_jump_of_the_computers_clock_closes_no_poll(store: Arc<dyn Repository>) {
    let (wall, steady) = (FakeClock::default(), FakeClock::default());
    let mut settings = Settings::default();
    settings.push_interval = Duration::ZERO;
    let engine = Engine::builder(store)
        .computer_clocks(wall.clone(), steady.clone())
        .settings(settings);
    let engine = engine.build().await.unwrap();
    let create = async |new| engine.polls().create(&Actor::System, new).await.unwrap();
    // The store may have a clock of its own.
    let now = create(tea()).await.created_at;
    let ends = |seconds| tea().closes_at(now.after(Duration::from_secs(seconds)));
    let long = create(ends(1_800).published()).await.id;
    let short = create(ends(5).published()).await.id;
    wall.advance(Duration::from_secs(3_600));
    let viewer = Viewer::default();
    let live = engine.results().subscribe(&Actor::System, short, viewer);
    let mut live = live.await.unwrap();
    loop {
        tokio::select! {
            biased;
            told = live.update() => if results(told).is_final {
                break;
            },
            () = tokio::task::yield_now() => {
                wall.advance(Duration::from_millis(1));
                steady.advance(Duration::from_millis(1));
            }
        }
    }
    let vote = ballot(long, "ada", &[0]);
    engine.votes().cast(&ANYONE, vote).await.unwrap();
    let read = engine.polls().read(&Actor::System, long, None).await;
    assert_eq!(read.unwrap().status, Status::Open);
}
