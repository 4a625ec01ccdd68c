//! What the server keeps of the memory that requests needed.

use futures_util::future::join_all;
use http::StatusCode;
use serde_json::json;

use crate::support::client::Client;
use crate::support::process::ServerProcess;
use crate::support::soon;

/// Clients that send at the same time: more than there are password workers.
const CLIENTS: usize = 17;
/// How often each of them has six passwords hashed.
const TURNS: usize = 5;

/// One block of 19 MiB for each password worker, of which the server has two: the first is there from the start.
const BLOCK: usize = 19 << 20;
/// For everything else that these requests leave behind; fresh blocks for each left ten times as much.
const ELSE: usize = 48 << 20;

async fn sign_in(client: &mut Client, email: &str, password: &str) -> (StatusCode, String) {
    let body = json!({"email": email, "password": password});
    let (status, answer) = client.post("/auth/login", &body).await;
    (
        status,
        answer["access_token"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
    )
}

/// A sign-up, a sign-in, a change of the password, and two wrong passwords: six hashes.
async fn hash_passwords(server: &ServerProcess, connection: &mut Client, person: &str) {
    let email = format!("{person}@example.org");
    let new = json!({"name": "Ada", "email": email, "password": "correct horse"});
    let (status, _) = connection.post("/users", &new).await;
    assert_eq!(status, StatusCode::CREATED);
    let (status, access) = sign_in(connection, &email, "correct horse").await;
    assert_eq!(status, StatusCode::OK);
    let own = Client::connect(server.address).await.unwrap();
    let change = json!({"current_password": "correct horse", "new_password": "battery staple"});
    let (status, _) = own.bearer(access).post("/auth/password", &change).await;
    assert_eq!(status, StatusCode::OK);
    for address in [email, format!("not-{person}@example.org")] {
        let (status, _) = sign_in(connection, &address, "correct horse").await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
    }
}

/// Nothing is left of 510 hashed passwords but the memory of the workers.
#[tokio::test]
async fn signing_in_leaves_no_memory_behind() {
    let server = ServerProcess::start("sqlite::memory:").await;
    let before = server.resident();
    let client = async |client| {
        let mut connection = Client::connect(server.address).await.unwrap();
        for turn in 0..TURNS {
            let person = format!("person-{client}-{turn}");
            soon(hash_passwords(&server, &mut connection, &person)).await;
        }
    };
    join_all((0..CLIENTS).map(client)).await;
    let after = server.resident();
    assert!(
        after < before + BLOCK + ELSE,
        "{before} bytes before, and {after} after"
    );
    assert!(server.stop().await.success());
}
