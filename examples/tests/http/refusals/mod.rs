//! Every refusal that the document of the API names, provoked over a real socket; and every operation once for whoever has
//! the least right that suffices. What the document names and nobody provokes fails, and so does what is provoked and not
//! named: neither the document nor these tables can rot by themselves.
//!
//! A table is a file for each room. What belongs to no room is made from the document itself (`bodies.rs`).

mod accounts;
mod allowed;
mod bodies;
mod case;
mod limited;
mod polls;
mod site;
mod tokens;
mod votes;
mod workspaces;
mod world;

use std::collections::BTreeSet;

use case::{Case, Key};
use limited::{Limited, Off};
use site::Site;
use world::World;

use crate::documented::{DOCUMENT, Documented};
use crate::store::Store;

on_every_store! {
    every_refusal_that_is_documented_is_provoked_and_no_other
    nobody_is_answered_where_the_document_wants_a_token
    every_operation_does_for_the_least_who_may_what_is_documented
}

/// Refusals of these kinds are in the tables. Of the others 400 is in `input.rs`, 408 in `slow.rs`, 500 and 503 where the
/// faults are; 405 and 404 `not_found` are of no operation.
const STATUSES: [u16; 9] = [401, 403, 404, 409, 410, 413, 415, 422, 429];

/// 404 of these hides nothing: there is no vote of such a voter, and imports are the business of administrators.
const OPEN: [&str; 2] = ["vote_not_found", "import_not_found"];

async fn every_refusal_that_is_documented_is_provoked_and_no_other(store: Store) {
    let world = World::on(store).await;
    let (limited, off) = (Limited::on(store).await, Off::on(store).await);
    let documented = world.team.server.get(DOCUMENT).await.json();
    let documented = Documented::of(&documented);
    let mut cases = bodies::cases(&world, &documented);
    cases.extend(polls::cases(&world));
    cases.extend(votes::cases(&world));
    cases.extend(tokens::cases(&world));
    cases.extend(accounts::cases(&world));
    cases.extend(workspaces::cases(&world));
    cases.extend(limited.cases());
    cases.extend(off.cases());

    let mut wrong = Vec::new();
    for case in &cases {
        wrong.extend(case.provoke().await.err());
    }
    assert!(
        wrong.is_empty(),
        "{} are wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    agrees(&promised(&documented), &cases);
}

/// Each refusal that the document names.
fn promised(documented: &Documented) -> BTreeSet<Key> {
    let mut promised = BTreeSet::new();
    for ((method, path), operation) in documented.operations() {
        for (status, code) in operation.refusals() {
            if STATUSES.contains(&status) {
                promised.insert((method.clone(), path.clone(), status, code.to_owned()));
            }
        }
    }
    promised
}

fn agrees(promised: &BTreeSet<Key>, cases: &[Case<'_>]) {
    let provoked: BTreeSet<Key> = cases.iter().map(Case::key).collect();
    let missing: Vec<_> = promised.difference(&provoked).collect();
    assert!(
        missing.is_empty(),
        "documented, and provoked by no case: {missing:#?}"
    );
    let surplus: Vec<_> = provoked.difference(promised).collect();
    assert!(
        surplus.is_empty(),
        "provoked, and not documented: {surplus:#?}"
    );
    let hiding: BTreeSet<Key> = cases
        .iter()
        .filter(|case| case.is_hiding())
        .map(Case::key)
        .collect();
    let hidden = promised
        .iter()
        .filter(|key| key.2 == 404 && !OPEN.contains(&&*key.3));
    let told: Vec<_> = hidden.filter(|key| !hiding.contains(key)).collect();
    assert!(
        told.is_empty(),
        "of no case it is seen that nothing is told: {told:#?}"
    );
}

async fn nobody_is_answered_where_the_document_wants_a_token(store: Store) {
    let world = World::on(store).await;
    let server = &world.team.server;
    let documented = Documented::of(&server.get(DOCUMENT).await.json());
    for ((method, path), _) in documented.operations().filter(|(_, said)| said.needs_token) {
        let ask = world.ids.ask(server, &method.parse().unwrap(), path);
        let answer = ask.await;
        assert_eq!(
            answer.problem(),
            (401, "unauthorized".to_owned()),
            "{method} {path}"
        );
    }
}

async fn every_operation_does_for_the_least_who_may_what_is_documented(store: Store) {
    let site = Site::on(store).await;
    let documented = Documented::of(&site.team.server.get(DOCUMENT).await.json());
    let cases = site.cases();
    let mut wrong = Vec::new();
    for case in &cases {
        wrong.extend(case.succeed().await.err());
    }
    assert!(
        wrong.is_empty(),
        "{} are wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    let done: BTreeSet<_> = cases.iter().map(Case::key).collect();
    let done: BTreeSet<_> = done.into_iter().map(|key| (key.0, key.1, key.2)).collect();
    for (name, operation) in documented.operations() {
        let is_done = |key: &&(String, String, u16)| (&key.0, &key.1) == (&name.0, &name.1);
        let answers: Vec<u16> = done.iter().filter(is_done).map(|key| key.2).collect();
        assert!(!answers.is_empty(), "{name:?} is done by nobody");
        for status in answers {
            assert!(
                operation.answers.contains_key(&status),
                "{name:?}: {status}"
            );
        }
    }
}
