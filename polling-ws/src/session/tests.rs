use polling_core::vote_tokens::VoteToken;
use polling_core::{StoreError, TokenHash, UserId};
use serde_json::{Value, json};

use super::*;

const POLLS: [&str; 3] = [
    "0193a5b0-7c3e-7d52-8f5e-6f0d3a1c2b40",
    "0193a5b0-7c3e-7d52-8f5e-6f0d3a1c2b41",
    "0193a5b0-7c3e-7d52-8f5e-6f0d3a1c2b42",
];

fn session() -> Session {
    let settings = WsSettings {
        subscriptions: 2,
        credentials: 2,
        bad_frames: 2,
        ..WsSettings::default()
    };
    Session::new(ConnectionId(1), Arc::new(settings), Actor::anonymous())
}

fn json(frame: &Utf8Bytes) -> Value {
    serde_json::from_str(frame).unwrap()
}

/// The answer, where the step is one.
fn answer(step: Step) -> Value {
    match step {
        Step::Answer(frame) => json(&frame),
        _ => panic!("no answer at once"),
    }
}

fn subscribe(poll: &str) -> String {
    json!({"type": "subscribe", "ref": 1, "poll_id": poll}).to_string()
}

#[test]
fn a_ping_is_answered_at_once() {
    let step = session().text(r#"{"type":"ping","ref":"a"}"#);
    assert_eq!(answer(step), json!({"type": "pong", "ref": "a"}));
}

#[test]
fn a_vote_is_cast_beside_whatever_else_is_going_on() {
    let vote = json!({"type": "vote", "ref": 5, "poll_id": POLLS[0], "option_id": POLLS[1], "voter": "ada"});
    let Step::Vote(ballot, Some(_)) = session().text(&vote.to_string()) else {
        panic!("a ballot")
    };
    assert_eq!(ballot.poll.to_string(), POLLS[0]);
}

#[test]
fn too_many_bad_frames_close_the_connection() {
    let mut session = session();
    for _ in 0..2 {
        let bad = answer(session.text(r#"{"type":"shout","ref":1}"#));
        assert_eq!(bad["code"], "invalid");
        assert_eq!(
            (&bad["ref"], &bad["errors"][0]["pointer"]),
            (&json!(1), &json!("/type"))
        );
    }
    assert!(matches!(session.binary(), Step::Close(Close::BadFrames)));
}

#[test]
fn a_binary_frame_is_a_bad_one() {
    let bad = answer(session().binary());
    assert_eq!(
        (&bad["type"], &bad["code"]),
        (&json!("error"), &json!("invalid"))
    );
}

#[test]
fn one_poll_too_many_is_refused_and_a_known_one_is_not() {
    let mut session = session();
    for poll in &POLLS[..2] {
        session
            .subscribed
            .insert(poll.parse().unwrap(), Leash::loose());
    }
    let refused = answer(session.text(&subscribe(POLLS[2])));
    assert_eq!(refused["code"], "overloaded");
    assert_eq!(refused["poll_id"], POLLS[2]);
    assert!(matches!(
        session.text(&subscribe(POLLS[1])),
        Step::Subscribe(..)
    ));
    let unsubscribe = json!({"type": "unsubscribe", "poll_id": POLLS[0]}).to_string();
    assert_eq!(answer(session.text(&unsubscribe)), json!({"type": "ok"}));
    // It is not subscribed any more, which is all that was asked for.
    assert_eq!(answer(session.text(&unsubscribe)), json!({"type": "ok"}));
    assert!(matches!(
        session.text(&subscribe(POLLS[2])),
        Step::Subscribe(..)
    ));
}

#[test]
fn a_deleted_poll_is_told_once_and_then_not_subscribed_any_more() {
    let (mut session, poll) = (session(), POLLS[0].parse().unwrap());
    session.subscribed.insert(poll, Leash::loose());
    let Tell::Frame(frame) = session.updated(poll, Update::Ended(WatchEnd::PollDeleted)) else {
        panic!("a frame")
    };
    assert_eq!(
        json(&frame),
        json!({"type": "poll_deleted", "poll_id": POLLS[0]})
    );
    assert_eq!(session.updated(poll, Update::Hidden), Tell::Nothing);
}

#[test]
fn the_end_of_the_engine_closes_the_connection() {
    let (mut session, poll) = (session(), POLLS[0].parse().unwrap());
    session.subscribed.insert(poll, Leash::loose());
    assert_eq!(
        session.updated(poll, Update::Ended(WatchEnd::ShuttingDown)),
        Tell::Close(Close::Leaving)
    );
}

#[test]
fn what_a_token_proves_adds_to_what_was_proved_before() {
    let mut session = session();
    let (user, token) = (UserId::from_bytes([1; 16]), TokenHash::from_bytes([2; 32]));
    session.authenticated(None, Ok(Actor::user(user)));
    session.authenticated(None, Ok(Actor::manage_token(token)));
    assert_eq!(session.actor().user_id(), Some(user));
    assert_eq!(session.actor().manage_tokens(), [token]);

    let unavailable = AuthError::from(StoreError::unavailable("no"));
    assert_eq!(
        json(&session.authenticated(None, Err(unavailable)))["code"],
        "unavailable"
    );
    assert_eq!(session.actor().user_id(), Some(user));
    assert_eq!(session.actor().manage_tokens(), [token]);
}

#[test]
fn one_token_too_many_is_refused_and_who_is_signed_in_may_change() {
    let mut session = session();
    let [first, second, third] = [1, 2, 3].map(|n| TokenHash::from_bytes([n; 32]));
    let [ada, bob] = [1, 2].map(|n| UserId::from_bytes([n; 16]));
    let vote_token = Actor::vote_token(VoteToken::new("pv_x", POLLS[0].parse().unwrap()));
    let proved = [Actor::manage_token(first), vote_token, Actor::user(ada)];
    for known in proved.into_iter().chain([Actor::user(bob)]) {
        // It is judged before there is said to be no room for it.
        let step = session.text(r#"{"type":"authenticate","token":"x"}"#);
        assert!(matches!(step, Step::Authenticate(..)));
        // Neither what is known already nor who is signed in adds up.
        for _ in 0..2 {
            let told = session.authenticated(None, Ok(known.clone()));
            assert_eq!(json(&told)["type"], "ok");
        }
    }
    let before = Arc::clone(session.actor());
    assert_eq!(before.user_id(), Some(bob));
    for more in [second, third].map(Actor::manage_token) {
        let told = session.authenticated(None, Ok(more));
        assert_eq!(json(&told)["code"], "overloaded");
        assert_eq!(*session.actor(), before);
    }
    let refused = session.authenticated(None, Err(AuthError::Rejected));
    assert_eq!(json(&refused)["code"], "unauthorized");
    assert_eq!(session.actor().user_id(), None);
}

#[test]
fn a_token_that_is_refused_leaves_nobody_there() {
    let mut session = session();
    let poll = POLLS[0].parse().unwrap();
    let (user, token) = (UserId::from_bytes([1; 16]), TokenHash::from_bytes([2; 32]));
    for proved in [
        Actor::user(user),
        Actor::manage_token(token),
        Actor::vote_token(VoteToken::new("pv_x", poll)),
    ] {
        session.authenticated(None, Ok(proved));
    }
    let refused = session.authenticated(None, Err(AuthError::Rejected));
    assert_eq!(json(&refused)["code"], "unauthorized");
    // A manage token is good whoever holds it.
    assert_eq!(*session.actor(), Arc::new(Actor::manage_token(token)));
}
