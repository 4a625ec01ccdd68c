//! The command that makes administrators, as people run it.

use std::path::Path;
use std::process::Output;

use polling_core::users::NewUser;
use polling_core::{Actor, Engine};
use polling_sqlite::SqliteStore;
use tokio::process::Command;

use crate::support::process::program;

const EMAIL: &str = "ada@example.org";

async fn engine(path: &Path) -> Engine {
    let store = SqliteStore::open(path).await.unwrap();
    Engine::builder(store).build().await.unwrap()
}

async fn server(path: &Path, command: [&str; 3]) -> Output {
    let mut server = Command::new(program());
    let url = format!("sqlite://{}", path.display());
    server.args(["--database-url", &url]).args(command);
    server.output().await.unwrap()
}

#[tokio::test]
async fn a_command_makes_and_unmakes_administrators() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("polls.db");
    let site = engine(&path).await;
    let new = NewUser::new("Ada", EMAIL, "correct horse");
    let users = site.users().unwrap();
    let ada = users.create(&Actor::System, new).await.unwrap();
    site.shutdown().await;
    drop(site);
    for (verb, is_admin) in [("grant", true), ("grant", true), ("revoke", false)] {
        let output = server(&path, ["admin", verb, "ADA@example.org"]).await;
        assert!(output.status.success(), "{output:?}");
        let told = String::from_utf8(output.stdout).unwrap();
        assert!(
            told.starts_with(EMAIL) && told.contains("administrator"),
            "{told}"
        );
        let site = engine(&path).await;
        let users = site.users().unwrap();
        assert_eq!(
            users.is_admin(&Actor::user(ada.id)).await.unwrap(),
            is_admin
        );
        site.shutdown().await;
    }
    let unknown = server(&path, ["admin", "grant", "eve@example.org"]).await;
    assert!(!unknown.status.success());
    let told = String::from_utf8(unknown.stderr).unwrap();
    assert!(told.contains("there is no such user"), "{told}");
}
