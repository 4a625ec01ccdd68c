//! What an operator reads.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pg_cluster::{Cluster, ClusterOptions, Version};
use tokio::net::TcpListener;
use tracing::Level;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;

use super::connector;

/// What this thread logs.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn begin() -> (Self, DefaultGuard) {
        let log = Self::default();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(Level::INFO)
            .with_ansi(false)
            .with_writer(log.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8(bytes.clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        log.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_says_at_once_and_then_now_and_then_what_for() {
    let (log, _guard) = Log::begin();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    drop(listener);
    // Without a timeout the pauses are all that the clock, which leaps from one end to the next, knows of.
    let url = format!("postgres://ann:s3cret@{at}/polls?connect_timeout=0");
    let connector = connector(&url);
    let waited = connector.wait(Duration::from_secs(18)).await;
    waited.map(|_| ()).unwrap_err();
    let text = log.text();
    assert_eq!(text.matches("waiting for PostgreSQL").count(), 4, "{text}");
    assert!(text.contains(&format!("{at}/polls as ann")), "{text}");
    assert!(text.contains("Connection refused"), "{text}");
    assert!(!text.contains("s3cret"), "{text}");
}

#[tokio::test]
async fn a_server_that_may_forget_is_pointed_out() {
    let (log, _guard) = Log::begin();
    let safe = Cluster::start(&ClusterOptions::new(Version::Installed).durable()).unwrap();
    connector(&safe.url_of("postgres")).check().await.unwrap();
    assert_eq!(log.text(), "");
    let quick = Cluster::shared(Version::Installed);
    connector(&quick.url_of("postgres")).check().await.unwrap();
    assert!(log.text().contains("fsync=off"), "{}", log.text());
}
