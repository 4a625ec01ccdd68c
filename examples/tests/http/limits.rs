//! How often somebody may do something, over real sockets. Limits are in the engine and not in the store; one test runs on
//! every store, because it votes.

use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use http::Method;
use polling_core::limits::{Decision, Key, Limit, RateLimiter, Rule};
use polling_core::{FakeClock, Settings, StoreError, TrustedProxies};
use polling_http::HttpSettings;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::store::Store;
use crate::support::{Ask, Server, Start};

on_every_store! {
    votes_of_people_nobody_knows_may_have_a_limit
}

/// A server that limits the tests' own address, on a clock that stands still.
pub(crate) async fn server(
    store: Store,
    change: impl FnOnce(&mut Settings),
) -> (Server, FakeClock) {
    let clock = FakeClock::default();
    let mut core = Settings::default();
    core.limits.loopback = true;
    change(&mut core);
    let start = Start {
        core,
        clock: Some(clock.clone()),
        http: behind_a_proxy(),
        ..Start::on(store)
    };
    (start.run().await, clock)
}

/// The tests' own address is that of a proxy which is trusted.
fn behind_a_proxy() -> HttpSettings {
    let mut http = HttpSettings::default();
    http.trusted_proxies = TrustedProxies::parse(["127.0.0.1", "10.0.0.0/8"]).unwrap();
    http
}

fn from(ask: Ask, address: &str) -> Ask {
    ask.header("x-forwarded-for", address)
}

fn sign_up(server: &Server, name: &str) -> Ask {
    let email = format!("{name}@example.org");
    let new = json!({"name": name, "email": email, "password": "correct horse"});
    server.post("/api/v1/users", &new)
}

fn sign_in(server: &Server, email: &str, password: &str) -> Ask {
    let body = json!({"email": email, "password": password});
    server.post("/api/v1/auth/login", &body)
}

/// Fails unless this is refused by this limit, until after so many seconds.
#[track_caller]
pub(crate) fn limited(answer: &Answer, rule: &str, limit: (u32, u64), seconds: &str) {
    answer.refuses(429, "rate_limited");
    let (count, window) = limit;
    let policy = format!("\"{rule}\";q={count};w={window}");
    assert_eq!(answer.header("ratelimit-policy"), policy);
    let left = answer.header("ratelimit");
    assert!(left.starts_with(&format!("\"{rule}\";r=0;t=")), "{left}");
    assert_eq!(answer.header("retry-after"), seconds);
}

#[tokio::test]
async fn the_eleventh_wrong_password_in_a_minute_is_refused_whether_or_not_there_is_an_account() {
    let (server, clock) = server(Store::default(), |_| {}).await;
    sign_up(&server, "ada").await;
    let emails = ["ada@example.org", "eve@example.org", "no address"];
    let mut told = Vec::new();
    for email in emails {
        for _ in 0..10 {
            let wrong = sign_in(&server, email, "wrong horse").await;
            wrong.refuses(401, "unauthorized");
        }
        // Another case is the same account; and what is right now is refused as well, or guessing could go on.
        let email = email.to_uppercase();
        let refused = sign_in(&server, &email, "correct horse").await;
        limited(&refused, "login", (10, 60), "60");
        let mut problem = refused.json();
        problem.as_object_mut().unwrap().remove("request_id");
        told.push(problem);
    }
    assert!(told.windows(2).all(|two| two[0] == two[1]), "{told:?}");
    let address = sign_in(&server, "bob@example.org", "wrong horse").await;
    address.refuses(401, "unauthorized");

    clock.advance(Duration::from_secs(59));
    let refused = sign_in(&server, "ada@example.org", "correct horse").await;
    limited(&refused, "login", (10, 60), "1");
    clock.advance(Duration::from_secs(1));
    let right = sign_in(&server, "ada@example.org", "correct horse").await;
    assert_eq!(right.status, 200);
}

