//! Runs one test of the suite.

use std::sync::Arc;
use std::time::Duration;

use polling_core::Repository;
use polling_core::results::ResultsNotifier;

use crate::engine::model;

/// Real time after which a test that waits has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// The same, with what a long run of random cases needs.
fn patience() -> Duration {
    PATIENCE + Duration::from_secs(model::cases())
}

/// Makes a fresh store, and runs `test` on it.
///
/// # Panics
/// Where the test fails, or waits for something that never comes.
pub fn run<S, G, Fresh, Test>(
    fresh: impl FnOnce() -> Fresh,
    test: impl FnOnce(Arc<dyn Repository>) -> Test,
) where
    S: Repository,
    Fresh: Future<Output = (S, G)>,
    Test: Future<Output = ()>,
{
    block_on(async {
        let (store, _guard) = fresh().await;
        test(Arc::new(store)).await;
    });
}

/// Makes a fresh notifier, and runs `test` on it.
///
/// # Panics
/// Where the test fails, or waits for something that never comes.
pub fn run_notifier<N, G, Fresh, Test>(
    fresh: impl FnOnce() -> Fresh,
    test: impl FnOnce(Arc<dyn ResultsNotifier>) -> Test,
) where
    N: ResultsNotifier,
    Fresh: Future<Output = (N, G)>,
    Test: Future<Output = ()>,
{
    block_on(async {
        let (notifier, _guard) = fresh().await;
        test(Arc::new(notifier)).await;
    });
}

/// Two threads, so that what runs at once really does.
fn block_on(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime starts");
    let in_time = runtime.block_on(async { tokio::time::timeout(patience(), test).await });
    assert!(
        in_time.is_ok(),
        "the test still waits after {:?} for something that does not come",
        patience()
    );
}
