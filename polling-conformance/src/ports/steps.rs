//! The port of the polls: edits, and the steps of a poll's life.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use polling_core::Repository;
use polling_core::polls::{
    Advanced, Choice, Description, DueStep, Edited, Poll, PollEdit, PollRecord, Question,
    ShowResults, Status, Step, Voters,
};
use polling_core::results::Tally;

use crate::fixtures::{Ports, noon, window};

/// The edit that changes the question, the description and the visibility.
pub(super) fn edit_of(poll: &Poll, judged_status: Status) -> PollEdit {
    PollEdit {
        poll: Poll {
            question: Question::from_store("Changed?".into()),
            description: Some(Description::from_store("Yes".into())),
            choice: Choice::Single,
            voters: Voters::Vouched,
            allow_change: false,
            listed: true,
            version: poll.version + 1,
            updated_at: noon(60),
            ..poll.clone()
        },
        window: window(Some(100), Some(200)),
        show_results: ShowResults::Managers,
        judged_status,
        options_changed: false,
        revises: true,
    }
}

/// All of it, and the revision grows by one.
pub async fn an_edit_is_written_whole(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let (poll, tally) = ports.poll(Status::Scheduled);
    ports.keep((poll.clone(), tally.clone())).await;
    let edit = edit_of(&poll, Status::Scheduled);
    let expected = Tally {
        window: edit.window,
        show_results: edit.show_results,
        revision: tally.revision + 1,
        ..tally
    };
    let done = done(ports.store.polls().edit(&edit).await.unwrap());
    assert_eq!((&*done.poll, &done.tally), (&edit.poll, &expected));
    let found = ports.store.polls().find(poll.id).await.unwrap().unwrap();
    assert_eq!(found, done);
}

/// A description can be taken away, and what revises nothing moves no revision.
pub async fn an_edit_that_revises_nothing_moves_no_revision(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let (poll, tally) = ports.poll(Status::Open);
    let poll = Poll {
        description: Some(Description::from_store("Old".into())),
        ..poll
    };
    ports.keep((poll.clone(), tally.clone())).await;
    let edit = PollEdit {
        poll: Poll {
            description: None,
            version: 2,
            ..poll.clone()
        },
        window: tally.window,
        show_results: tally.show_results,
        judged_status: Status::Open,
        options_changed: false,
        revises: false,
    };
    let done = done(ports.store.polls().edit(&edit).await.unwrap());
    assert_eq!((&*done.poll, &done.tally), (&edit.poll, &tally));
}

/// Options, counters and choice move together; the old options are gone.
pub async fn an_edit_replaces_the_options_of_a_draft(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    for options in [2, 5] {
        let (poll, tally) = ports.poll(Status::Draft);
        ports.keep((poll.clone(), tally)).await;
        let edit = edit_of(&poll, Status::Draft);
        let edit = PollEdit {
            poll: Poll {
                options: ports.options(options),
                ..edit.poll
            },
            options_changed: true,
            ..edit
        };
        let done = done(ports.store.polls().edit(&edit).await.unwrap());
        assert_eq!(*done.poll, edit.poll);
        assert_eq!(done.tally.counts, vec![0; options]);
        assert_eq!(ports.tally(poll.id).await, done.tally);
    }
}

/// Whoever judged another version or another status judges again; nothing was written.
pub async fn an_edit_that_was_judged_on_something_else_is_stale(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let (poll, tally) = ports.poll(Status::Open);
    ports.keep((poll.clone(), tally.clone())).await;
    let of_version = |version| {
        let old = Poll {
            version,
            ..poll.clone()
        };
        edit_of(&old, Status::Open)
    };
    for edit in [
        of_version(2),
        of_version(5),
        edit_of(&poll, Status::Scheduled),
        edit_of(&poll, Status::Closing),
    ] {
        let edited = ports.store.polls().edit(&edit).await.unwrap();
        assert!(matches!(edited, Edited::Stale), "{edited:?}");
    }
    let found = ports.store.polls().find(poll.id).await.unwrap().unwrap();
    assert_eq!((&*found.poll, &found.tally), (&poll, &tally));
}

/// Nobody's edit is lost, because nobody else's is written over it.
pub async fn of_many_edits_of_a_version_exactly_one_is_written(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let (poll, tally) = ports.poll(Status::Draft);
    ports.keep((poll.clone(), tally)).await;
    let edit = edit_of(&poll, Status::Draft);
    let edits = join_all((0..16).map(|_| ports.store.polls().edit(&edit))).await;
    let written = edits
        .into_iter()
        .filter(|edited| matches!(edited, Ok(Edited::Done(_))))
        .count();
    assert_eq!(written, 1);
    assert_eq!(ports.tally(poll.id).await.revision, 2);
}

