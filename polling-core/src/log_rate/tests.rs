use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use tokio::time::advance;

use super::*;

/// A second, and a little more: timers are as fine as milliseconds.
const LATER: Duration = Duration::from_millis(1_001);

fn logged(rate: &LogRate) -> Option<u64> {
    rate.due().map(|left_out| left_out.0)
}

/// Lets all that is due be done.
async fn settle() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn of_two_hundred_thousand_events_in_five_seconds_six_lines_are_written_and_none_is_uncounted()
 {
    static REST: AtomicU64 = AtomicU64::new(0);
    static RESTS: AtomicUsize = AtomicUsize::new(0);
    let rate = LogRate::new(|left_out| {
        REST.fetch_add(left_out, Ordering::Relaxed);
        RESTS.fetch_add(1, Ordering::Relaxed);
    });
    let (mut lines, mut counted) = (0, 0);
    for _ in 0..5_000 {
        for _ in 0..40 {
            if let Some(left_out) = logged(&rate) {
                lines += 1;
                counted += left_out;
            }
        }
        advance(Duration::from_millis(1)).await;
        settle().await;
    }
    assert_eq!(lines, 5, "one a second");
    assert_eq!(
        RESTS.load(Ordering::Relaxed),
        0,
        "while it goes on, each line carries the count"
    );
    advance(LATER).await;
    advance(LATER).await;
    settle().await;
    assert_eq!(
        RESTS.load(Ordering::Relaxed),
        1,
        "the last count stands alone"
    );
    assert_eq!(lines + counted + REST.load(Ordering::Relaxed), 200_000);
}

#[tokio::test(start_paused = true)]
async fn what_happens_now_and_then_is_logged_each_time() {
    let rate = LogRate::new(|_| panic!("none was left out"));
    for _ in 0..3 {
        assert_eq!(logged(&rate), Some(0));
        advance(LATER).await;
        settle().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_burst_after_a_burst_is_counted_too() {
    static REST: AtomicU64 = AtomicU64::new(0);
    let rate = LogRate::new(|left_out| {
        REST.fetch_add(left_out, Ordering::Relaxed);
    });
    for burst in 1..=3 {
        assert_eq!(logged(&rate), Some(0));
        assert_eq!(logged(&rate), None);
        for _ in 0..3 {
            advance(LATER).await;
            settle().await;
        }
        assert_eq!(REST.load(Ordering::Relaxed), burst);
    }
}

#[test]
fn the_end_of_the_runtime_loses_no_count() {
    static REST: AtomicU64 = AtomicU64::new(0);
    let rate = LogRate::new(|left_out| {
        REST.fetch_add(left_out, Ordering::Relaxed);
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        assert_eq!(logged(&rate), Some(0));
        assert_eq!(logged(&rate), None);
    });
    drop(runtime);
    assert_eq!(REST.load(Ordering::Relaxed), 1);
}

#[test]
fn without_a_runtime_lines_are_counted_all_the_same() {
    let rate = LogRate::new(|_| panic!("there is nobody to write it"));
    assert_eq!(logged(&rate), Some(0));
    assert_eq!(logged(&rate), None);
    assert_eq!(rate.state.left_out.load(Ordering::Relaxed), 1);
}
