//! The database refuses one ballot in the middle of a batch, in a storm of others.

use http::StatusCode;
use serde_json::{Value, json};

use crate::store::Store;
use crate::support::bed::Bed;
use crate::support::client::Client;
use crate::support::soon;
use crate::support::storm::{Storm, recorded};
use crate::support::voter::votes_of;

on_every_store! {
    a_ballot_that_cannot_be_written_is_told_alone_and_spoils_no_other
}

impl Bed {
    /// From now on the database refuses whatever chooses the third option. Of a file, before a server uses it.
    async fn poison(&self) {
        match self {
            Self::Sqlite(folder) => {
                drop(self.open().await);
                let file = rusqlite::Connection::open(folder.path().join("polls.db")).unwrap();
                let trigger = "CREATE TRIGGER poison BEFORE INSERT ON votes WHEN new.content = x'02' \
                               BEGIN SELECT RAISE(ABORT, 'as the test wants'); END";
                file.execute_batch(trigger).unwrap();
            }
            Self::Postgres { .. } => {
                self.query(
                    "CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS
                     $$BEGIN RAISE EXCEPTION 'as the test wants'; END$$",
                )
                .await;
                self.query(
                    "CREATE TRIGGER poison BEFORE INSERT ON polling.votes FOR EACH ROW
                     WHEN (new.content = '\\x02') EXECUTE FUNCTION poison()",
                )
                .await;
            }
        }
    }
}

fn is_poisoned(number: usize) -> bool {
    matches!(number, 0 | 13 | 14 | 50 | 99)
}

/// A hundred ballots in one request, some of which cannot be written.
fn batch(poll: &Value, of: usize) -> Value {
    let ballots: Vec<Value> = (0..100)
        .map(|number| {
            let option = if is_poisoned(number) { 2 } else { number % 2 };
            json!({"option_id": poll["options"][option]["id"], "voter": format!("batch {of}, {number}")})
        })
        .collect();
    json!({ "ballots": ballots })
}

async fn a_ballot_that_cannot_be_written_is_told_alone_and_spoils_no_other(store: Store) {
    let bed = Bed::on(store).await;
    bed.poison().await;
    let server = bed.start().await;
    let mut client = Client::connect(server.address).await.unwrap();
    let new = json!({"question": "?", "options": ["Tea", "Coffee", "Poison"], "publish": true});
    let (status, poll) = client.post("/polls", &new).await;
    assert_eq!(status, StatusCode::CREATED, "{poll}");
    let storm = Storm::insisting(&[server.address], &poll, 16);
    storm.reaches(100).await;
    let path = format!("{}/batch", votes_of(&poll));
    for of in 0..10 {
        let (status, answer) = soon(client.post(&path, &batch(&poll, of))).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        for (number, outcome) in answer["outcomes"].as_array().unwrap().iter().enumerate() {
            let expected = if is_poisoned(number) { 500 } else { 201 };
            assert_eq!(outcome["status"], expected, "ballot {number}: {outcome}");
            assert!(
                !is_poisoned(number) || outcome["code"] == "internal",
                "{outcome}"
            );
        }
    }
    // One that comes alone is told the same, every time.
    let alone = json!({"option_id": poll["options"][2]["id"], "voter": "alone"});
    for _ in 0..2 {
        let (status, answer) = client.post(&votes_of(&poll), &alone).await;
        assert_eq!(
            (status.as_u16(), &answer["code"]),
            (500, &json!("internal"))
        );
    }
    storm.goes_on_by(100).await;
    let answers = storm.ends().await;
    let answered = recorded(&answers).len();
    assert_eq!(answered, answers.len(), "nobody else is told of it");
    drop(client);
    assert!(server.stop().await.success());
    bed.recount(&poll, answered + 950).await;
}
