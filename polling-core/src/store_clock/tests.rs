//! A clock that is measured, on a clock that stands still and against a store that says what it is told to.

use std::sync::Mutex;

use futures_util::FutureExt;

use super::*;
use crate::FakeClock;
use crate::polls::PollRepository;
use crate::results::ResultsRepository;
use crate::votes::VoteRepository;

const SECOND: Duration = Duration::from_secs(1);

const RULE: JumpRule = JumpRule {
    least: Duration::from_secs(2),
    wait: Duration::from_secs(60),
};

/// A store that has nothing but a clock.
struct Elsewhere {
    clock: FakeClock,
    /// Milliseconds that the store is ahead, while it can be reached.
    ahead: Mutex<Option<i64>>,
    /// How long the next answers take: half of it on the way there.
    round_trips: Mutex<Vec<Duration>>,
}

#[async_trait]
impl Repository for Elsewhere {
    fn polls(&self) -> &dyn PollRepository {
        panic!("only the time is asked for")
    }

    fn votes(&self) -> &dyn VoteRepository {
        panic!("only the time is asked for")
    }

    fn results(&self) -> &dyn ResultsRepository {
        panic!("only the time is asked for")
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn now(&self) -> Result<Option<Timestamp>, StoreError> {
        let half = self.round_trips.lock().unwrap().pop().unwrap_or_default() / 2;
        self.clock.advance(half);
        let ahead = *self.ahead.lock().unwrap();
        let ahead = ahead.ok_or_else(|| StoreError::unavailable("as the test wants"))?;
        let now = Timestamp::from_millis(self.clock.now().as_millis() + ahead);
        self.clock.advance(half);
        Ok(Some(now))
    }
}

/// The computer's clock, the store, and the clock between them.
async fn measured(ahead: i64) -> (FakeClock, Arc<Elsewhere>, Arc<StoreClock>) {
    let clock = FakeClock::default();
    let store = Arc::new(Elsewhere {
        clock: clock.clone(),
        ahead: Mutex::new(Some(ahead)),
        round_trips: Mutex::default(),
    });
    let measured = StoreClock::measure_first(Arc::new(clock.clone()), &*store, RULE);
    let measured = measured.await.unwrap().unwrap();
    (clock, store, Arc::new(measured))
}

impl Elsewhere {
    fn set(&self, ahead: impl Into<Option<i64>>) {
        *self.ahead.lock().unwrap() = ahead.into();
    }

