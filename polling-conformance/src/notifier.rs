//! The port of the notifiers. Hints may be lost, doubled and late, so that little can be promised, and this is it.

use std::sync::Arc;

use futures_util::StreamExt;
use polling_core::PollId;
use polling_core::results::{Hint, Hints, ResultsNotifier};

fn hint(poll: u8, revision: Option<u64>) -> Hint {
    Hint {
        poll: PollId::from_bytes([poll; 16]),
        revision,
    }
}

/// Announces until everyone has heard one of `hints`, as a server would that has always something new; returns what each
/// heard first.
async fn announced_until_heard(
    notifier: &dyn ResultsNotifier,
    hints: &[Hint],
    subscribers: &mut [Hints],
) -> Vec<Vec<Hint>> {
    let mut heard = Vec::new();
    for subscriber in subscribers {
        loop {
            notifier.announce(hints).await.unwrap();
            let wait = std::time::Duration::from_millis(200);
            if let Ok(pack) = tokio::time::timeout(wait, subscriber.next()).await {
                heard.push(pack.expect("the subscription goes on").to_vec());
                break;
            }
        }
    }
    heard
}

/// The one who announced included.
pub async fn what_is_announced_reaches_every_subscriber(notifier: Arc<dyn ResultsNotifier>) {
    let mut subscribers = Vec::new();
    for _ in 0..3 {
        subscribers.push(notifier.subscribe().await.unwrap());
    }
    let hints = [hint(1, Some(7)), hint(2, Some(u64::MAX >> 1))];
    for heard in announced_until_heard(&*notifier, &hints, &mut subscribers).await {
        assert!(!heard.is_empty());
        assert!(heard.iter().all(|hint| hints.contains(hint)), "{heard:?}");
    }
}

/// It has no revision.
pub async fn a_deletion_is_announced_as_such(notifier: Arc<dyn ResultsNotifier>) {
    let mut subscribers = [notifier.subscribe().await.unwrap()];
    let hints = [hint(3, None)];
    let heard = announced_until_heard(&*notifier, &hints, &mut subscribers).await;
    assert!(heard[0].iter().all(|heard| *heard == hints[0]));
}

/// A server alone is fine, and so is one whose subscribers left.
pub async fn nobody_needs_to_listen(notifier: Arc<dyn ResultsNotifier>) {
    notifier.announce(&[hint(1, Some(1))]).await.unwrap();
    drop(notifier.subscribe().await.unwrap());
    notifier.announce(&[hint(1, Some(2))]).await.unwrap();
    let mut subscribers = [notifier.subscribe().await.unwrap()];
    let hints = [hint(1, Some(3))];
    announced_until_heard(&*notifier, &hints, &mut subscribers).await;
}

/// It may miss hints, and goes on with the newest ones.
pub async fn a_slow_subscriber_holds_nobody_up(notifier: Arc<dyn ResultsNotifier>) {
    let mut slow = notifier.subscribe().await.unwrap();
    for revision in 0..2_000 {
        notifier.announce(&[hint(1, Some(revision))]).await.unwrap();
    }
    loop {
        // Until the newest word comes through, whatever was missed.
        let last = hint(2, Some(1));
        let mut subscribers = [slow];
        let heard = announced_until_heard(&*notifier, &[last], &mut subscribers).await;
        let [again] = subscribers;
        slow = again;
        if heard[0].contains(&last) {
            return;
        }
    }
}
