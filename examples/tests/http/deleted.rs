//! What is left to who has deleted the account, as long as an access token lives: their votes, and nothing else.

use std::time::Duration;

use http::Method;
use polling_core::limits::Limit;
use polling_core::{Actor, FakeClock, Settings};
use serde_json::{Value, json};

use crate::event_stream::Events;
use crate::limits;
use crate::store::Store;
use crate::support::{Poll, Server, Start, soon};

on_every_store! {
    a_deleted_user_sees_no_more_of_their_polls_than_nobody
    a_deleted_user_vouches_for_nobody
    a_deleted_user_sees_no_results_by_having_voted
    a_deleted_user_manages_no_poll_that_has_a_limit
    a_lowered_lifetime_ends_the_tokens_that_were_given
}

const ME: &str = "/api/v1/users/me";

async fn delete(server: &Server, token: &str) {
    let deleted = server.request(Method::DELETE, ME).bearer(token).await;
    assert_eq!(deleted.status, 204);
}

/// A poll of this user with these fields.
async fn poll_of(server: &Server, token: &str, fields: Value) -> Poll {
    let mut body = json!({"question": "Q", "options": ["A", "B"], "publish": true});
    let fields = fields.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(fields);
    let made = server.post("/api/v1/polls", &body).bearer(token).await;
    assert_eq!(made.status, 201, "{}", made.text());
    Poll::of(&made.json())
}

async fn a_deleted_user_sees_no_more_of_their_polls_than_nobody(store: Store) {
    let server = Server::on(store).await;
    let (_, ada) = server.user("ada").await;
    let draft = poll_of(&server, &ada, json!({"publish": false})).await;
    let hidden = json!({"show_results": "managers"});
    let hidden = poll_of(&server, &ada, hidden).await;
    let listed = poll_of(&server, &ada, json!({"listed": true})).await;
    let (_, bob) = server.user("bob").await;
    let bobs = poll_of(&server, &bob, json!({})).await;
    let close_bobs = || server.post(bobs.path("/close"), &json!({})).bearer(&ada);
    close_bobs().await.refuses(403, "forbidden");
    let ids = async |token: Option<&str>| {
        let ask = server.get("/api/v1/polls");
        let page = match token {
            Some(token) => ask.bearer(token).await.json(),
            None => ask.await.json(),
        };
        let items = page["items"].as_array().unwrap().iter();
        let ids = items.map(|poll| poll["id"].as_str().unwrap().to_owned());
        ids.collect::<Vec<_>>()
    };
    let read = async |poll: &Poll, rest: &str| server.get(poll.path(rest)).bearer(&ada).await;
    assert_eq!(ids(Some(&ada)).await.len(), 3);
    assert_eq!(read(&draft, "").await.status, 200);
    assert_eq!(read(&hidden, "/results").await.status, 200);
    let mut events = Events::open(server.get(hidden.path("/events")).bearer(&ada)).await;
    events.results().await;

    delete(&server, &ada).await;
    close_bobs().await.refuses(401, "unauthorized");
    assert_eq!(events.named("error").await["code"], "results_hidden");
    let seen = ids(Some(&ada)).await;
    assert!(seen == [&*listed.id] && seen == ids(None).await, "{seen:?}");
    for rest in ["", "/results", "/events"] {
        read(&draft, rest).await.refuses(404, "poll_not_found");
    }
    let publish = server.post(draft.path("/publish"), &json!({}));
    let publish = publish.bearer(&ada).await;
    publish.refuses(404, "poll_not_found");
    let vote = server.post(draft.path("/votes"), &draft.vote(0, "x"));
    vote.bearer(&ada).await.refuses(404, "poll_not_found");
    assert_eq!(read(&hidden, "").await.json()["results"], Value::Null);
    let results = read(&hidden, "/results").await;
    results.refuses(403, "results_hidden");
    let mut events = Events::open(server.get(hidden.path("/events")).bearer(&ada)).await;
    assert_eq!(events.named("error").await["code"], "results_hidden");
    let actor = server.engine.authenticate(&ada).await.unwrap();
    let results = server.engine.results();
    let recount = results.recount(&actor, hidden.id.parse().unwrap()).await;
    assert_eq!(recount.unwrap_err().code().as_str(), "forbidden");
}

