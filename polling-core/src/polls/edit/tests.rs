//! The table of what may change when.

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::polls::NewPoll;
use crate::{Actor, Clock, FakeClock, SeededIds};

fn record(status: Status) -> PollRecord {
    let (now, ids) = (FakeClock::default().now(), SeededIds::new(1));
    let new = NewPoll::single("Tea or coffee?", ["Tea", "Coffee"]);
    let (poll, mut tally) = new
        .validate(&Actor::System, None, now, &ids, &PollLimits::default())
        .unwrap();
    tally.status = status;
    PollRecord {
        poll: Arc::new(poll),
        tally,
    }
}

fn judge(json: &str, status: Status) -> Result<Option<PollEdit>, PollError> {
    let patch: PollPatch = serde_json::from_str(json).unwrap();
    let now = FakeClock::default().now().after(Duration::from_secs(1));
    patch.judge(
        &record(status),
        now,
        &SeededIds::new(2),
        &PollLimits::default(),
    )
}

#[test]
fn what_may_change_follows_from_the_status() {
    use Status::{Closed, Closing, Draft, Open, Scheduled};
    let fields = [
        (
            r#"{"question":"Now?"}"#,
            "/question",
            &[Draft, Scheduled][..],
        ),
        (r#"{"description":"More"}"#, "/description", &Status::ALL),
        (r#"{"options":["x","y","z"]}"#, "/options", &[Draft]),
        (r#"{"choice":{"type":"multiple"}}"#, "/choice", &[Draft]),
        (r#"{"voters":"anyone"}"#, "/voters", &[Draft]),
        (
            r#"{"show_results":"managers"}"#,
            "/show_results",
            &Status::ALL,
        ),
        (
            r#"{"allow_change":true}"#,
            "/allow_change",
            &[Draft, Scheduled],
        ),
        (r#"{"listed":true}"#, "/listed", &Status::ALL),
        (
            r#"{"opens_at":"2030-01-01T00:00:00Z"}"#,
            "/opens_at",
            &[Draft, Scheduled],
        ),
        (
            r#"{"closes_at":"2030-01-01T00:00:00Z"}"#,
            "/closes_at",
            &[Draft, Scheduled, Open],
        ),
    ];
    for (json, pointer, allowed) in fields {
        for status in Status::ALL {
            match judge(json, status) {
                Ok(Some(edit)) => {
                    assert!(allowed.contains(&status), "{json} while {status:?}");
                    assert_eq!(edit.poll.version, 2);
                }
                Err(PollError::Fixed(fields)) => {
                    assert!(
                        !allowed.contains(&status) && matches!(status, Scheduled | Open),
                        "{json} {status:?}"
                    );
                    assert_eq!(fields[0].pointer, pointer);
                }
                Err(PollError::Closed(fields)) => {
                    assert!(
                        !allowed.contains(&status) && matches!(status, Closing | Closed),
                        "{json} {status:?}"
                    );
                    assert_eq!(fields[0].pointer, pointer);
                }
                other => panic!("{json} while {status:?}: {other:?}"),
            }
        }
    }
}

#[test]
fn sending_back_what_was_read_changes_nothing() {
    let same = r#"{"version":1,"question":"Tea or coffee?","options":["Tea","Coffee"],"choice":{"type":"single"},
        "voters":"vouched","show_results":"always","allow_change":false,"listed":false,"description":null,
        "opens_at":null,"closes_at":null}"#;
    for status in Status::ALL {
        assert!(judge(same, status).unwrap().is_none(), "{status:?}");
    }
}

#[test]
fn only_the_end_and_the_visibility_are_revisions() {
    let revises = |json| judge(json, Status::Draft).unwrap().unwrap().revises;
    assert!(revises(r#"{"closes_at":"2030-01-01T00:00:00Z"}"#));
    assert!(revises(r#"{"show_results":"managers"}"#));
    assert!(!revises(
        r#"{"question":"Now?","options":["x","y"],"listed":true}"#
    ));
}

#[test]
fn impossible_changes_name_their_field() {
    let pointer = |json| match judge(json, Status::Draft) {
        Err(PollError::Invalid(fields)) => fields[0].pointer.clone(),
        other => panic!("{json}: {other:?}"),
    };
    assert_eq!(
        pointer(r#"{"closes_at":"2001-01-01T00:00:00Z"}"#),
        "/closes_at"
    );
    assert_eq!(
        pointer(r#"{"opens_at":"2030-01-02T00:00:00Z","closes_at":"2030-01-01T00:00:00Z"}"#),
        "/closes_at"
    );
    assert_eq!(pointer(r#"{"options":["x"]}"#), "/options");
    assert_eq!(pointer(r#"{"options":["x"," x "]}"#), "/options/1");
    assert_eq!(
        pointer(r#"{"choice":{"type":"multiple","max":3}}"#),
        "/choice/max"
    );
    assert_eq!(pointer(r#"{"question":"   "}"#), "/question");
    assert!(matches!(
        judge(r#"{"version":2}"#, Status::Draft),
        Err(PollError::VersionConflict { current: 1 })
    ));
}