    fn slow(&self, round_trips: [Duration; TRIES]) {
        *self.round_trips.lock().unwrap() = round_trips.into();
    }
}

fn ahead(clock: &FakeClock, measured: &StoreClock) -> i64 {
    measured.now().as_millis() - clock.now().as_millis()
}

#[tokio::test]
async fn the_offset_is_added_from_the_first_moment_on() {
    for offset in [0, 7_200_000, -7_200_000] {
        let (clock, _, measured) = measured(offset).await;
        assert_eq!(ahead(&clock, &measured), offset);
        clock.advance(SECOND);
        assert_eq!(ahead(&clock, &measured), offset);
    }
}

#[tokio::test]
async fn a_store_that_cannot_be_asked_at_first_is_an_error() {
    let (clock, store, _) = measured(0).await;
    store.set(None);
    let first = StoreClock::measure_first(Arc::new(clock), &*store, RULE).await;
    assert!(matches!(first, Err(StoreError::Unavailable(_))));
}

#[tokio::test]
async fn the_quickest_answer_counts_by_the_middle_of_its_way() {
    let (clock, store, measured) = measured(0).await;
    store.set(5_000);
    store.slow([SECOND, SECOND / 10, SECOND * 3]);
    measured.measure(&*store).await;
    assert_eq!(ahead(&clock, &measured), 5_000);
    assert_eq!(measured.measured.borrow().round_trip, SECOND / 10);
}

#[tokio::test]
async fn slow_answers_count_only_where_they_say_that_what_is_known_is_wrong() {
    let (clock, store, measured) = measured(0).await;
    clock.advance(SURE_FOR + SECOND);
    assert!(!measured.is_sure());
    store.set(400);
    store.slow([SECOND; TRIES]);
    assert!(measured.measure(&*store).await);
    assert!(measured.is_sure());
    assert_eq!(
        ahead(&clock, &measured),
        0,
        "it may be, and was known better"
    );
    store.set(600);
    store.slow([SECOND; TRIES]);
    assert!(measured.measure(&*store).await);
    assert_eq!(ahead(&clock, &measured), 600);
}

#[tokio::test]
async fn a_pause_is_as_long_as_it_is_whatever_is_measured_meanwhile() {
    let (clock, store, measured) = measured(3_600_000).await;
    let mut pausing = std::pin::pin!(measured.pause(SECOND / 20));
    assert!(pausing.as_mut().now_or_never().is_none());
    store.set(0);
    assert!(measured.measure(&*store).await);
    clock.advance(SECOND / 20);
    assert!(pausing.as_mut().now_or_never().is_some());
}

#[tokio::test]
async fn a_store_that_is_back_is_measured_within_a_second() {
    let (clock, store, measured) = measured(0).await;
    let running =
        tokio::spawn(Arc::clone(&measured).run(store.clone(), SECOND * 30, Arc::default()));
    let mut told = measured.measured.subscribe();
    store.set(None);
    for _ in 0..4 {
        tokio::task::yield_now().await;
        clock.advance(SECOND * 30);
    }
    tokio::task::yield_now().await;
    store.set(100);
    clock.advance(SECOND);
    told.changed().await.unwrap();
    assert!(measured.is_sure());
    running.abort();
}

#[tokio::test]
async fn it_is_sure_until_it_could_not_be_measured_for_two_minutes() {
    let (clock, store, measured) = measured(300).await;
    let running =
        tokio::spawn(Arc::clone(&measured).run(store.clone(), SECOND * 30, Arc::default()));
    let mut told = measured.measured.subscribe();
    for _ in 0..10 {
        tokio::task::yield_now().await;
        clock.advance(SECOND * 30);
        told.changed().await.unwrap();
        assert!(measured.is_sure());
    }
    store.set(None);
    clock.advance(SURE_FOR);
    assert!(measured.is_sure());
    clock.advance(SECOND);
    assert!(!measured.is_sure());
    assert_eq!(ahead(&clock, &measured), 300, "the best that is known");
    store.set(200);
    tokio::task::yield_now().await;
    clock.advance(SECOND * 30);
    told.changed().await.unwrap();
    assert!(measured.is_sure());
    assert_eq!(ahead(&clock, &measured), 200);
    clock.set(FakeClock::default().now());
    assert!(
        !measured.is_sure(),
        "somebody set the computer's clock back"
    );
    running.abort();
}

#[tokio::test]
async fn who_sleeps_wakes_by_the_offset_of_the_end() {
    let (clock, store, measured) = measured(0).await;
    let at = clock.now().after(SECOND * 60);
    let mut sleeping = std::pin::pin!(measured.sleep_until(at));
    assert!(sleeping.as_mut().now_or_never().is_none());
    store.set(-10_000);
    measured.measure(&*store).await;
    clock.advance(SECOND * 60);
    assert!(
        sleeping.as_mut().now_or_never().is_none(),
        "ten seconds are left"
    );
    store.set(0);
    measured.measure(&*store).await;
    assert!(sleeping.as_mut().now_or_never().is_some());
}

#[tokio::test]
async fn people_are_told_once_of_each_change() {
    let (_, store, measured) = measured(0).await;
    let mut told = Vec::new();
    for offset in [90, -90, 150, 200, 60, 300, 310, 20, 30] {
        store.set(offset);
        measured.measure(&*store).await;
        told.push(measured.measured.borrow().told);
    }
    assert_eq!(told, [0, 0, 150, 150, 150, 300, 300, 0, 0]);
}

#[tokio::test]
async fn a_jump_of_the_stores_clock_is_certain_once_it_has_stood() {
    for jump in [3_600_000, -3_600_000] {
        let (clock, store, measured) = measured(100).await;
        let certain = || measured.certain_now().unwrap().as_millis() - clock.now().as_millis();
        store.set(100 + jump);
        measured.measure(&*store).await;
        assert_eq!(ahead(&clock, &measured), 100 + jump, "as other servers do");
        assert_eq!(certain(), 100.min(100 + jump));
        clock.advance(SECOND * 60);
        measured.measure(&*store).await;
        assert_eq!(certain(), 100 + jump);
    }
}
