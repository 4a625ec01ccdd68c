//! What these tests share.

use tokio_postgres::{Client, NoTls};

/// A client whose connection lives on the runtime of the test.
pub(crate) async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls)
        .await
        .expect("the server lets us in");
    tokio::spawn(connection);
    client
}
