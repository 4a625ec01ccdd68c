//! Many votes in one request.

use polling_core::Settings;
use serde_json::{Value, json};

use crate::store::Store;
use crate::support::{Server, Start};

on_every_store! {
    each_ballot_of_a_batch_stands_alone_and_in_order
    a_batch_is_taken_whole_or_refused_whole
    the_largest_batch_of_the_contract_fits_its_bounds
    on_a_poll_of_users_a_batch_holds_the_callers_ballot_only
}

async fn each_ballot_of_a_batch_stands_alone_and_in_order(store: Store) {
    let server = Server::on(store).await;
    let poll = server.poll(json!({})).await;
    let ballots = json!([
        poll.vote(0, "ada"),
        poll.vote(1, "bob"),
        poll.vote(0, "ada"),
        poll.vote(1, "ada"),
        {"option_id": "x", "voter": "eve"},
        {"option_id": poll.options[0]},
        {"option_id": poll.options[0], "voter": "eve", "more": 1},
        7,
        poll.vote(1, "eve"),
    ]);
    let path = poll.path("/votes/batch");
    let answer = server.post(&*path, &json!({"ballots": ballots})).await;
    assert_eq!(answer.status, 200);
    let outcomes = answer.json()["outcomes"].as_array().unwrap().clone();
    let seen: Vec<(u64, &str)> = outcomes
        .iter()
        .map(|outcome| {
            let code = outcome["code"].as_str().unwrap_or_default();
            (outcome["status"].as_u64().unwrap(), code)
        })
        .collect();
    let expected = [
        (201, ""),
        (201, ""),
        (200, ""),
        (409, "already_voted"),
        (422, "invalid"),
        (422, "voter_required"),
        (422, "invalid"),
        (422, "invalid"),
        (201, ""),
    ];
    assert_eq!(seen, expected);
    assert_eq!(outcomes[0]["receipt"]["voter"], "ada");
    assert_eq!(
        outcomes[2]["receipt"]["ballot_id"],
        outcomes[0]["receipt"]["ballot_id"]
    );
    assert_eq!(outcomes[3].get("receipt"), None);
    assert_eq!(outcomes[4]["errors"][0]["pointer"], "/option_id");
    assert_eq!(outcomes[6]["errors"][0]["pointer"], "/more");
    let results = server.get(poll.path("/results")).await.json();
    assert_eq!(results["ballots"], 3);
}

async fn a_batch_is_taken_whole_or_refused_whole(store: Store) {
    let mut core = Settings::default();
    core.request_ballots = 2;
    let server = Start {
        core,
        ..Start::on(store)
    }
    .run()
    .await;
    let poll = server.poll(json!({})).await;
    let batch =
        |ballots: Vec<Value>| server.post(poll.path("/votes/batch"), &json!({"ballots": ballots}));
    let names = ["ada", "bob", "eve"];
    let three = names.map(|name| poll.vote(0, name)).to_vec();
    batch(three.clone())
        .await
        .refuses_field(422, "invalid", "/ballots");
    assert_eq!(server.get(poll.path("/results")).await.json()["ballots"], 0);
    assert_eq!(batch(three[..2].to_vec()).await.status, 200);
    assert_eq!(batch(vec![]).await.json(), json!({"outcomes": []}));
    let unknown = server.post(
        "/api/v1/polls/018f3c6e-0000-7000-8000-000000000001/votes/batch",
        &json!({"ballots": []}),
    );
    unknown.await.refuses(404, "poll_not_found");
    let misspelt = server.post(poll.path("/votes/batch"), &json!({"ballots": [], "x": 1}));
    misspelt.await.refuses_field(422, "invalid", "/x");
    let missing = server.post(poll.path("/votes/batch"), &json!({}));
    missing.await.refuses_field(422, "invalid", "/ballots");
}

async fn the_largest_batch_of_the_contract_fits_its_bounds(store: Store) {
    let server = Server::on(store).await;
    let poll = server.poll(json!({})).await;
    let ballots: Vec<Value> = (0..10_000)
        .map(|n| poll.vote(n % 2, &format!("voter {n}")))
        .collect();
    let answer = server
        .post(poll.path("/votes/batch"), &json!({"ballots": ballots}))
        .await;
    assert_eq!(answer.status, 200, "{:.300}", answer.text());
    let results = server.get(poll.path("/results")).await.json();
    assert_eq!(results["ballots"], 10_000);
    assert_eq!(results["options"][0]["votes"], 5_000);
}

async fn on_a_poll_of_users_a_batch_holds_the_callers_ballot_only(store: Store) {
    let server = Server::on(store).await;
    let poll = server.poll(json!({"voters": "registered"})).await;
    let (_, token) = server.user("ada").await;
    let own = json!({"option_id": poll.options[0]});
    let ballots = json!({"ballots": [own, poll.vote(0, "bob"), own]});
    let ask = server
        .post(poll.path("/votes/batch"), &ballots)
        .bearer(&token);
    let outcomes = ask.await.json();
    let statuses: Vec<_> = outcomes["outcomes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["status"])
        .collect();
    assert_eq!(statuses, [201, 403, 200]);
}