/// The steps of a poll's life, each as the rule of the core says, each with one revision.
pub async fn a_poll_walks_through_its_life_step_by_step(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let draft = ports.poll_with(Status::Draft, window(Some(10), Some(20)));
    let id = ports.keep(draft).await;
    let mut before = ports.tally(id).await;
    for (step, now, status) in [
        (Step::Publish { version: 1 }, 1, Status::Scheduled),
        (Step::Open, 10, Status::Open),
        (Step::BeginClosing, 20, Status::Closing),
        (Step::Finish, 21, Status::Closed),
    ] {
        let advanced = ports.store.polls().advance(id, step, noon(now)).await;
        let record = taken(advanced.unwrap());
        let expected = Tally {
            status,
            revision: before.revision + 1,
            ..before
        };
        assert_eq!(record.tally, expected);
        assert_eq!(record.poll.updated_at, noon(now));
        let found = ports.store.polls().find(id).await.unwrap().unwrap();
        assert_eq!(found, record);
        before = expected;
    }
}

/// What is not to be taken (any more, or yet) changes nothing, and the caller sees why.
pub async fn a_step_that_cannot_be_taken_changes_nothing(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    for (status, step) in [
        (Status::Draft, Step::Publish { version: 2 }),
        (Status::Draft, Step::Close),
        (Status::Draft, Step::Open),
        (Status::Scheduled, Step::Publish { version: 1 }),
        (Status::Scheduled, Step::Open),
        (Status::Open, Step::BeginClosing),
        (Status::Open, Step::Finish),
        (Status::Closed, Step::Close),
        (Status::Closed, Step::Finish),
    ] {
        let (poll, tally) = ports.poll_with(status, window(Some(10), Some(20)));
        ports.keep((poll.clone(), tally.clone())).await;
        let advanced = ports.store.polls().advance(poll.id, step, noon(9)).await;
        match advanced.unwrap() {
            Advanced::Refused(record) => {
                assert_eq!((&*record.poll, &record.tally), (&poll, &tally));
            }
            other => panic!("{step:?} of {status:?}: {other:?}"),
        }
        let found = ports.store.polls().find(poll.id).await.unwrap().unwrap();
        assert_eq!((&*found.poll, &found.tally), (&poll, &tally));
    }
}

/// Several servers have the same timer.
pub async fn of_many_who_ask_for_a_step_exactly_one_takes_it(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let id = ports.kept(Status::Open).await;
    let polls = ports.store.polls();
    let steps = join_all((0..16).map(|_| polls.advance(id, Step::Close, noon(0)))).await;
    let taken = steps
        .iter()
        .filter(|advanced| matches!(advanced, Ok(Advanced::Taken(_))))
        .count();
    let refused = steps
        .iter()
        .filter(|advanced| matches!(advanced, Ok(Advanced::Refused(_))))
        .count();
    assert_eq!((taken, refused), (1, 15));
    assert_eq!(ports.tally(id).await.revision, 2);
}

/// What the clock takes next, soonest first; what has no end, and what is over, is not there.
pub async fn the_steps_that_come_next_are_soonest_first(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let mut expected = Vec::new();
    for (status, opens, closes, due, step) in [
        (Status::Scheduled, Some(30), Some(90), 30, Step::Open),
        (Status::Open, None, Some(20), 20, Step::BeginClosing),
        (Status::Open, Some(-9), Some(-1), -1, Step::BeginClosing),
        (Status::Closing, None, Some(5), 12, Step::Finish),
        (Status::Closing, None, Some(50), 57, Step::Finish),
    ] {
        let poll = ports
            .keep(ports.poll_with(status, window(opens, closes)))
            .await;
        let at = noon(due);
        expected.push(DueStep { at, poll, step });
    }
    for status in [Status::Draft, Status::Closed] {
        ports
            .keep(ports.poll_with(status, window(Some(1), Some(2))))
            .await;
    }
    ports.kept(Status::Open).await;
    expected.sort_by_key(|step| step.at);
    let upcoming = |limit| ports.store.polls().upcoming(Duration::from_secs(7), limit);
    assert_eq!(upcoming(100).await.unwrap(), expected);
    assert_eq!(upcoming(2).await.unwrap(), expected[..2]);
    assert_eq!(upcoming(1).await.unwrap(), expected[..1]);
}

/// An edit may take the time away; nothing else would ever open the poll.
pub async fn a_scheduled_poll_without_an_opening_time_is_due_at_once(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    ports
        .keep(ports.poll_with(Status::Open, window(None, Some(-500))))
        .await;
    let id = ports.kept(Status::Scheduled).await;
    let upcoming = ports
        .store
        .polls()
        .upcoming(Duration::ZERO, 9)
        .await
        .unwrap();
    assert!(
        upcoming
            .iter()
            .any(|due| due.poll == id && due.step == Step::Open && due.at <= noon(0)),
        "{upcoming:?}"
    );
}

#[track_caller]
fn done(edited: Edited) -> PollRecord {
    match edited {
        Edited::Done(record) => record,
        other => panic!("was to be written: {other:?}"),
    }
}

#[track_caller]
fn taken(advanced: Advanced) -> PollRecord {
    match advanced {
        Advanced::Taken(record) => record,
        other => panic!("was to be taken: {other:?}"),
    }
}