#[tokio::test]
async fn a_user_may_invite_so_often_and_no_more() {
    let (server, clock) = server(Store::default(), |core| {
        core.limits.invite = Some(Limit::per_hour(2));
    })
    .await;
    let (_, ada) = server.user("ada").await;
    let (_, bob) = server.user("bob").await;
    let invite = async |token: &str, path: &str, email: &str| {
        let body = json!({"email": email, "role": "viewer"});
        server.post(path, &body).bearer(token).await
    };
    let mut paths = Vec::new();
    for token in [&ada, &ada, &bob] {
        let new = json!({"name": "Kitchen"});
        let workspace = server.post("/api/v1/workspaces", &new).bearer(token).await;
        let id = workspace.json()["id"].as_str().unwrap().to_owned();
        paths.push(format!("/api/v1/workspaces/{id}/invitations"));
    }
    // What is no invitation counts for nothing; the same one again does.
    let none = invite(&ada, &paths[0], "no address").await;
    none.refuses(422, "invalid");
    for path in &paths[..2] {
        assert_eq!(invite(&ada, path, "eve@example.org").await.status, 201);
    }
    let refused = invite(&ada, &paths[0], "eve@example.org").await;
    limited(&refused, "invite", (2, 3_600), "3600");
    let other = invite(&bob, &paths[2], "eve@example.org").await;
    assert_eq!(other.status, 201);
    clock.advance(Duration::from_secs(3_600));
    // Her access token is over by now.
    let again = sign_in(&server, "ada@example.org", "correct horse").await;
    let ada = again.json()["access_token"].as_str().unwrap().to_owned();
    let later = invite(&ada, &paths[0], "eve@example.org").await;
    assert_eq!(later.status, 201);
}

#[tokio::test]
async fn right_passwords_count_for_nothing() {
    let (server, _) = server(Store::default(), |core| {
        core.limits.login = Some(Limit::per_minute(2));
        core.limits.login_address = Some(Limit::per_minute(2));
    })
    .await;
    sign_up(&server, "ada").await;
    for _ in 0..5 {
        let right = sign_in(&server, "ada@example.org", "correct horse").await;
        assert_eq!(right.status, 200);
    }
    for _ in 0..2 {
        let wrong = sign_in(&server, "ada@example.org", "wrong horse").await;
        wrong.refuses(401, "unauthorized");
    }
    // The address is asked first: what it refuses does not count for the account.
    let other = sign_in(&server, "bob@example.org", "wrong horse").await;
    limited(&other, "login_address", (2, 60), "60");
    let elsewhere = sign_in(&server, "bob@example.org", "wrong horse");
    from(elsewhere, "203.0.113.9")
        .await
        .refuses(401, "unauthorized");
}

#[tokio::test]
async fn guesses_at_the_same_time_are_counted_together() {
    let (server, _) = server(Store::default(), |_| {}).await;
    sign_up(&server, "ada").await;
    let guesses =
        (0..40).map(|_| async { sign_in(&server, "ada@example.org", "wrong horse").await });
    let answers = join_all(guesses).await;
    let judged = answers.iter().filter(|answer| answer.status == 401).count();
    let refused = answers.iter().filter(|answer| answer.status == 429).count();
    assert_eq!((judged, refused), (10, 30));
}

#[tokio::test]
async fn signing_up_is_limited_by_address_and_says_what_is_left() {
    let (server, clock) = server(Store::default(), |core| {
        core.limits.sign_up = Some(Limit::per_minute(2));
    })
    .await;
    let first = sign_up(&server, "ada").await;
    assert_eq!(first.status, 201);
    assert_eq!(first.header("ratelimit-policy"), "\"sign_up\";q=2;w=60");
    assert_eq!(first.header("ratelimit"), "\"sign_up\";r=1;t=60");
    // What breaks a rule does not count; an address that is taken does, or one could ask for all.
    let invalid = server.post(
        "/api/v1/users",
        &json!({"name": "", "email": "x", "password": "x"}),
    );
    invalid.await.refuses(422, "invalid");
    sign_up(&server, "ada").await.refuses(409, "email_taken");
    limited(&sign_up(&server, "bob").await, "sign_up", (2, 60), "60");
    assert_eq!(
        from(sign_up(&server, "eve"), "203.0.113.9").await.status,
        201
    );
    clock.advance(Duration::from_secs(60));
    assert_eq!(sign_up(&server, "bob").await.status, 201);
}