async fn a_deleted_user_vouches_for_nobody(store: Store) {
    let server = Server::on(store).await;
    let (_, ada) = server.user("ada").await;
    let poll = poll_of(&server, &ada, json!({"voters": "vouched"})).await;
    let vote = async |voter: &str| {
        let vote = server.post(poll.path("/votes"), &poll.vote(0, voter));
        vote.bearer(&ada).await
    };
    let batch = async |voter: &str| {
        let body = json!({"ballots": [poll.vote(0, voter)]});
        let batch = server.post(poll.path("/votes/batch"), &body);
        batch.bearer(&ada).await.json()["outcomes"][0]["status"].clone()
    };
    assert_eq!(vote("bob").await.status, 201);
    assert_eq!(batch("cid").await, 201);
    delete(&server, &ada).await;
    for voter in ["bob", "dan"] {
        vote(voter).await.refuses(403, "forbidden");
        assert_eq!(batch(voter).await, 403);
    }
    for path in ["/vote?voter=bob", "?voter=bob", "/results?voter=bob"] {
        let read = server.get(poll.path(path)).bearer(&ada).await;
        read.refuses(403, "forbidden");
    }
    assert_eq!(server.get(poll.path("/results")).await.json()["ballots"], 2);
}

async fn a_deleted_user_sees_no_results_by_having_voted(store: Store) {
    let server = Server::on(store).await;
    let (_, ada) = server.user("ada").await;
    let (_, bob) = server.user("bob").await;
    let fields = json!({"voters": "registered", "show_results": "after_vote"});
    let poll = poll_of(&server, &bob, fields).await;
    let vote = json!({"option_id": poll.options[0]});
    let cast = async || server.post(poll.path("/votes"), &vote).bearer(&ada).await;
    assert_eq!(cast().await.status, 201);
    let results = async || server.get(poll.path("/results")).bearer(&ada).await;
    assert_eq!(results().await.status, 200);
    delete(&server, &ada).await;
    results().await.refuses(403, "results_hidden");
    let read = server.get(poll.path("")).bearer(&ada).await;
    assert_eq!(read.json()["results"], Value::Null);
    // The vote is theirs until then.
    assert_eq!(cast().await.status, 200);
    let own = server.get(poll.path("/vote")).bearer(&ada).await;
    assert_eq!(own.json()["option_ids"][0], poll.options[0]);
}

async fn a_deleted_user_manages_no_poll_that_has_a_limit(store: Store) {
    let (server, _) = limits::server(store, |core| {
        core.limits.vote = Some(Limit::per_minute(2));
    })
    .await;
    let (_, ada) = server.user("ada").await;
    let poll = poll_of(&server, &ada, json!({"voters": "anyone"})).await;
    let batch = async |voters: [&str; 3]| {
        let body = json!({"ballots": voters.map(|voter| poll.vote(0, voter))});
        let batch = server.post(poll.path("/votes/batch"), &body);
        let outcomes = batch.bearer(&ada).await.json();
        let status = |place: usize| outcomes["outcomes"][place]["status"].clone();
        [status(0), status(1), status(2)]
    };
    assert_eq!(batch(["a", "b", "c"]).await, [201, 201, 201]);
    delete(&server, &ada).await;
    assert_eq!(batch(["d", "e", "f"]).await, [201, 201, 429]);
    let vote = server.post(poll.path("/votes"), &poll.vote(0, "g"));
    vote.bearer(&ada).await.refuses(429, "rate_limited");
}

/// Their ballots are taken from deleted users when today's lifetime has passed. A token that was made under a longer one
/// must not live on until its own end: its holder would vote twice.
async fn a_lowered_lifetime_ends_the_tokens_that_were_given(store: Store) {
    let clock = FakeClock::default();
    let start = |store, lifetime| {
        let mut core = Settings::default();
        core.access_token_lifetime = Duration::from_secs(lifetime);
        Start {
            core,
            clock: Some(clock.clone()),
            ..Start::on(store)
        }
    };
    let server = start(store, 24 * 3_600).run().await;
    let poll = server.poll(json!({"voters": "registered"})).await;
    let (id, ada) = server.user("ada").await;
    let (_, bob) = server.user("bob").await;
    let body = json!({"option_id": poll.options[0]});
    let vote = async |server: &Server, token: &str| {
        server.post(poll.path("/votes"), &body).bearer(token).await
    };
    assert_eq!(vote(&server, &ada).await.status, 201);
    delete(&server, &ada).await;

    let server = server.restart(start(store, 60)).await;
    clock.advance(Duration::from_secs(59));
    assert_eq!(vote(&server, &ada).await.status, 200);
    clock.advance(Duration::from_secs(1));
    for token in [&ada, &bob] {
        vote(&server, token).await.refuses(401, "unauthorized");
    }
    let users = server.store.users().unwrap();
    let id = id.parse().unwrap();
    let detached = async {
        while users.is_deleted(id).await.unwrap() {
            clock.advance(Duration::from_secs(10));
            tokio::task::yield_now().await;
        }
    };
    soon(detached).await;
    vote(&server, &ada).await.refuses(401, "unauthorized");
    let results = server.engine.results();
    let recount = results.recount(&Actor::System, poll.id.parse().unwrap());
    assert!(recount.await.unwrap().agrees());
    assert_eq!(server.get(poll.path("/results")).await.json()["ballots"], 1);
}
