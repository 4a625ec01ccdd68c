//! Two clocks that the tests move.

use futures_util::FutureExt;

use super::*;
use crate::FakeClock;

const RULE: JumpRule = JumpRule {
    least: Duration::from_secs(2),
    wait: Duration::from_secs(60),
};
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3_600);

struct Clocks {
    wall: FakeClock,
    steady: FakeClock,
    guarded: Arc<GuardedClock>,
}

impl Clocks {
    /// The steady clock of a computer that was started a day ago.
    fn new() -> Self {
        let wall = FakeClock::default();
        let steady = FakeClock::at(Timestamp::from_millis(86_400_000));
        let (a_wall, a_steady) = (Arc::new(wall.clone()), Arc::new(steady.clone()));
        Self {
            wall,
            steady,
            guarded: Arc::new(GuardedClock::new(a_wall, a_steady, RULE)),
        }
    }

    /// Time passes, with a look every second.
    fn pass(&self, seconds: u64) {
        for _ in 0..seconds {
            self.wall.advance(SECOND);
            self.steady.advance(SECOND);
            self.guarded.look();
        }
    }

    fn set_back(&self, by: Duration) {
        self.wall.set(self.wall.now().before(by));
    }

    /// What it is now, and certainly, ahead of where it began: in seconds.
    fn since(&self, began: Timestamp) -> (i64, i64) {
        let ahead = |at: Timestamp| (at.as_millis() - began.as_millis()).div_euclid(1_000);
        let certain = self.guarded.certain_now().unwrap();
        (ahead(self.guarded.now()), ahead(certain))
    }
}

#[test]
fn it_begins_with_the_computers_clock_and_goes_on_with_it() {
    let clocks = Clocks::new();
    let began = clocks.wall.now();
    assert_eq!(clocks.since(began), (0, 0));
    clocks.pass(10);
    assert_eq!(clocks.since(began), (10, 10));
    // A correction, forward and back.
    clocks.wall.advance(SECOND);
    clocks.pass(1);
    assert_eq!(clocks.since(began), (12, 12));
    clocks.set_back(SECOND * 2);
    clocks.pass(1);
    assert_eq!(clocks.since(began), (11, 11));
}

#[test]
fn a_jump_forward_shows_only_once_it_has_stood() {
    let clocks = Clocks::new();
    let began = clocks.wall.now();
    clocks.wall.advance(HOUR);
    assert_eq!(clocks.since(began), (0, 0), "before anybody has looked");
    clocks.pass(60);
    assert_eq!(clocks.since(began), (60, 60));
    clocks.pass(1);
    assert_eq!(clocks.since(began), (3_661, 3_661));
}

/// A poll must not end by the old time for good, where the new one says that it goes on for an hour.
#[test]
fn a_jump_back_holds_up_what_is_certain_until_it_has_stood() {
    let clocks = Clocks::new();
    let began = clocks.wall.now();
    clocks.set_back(HOUR);
    assert_eq!(
        clocks.since(began),
        (0, -3_600),
        "before anybody has looked"
    );
    clocks.pass(60);
    assert_eq!(clocks.since(began), (60, -3_540));
    clocks.pass(1);
    assert_eq!(clocks.since(began), (-3_539, -3_539));
}

#[test]
fn a_jump_that_is_taken_back_never_shows() {
    let clocks = Clocks::new();
    let began = clocks.wall.now();
    clocks.wall.advance(HOUR);
    clocks.pass(59);
    clocks.set_back(HOUR);
    clocks.pass(1);
    assert_eq!(clocks.since(began), (60, 60));
}

#[test]
fn who_sleeps_wakes_by_the_time_that_is_trusted() {
    let clocks = Clocks::new();
    let at = clocks.wall.now().after(HOUR);
    let mut sleeping = std::pin::pin!(clocks.guarded.sleep_until(at));
    assert!(sleeping.as_mut().now_or_never().is_none());
    clocks.wall.advance(HOUR);
    clocks.pass(60);
    assert!(sleeping.as_mut().now_or_never().is_none(), "doubted");
    clocks.pass(1);
    assert!(sleeping.as_mut().now_or_never().is_some(), "believed");
}

#[tokio::test]
async fn it_looks_by_itself() {
    let clocks = Clocks::new();
    let running = tokio::spawn(Arc::clone(&clocks.guarded).run());
    let mut trust = clocks.guarded.trust.subscribe();
    tokio::task::yield_now().await;
    clocks.wall.advance(SECOND * 2);
    clocks.steady.advance(SECOND);
    trust.changed().await.unwrap();
    assert_eq!(clocks.guarded.now(), clocks.wall.now());
    running.abort();
}