#[tokio::test]
async fn creating_and_managing_polls_is_limited_by_user_and_by_address_only_without_one() {
    let (server, _) = server(Store::default(), |core| {
        core.limits.create_poll = Some(Limit::per_minute(2));
        core.limits.manage = Some(Limit::per_minute(2));
    })
    .await;
    let (_, ada) = server.user("ada").await;
    let (_, bob) = server.user("bob").await;
    let poll = json!({"question": "Q", "options": ["A", "B"], "publish": true});
    let create = || server.post("/api/v1/polls", &poll);
    for token in [&ada, &bob] {
        for left in ["1", "0"] {
            let created = create().bearer(token).await;
            assert_eq!(created.status, 201);
            let says = format!("\"create_poll\";r={left};t=60");
            assert_eq!(created.header("ratelimit"), says);
        }
        limited(&create().bearer(token).await, "create_poll", (2, 60), "60");
    }
    let mut tokens = Vec::new();
    for _ in 0..2 {
        let created = create().await.json();
        let path = format!("/api/v1/polls/{}", created["id"].as_str().unwrap());
        tokens.push((path, created["manage_token"].as_str().unwrap().to_owned()));
    }
    // Holding a manage token proves nothing here: everybody can make themselves as many as they like.
    let holder = create().bearer(&tokens[0].1).await;
    limited(&holder, "create_poll", (2, 60), "60");

    for (path, token) in &tokens {
        let patch = json!({"description": "x"});
        let edit = || {
            server
                .request(Method::PATCH, &**path)
                .json(&patch)
                .bearer(token)
        };
        assert_eq!(edit().await.status, 200);
        assert_eq!(edit().await.status, 200);
        limited(&edit().await, "manage", (2, 60), "60");
        assert_eq!(
            server.get(&**path).await.status,
            200,
            "reading has no limit"
        );
    }
}

#[tokio::test]
async fn a_proxy_is_believed_only_where_it_is_trusted() {
    let (server, _) = server(Store::default(), |core| {
        core.limits.create_poll = Some(Limit::per_minute(1));
    })
    .await;
    let poll = json!({"question": "Q", "options": ["A", "B"]});
    let create = |chain: &str| from(server.post("/api/v1/polls", &poll), chain);
    assert_eq!(create("203.0.113.1").await.status, 201);
    // What stands before the address that the last trusted proxy heard from is the client's own invention.
    for chain in [
        "203.0.113.1",
        "198.51.100.7, 203.0.113.1",
        "1.1.1.1,203.0.113.1:99, 10.0.0.7",
    ] {
        create(chain).await.refuses(429, "rate_limited");
    }
    assert_eq!(create("203.0.113.1, 203.0.113.2").await.status, 201);
    // A network of IPv6 is one.
    assert_eq!(create("2001:db8::1").await.status, 201);
    create("2001:db8::2").await.refuses(429, "rate_limited");
    assert_eq!(create("2001:db8:0:1::2").await.status, 201);

    let mut core = Settings::default();
    core.limits.loopback = true;
    core.limits.create_poll = Some(Limit::per_minute(1));
    let server = Start {
        core,
        ..Start::default()
    }
    .run()
    .await;
    let create = |chain: &str| from(server.post("/api/v1/polls", &poll), chain);
    assert_eq!(create("203.0.113.1").await.status, 201);
    create("203.0.113.2").await.refuses(429, "rate_limited");
}

#[tokio::test]
async fn addresses_of_this_computer_are_not_limited_by_default() {
    let mut core = Settings::default();
    core.limits.create_poll = Some(Limit::per_minute(1));
    let server = Start {
        core,
        ..Start::default()
    }
    .run()
    .await;
    let poll = json!({"question": "Q", "options": ["A", "B"]});
    for _ in 0..3 {
        let created = server.post("/api/v1/polls", &poll).await;
        assert_eq!(created.status, 201);
        assert_eq!(created.header("ratelimit"), "");
    }
}

async fn votes_of_people_nobody_knows_may_have_a_limit(store: Store) {
    let (server, clock) = server(store, |core| {
        core.limits.vote = Some(Limit::per_minute(3));
    })
    .await;
    let (poll, other) = (
        server.poll(json!({"allow_change": true})).await,
        server.poll(json!({})).await,
    );
    let vote = |voter: &str| server.post(poll.path("/votes"), &poll.vote(0, voter));
    assert_eq!(vote("ada").await.status, 201);
    assert_eq!(vote("bob").await.status, 201);
    // A batch is the same as its ballots one by one.
    let ballots: Vec<Value> = ["cid", "dan", "eve"]
        .map(|voter| poll.vote(0, voter))
        .into();
    let body = json!({"ballots": ballots});
    let batch = || server.post(poll.path("/votes/batch"), &body);
    let outcomes = batch().await.json();
    let statuses = outcomes["outcomes"].as_array().unwrap().iter();
    let statuses: Vec<_> = statuses.map(|outcome| outcome["status"].clone()).collect();
    assert_eq!(statuses, [201, 429, 429]);
    let refused = &outcomes["outcomes"][1];
    assert_eq!(refused["code"], "rate_limited");
    assert_eq!(refused["retry_after"], 60);
    limited(&vote("fay").await, "vote", (3, 60), "60");
    let put = server.request(Method::PUT, poll.path("/vote"));
    limited(&put.json(&poll.vote(1, "fay")).await, "vote", (3, 60), "60");

    // In another poll, from elsewhere, and as somebody who is known.
    let vote_in_other = server.post(other.path("/votes"), &other.vote(0, "fay"));
    assert_eq!(vote_in_other.await.status, 201);
    assert_eq!(from(vote("fay"), "203.0.113.9").await.status, 201);
    let (_, user) = server.user("gus").await;
    assert_eq!(vote("gus").bearer(&user).await.status, 201);
    let by_manager = batch().bearer(&poll.token).await.json();
    assert_eq!(by_manager["outcomes"][2]["status"], 201);

    clock.advance(Duration::from_secs(60));
    assert_eq!(vote("hal").await.status, 201);
    let results = server.get(poll.path("/results")).await.json();
    assert_eq!(results["ballots"], 8);
}

/// A limiter that is away.
struct Away;

#[async_trait]
impl RateLimiter for Away {
    async fn take(&self, _: Rule, _: Limit, _: &Key, _: u32) -> Result<Decision, StoreError> {
        Err(StoreError::unavailable("nobody counts"))
    }

    async fn give_back(&self, _: Rule, _: &Key, _: &Decision) -> Result<(), StoreError> {
        Err(StoreError::unavailable("nobody counts"))
    }
}

#[tokio::test]
async fn a_limiter_of_ones_own_is_asked_and_never_for_a_vote_where_votes_have_no_limit() {
    let server = Start {
        with: Some(Box::new(|builder| builder.limiter(Away))),
        http: behind_a_proxy(),
        ..Start::default()
    }
    .run()
    .await;
    // The tests' own address is not limited.
    let poll = server.poll(json!({})).await;
    let vote = server.post(poll.path("/votes"), &poll.vote(0, "ada"));
    assert_eq!(from(vote, "203.0.113.9").await.status, 201);
    let new = json!({"question": "Q", "options": ["A", "B"]});
    let create = server.post("/api/v1/polls", &new);
    from(create, "203.0.113.9")
        .await
        .refuses(503, "unavailable");
    sign_in(&server, "ada@example.org", "x")
        .await
        .refuses(503, "unavailable");
}
