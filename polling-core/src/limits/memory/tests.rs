use futures_util::FutureExt;
use proptest::prelude::*;

use super::*;
use crate::{FakeClock, UserId};

const TEN: Limit = Limit::per_minute(10);

const ENOUGH: usize = 1 << 30;

fn key(number: u8) -> Key {
    Key::User(UserId::from_bytes([number; 16]))
}

fn limiter(keys: usize) -> (MemoryLimiter, FakeClock) {
    let clock = FakeClock::default();
    (
        MemoryLimiter::new(Arc::new(clock.clone()), keys, ENOUGH),
        clock,
    )
}

/// It never waits.
fn take(limiter: &MemoryLimiter, limit: Limit, key: &Key, wanted: u32) -> Decision {
    let taken = limiter.take(Rule::Login, limit, key, wanted);
    taken.now_or_never().unwrap().unwrap()
}

fn give_back(limiter: &MemoryLimiter, key: &Key, taken: &Decision) {
    let done = limiter.give_back(Rule::Login, key, taken);
    done.now_or_never().unwrap().unwrap();
}

#[test]
fn no_minute_wherever_it_begins_holds_more_than_the_limit() {
    let (limiter, clock) = limiter(10);
    let ada = key(1);
    assert_eq!(take(&limiter, TEN, &ada, 4).granted, 4);
    clock.advance(Duration::from_secs(59));
    let second = take(&limiter, TEN, &ada, 10);
    assert_eq!((second.granted, second.remaining), (6, 0));
    assert_eq!(second.retry_after, Duration::from_secs(1));
    assert_eq!(second.resets_in, Duration::from_secs(60));
    clock.advance(Duration::from_millis(999));
    let refused = take(&limiter, TEN, &ada, 1);
    assert_eq!((refused.granted, refused.retry_after.as_millis()), (0, 1));
    clock.advance(Duration::from_millis(1));
    assert_eq!(take(&limiter, TEN, &ada, 10).granted, 4);
    assert_eq!(take(&limiter, TEN, &key(2), 10).granted, 10);
}

#[test]
fn looking_counts_nothing() {
    let (limiter, _) = limiter(10);
    for _ in 0..20 {
        let looked = take(&limiter, TEN, &key(1), 0);
        assert_eq!((looked.remaining, looked.resets_in), (10, Duration::ZERO));
    }
    assert!(limiter.table(Rule::Login).done.is_empty());
}

#[test]
fn what_is_given_back_was_never_taken() {
    let (limiter, clock) = limiter(10);
    let ada = key(1);
    let first = take(&limiter, TEN, &ada, 3);
    clock.advance(Duration::from_secs(1));
    assert_eq!(take(&limiter, TEN, &ada, 7).remaining, 0);
    give_back(&limiter, &ada, &first);
    assert_eq!(take(&limiter, TEN, &ada, 10).granted, 3);
    // What is over is not given back in place of something else.
    clock.advance(Duration::from_secs(60));
    assert_eq!(take(&limiter, TEN, &ada, 10).granted, 10);
    give_back(&limiter, &ada, &first);
    assert_eq!(take(&limiter, TEN, &ada, 1).granted, 0);
}

#[test]
fn of_too_many_keys_the_one_that_was_granted_nothing_for_longest_is_forgotten() {
    let (limiter, clock) = limiter(3);
    for number in [1, 2, 3, 1, 4] {
        assert_eq!(take(&limiter, TEN, &key(number), 4).granted, 4);
        clock.advance(Duration::from_millis(1));
    }
    let used = |number| 10 - take(&limiter, TEN, &key(number), 0).remaining;
    assert_eq!([1, 2, 3, 4].map(used), [8, 0, 4, 4]);
    // Rules forget apart.
    let five = key(5);
    let other = limiter.take(Rule::SignUp, TEN, &five, 1);
    other.now_or_never().unwrap().unwrap();
    assert_eq!([1, 2, 3, 4].map(used), [8, 0, 4, 4]);
}

#[test]
fn keys_that_do_not_count_any_more_go_by_themselves() {
    let (limiter, clock) = limiter(1_000);
    for number in 0..100 {
        take(&limiter, TEN, &key(number), 1);
    }
    clock.advance(Duration::from_secs(60));
    for number in 100..200 {
        take(&limiter, TEN, &key(number), 1);
    }
    let table = limiter.table(Rule::Login);
    assert_eq!((table.done.len(), table.order.len()), (100, 100));
}

#[test]
fn a_clock_that_is_set_back_locks_nobody_out_for_longer_than_the_window() {
    let (limiter, clock) = limiter(10);
    let ada = key(1);
    take(&limiter, TEN, &ada, 10);
    let now = clock.now();
    clock.set(Timestamp::from_millis(now.as_millis() - 3_600_000));
    let refused = take(&limiter, TEN, &ada, 1);
    assert_eq!((refused.granted, refused.retry_after), (0, TEN.window));
    clock.advance(TEN.window);
    assert_eq!(take(&limiter, TEN, &ada, 10).granted, 10);
}

#[test]
fn of_many_threads_at_once_no_more_than_the_limit_get_through() {
    let (limiter, _) = limiter(10);
    let granted: u32 = std::thread::scope(|scope| {
        let takes = |_| {
            scope.spawn(|| {
                (0..50)
                    .map(|_| take(&limiter, TEN, &key(1), 1).granted)
                    .sum::<u32>()
            })
        };
        let threads: Vec<_> = (0..4).map(takes).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    });
    assert_eq!(granted, 10);
}

/// What a table takes, as it counts itself and counted anew.
fn bytes(limiter: &MemoryLimiter) -> usize {
    let table = limiter.table(Rule::Login);
    let rows = table.done.values().map(|done| KEY_BYTES + done.bytes());
    assert_eq!(table.bytes, rows.sum::<usize>());
    table.bytes
}

#[test]
fn a_hundred_thousand_at_once_take_no_more_room_than_one() {
    let (limiter, clock) = limiter(10);
    let limit = Limit {
        count: 100_000,
        window: Duration::from_secs(60),
    };
    assert_eq!(take(&limiter, limit, &key(1), 1).granted, 1);
    let one = bytes(&limiter);
    assert_eq!(take(&limiter, limit, &key(2), 100_000).granted, 100_000);
    assert_eq!(bytes(&limiter), 2 * one);
    let refused = take(&limiter, limit, &key(2), 1);
    assert_eq!((refused.granted, refused.retry_after), (0, limit.window));
    clock.advance(limit.window);
    assert_eq!(take(&limiter, limit, &key(2), 100_000).granted, 100_000);
}

/// What was done counts for as long as the window, and at most for a small part of it longer.
#[test]
fn a_key_takes_a_bounded_number_of_bytes_and_never_gets_more_than_its_limit() {
    let (limiter, clock) = limiter(10);
    let limit = Limit::per_minute(50_000);
    let most = KEY_BYTES + 2 * (EXACT + 2 + usize::try_from(GRAINS).unwrap()) * size_of::<Entry>();
    let step = Duration::from_millis(1);
    let mut granted = VecDeque::new();
    let (mut within, mut got) = (0, 0);
    for _ in 0..150_000 {
        clock.advance(step);
        let now = clock.now();
        while let Some((at, _)) = granted.front()
            && now.since(*at) >= limit.window
        {
            within -= granted.pop_front().unwrap().1;
        }
        let taken = take(&limiter, limit, &key(1), 2).granted;
        granted.push_back((now, taken));
        (within, got) = (within + taken, got + taken);
        assert!(within <= limit.count, "{within} within the window");
    }
    let used = bytes(&limiter);
    assert!(used <= most, "{used} bytes, and not {most}");
    // 150 seconds hold 50,000 three times: once each minute, and half a second late at most.
    assert_eq!(got, 3 * limit.count);
    let taken = Decision {
        granted: 2,
        ..take(&limiter, limit, &key(1), 0)
    };
    give_back(&limiter, &key(1), &taken);
    let left = limit.count - take(&limiter, limit, &key(1), 0).remaining;
    assert!(left <= limit.count);
}

#[test]
fn what_was_done_lately_can_be_given_back_also_where_times_count_together() {
    let (limiter, clock) = limiter(10);
    let limit = Limit::per_minute(10_000);
    let mut taken = Vec::new();
    for _ in 0..2_000 {
        clock.advance(Duration::from_millis(1));
        taken.push(take(&limiter, limit, &key(1), 3));
    }
    assert!(limiter.table(Rule::Login).done[&key(1)].entries.len() < 300);
    for taken in &taken {
        give_back(&limiter, &key(1), taken);
    }
    assert_eq!(take(&limiter, limit, &key(1), 0).remaining, 10_000);
    assert!(limiter.table(Rule::Login).done[&key(1)].entries.is_empty());
}

#[test]
fn of_too_many_bytes_the_oldest_keys_are_forgotten_and_those_of_other_rules_are_not() {
    let clock = FakeClock::default();
    let bytes_of_a_rule = 100 * KEY_BYTES;
    let all = bytes_of_a_rule * Rule::ALL.len();
    let limiter = MemoryLimiter::new(Arc::new(clock.clone()), 1_000_000, all);
    let stays = key(1);
    let other = limiter.take(Rule::SignUp, TEN, &stays, 4);
    other.now_or_never().unwrap().unwrap();
    let user = |number: u32| {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        Key::User(UserId::from_bytes(bytes))
    };
    for number in 0..10_000 {
        clock.advance(Duration::from_millis(1));
        assert_eq!(take(&limiter, TEN, &user(number), 1).granted, 1);
        assert!(bytes(&limiter) <= bytes_of_a_rule);
    }
    let used = |number| 10 - take(&limiter, TEN, &user(number), 0).remaining;
    assert_eq!((used(0), used(9_999)), (0, 1));
    let looked = limiter.take(Rule::SignUp, TEN, &stays, 0);
    assert_eq!(looked.now_or_never().unwrap().unwrap().remaining, 6);
    // Even where there is hardly any room, the last one counts.
    let small = MemoryLimiter::new(Arc::new(clock), 10, 1);
    assert_eq!(take(&small, TEN, &key(1), 10).granted, 10);
    assert_eq!(take(&small, TEN, &key(1), 1).granted, 0);
}

/// What may happen to a limiter.
#[derive(Clone, Debug)]
enum Event {
    Take(u8, u32),
    GiveBack(usize),
    Pass(u64),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (0..3u8, 0..5u32).prop_map(|(key, wanted)| Event::Take(key, wanted)),
        1 => any::<prop::sample::Index>().prop_map(|which| Event::GiveBack(which.index(50))),
        2 => (0..400u64).prop_map(Event::Pass),
    ]
}

proptest! {
    /// The model remembers everything for ever, and counts.
    #[test]
    fn it_agrees_with_a_list_of_everything_that_was_done(
        events in prop::collection::vec(event(), 1..200),
        count in 1..6u32,
        seconds in 1..3u64,
    ) {
        let (limiter, clock) = limiter(10);
        let limit = Limit { count, window: Duration::from_secs(seconds) };
        let mut done: Vec<(u8, Decision)> = Vec::new();
        for event in events {
            match event {
                Event::Take(number, wanted) => {
                    let now = clock.now();
                    let counting: Vec<_> = done
                        .iter()
                        .filter(|(who, taken)| *who == number && taken.granted > 0 && now.since(taken.taken_at) < limit.window)
                        .collect();
                    let used: u32 = counting.iter().map(|(_, taken)| taken.granted).sum();
                    let taken = take(&limiter, limit, &key(number), wanted);
                    prop_assert_eq!(taken.granted, wanted.min(count - used));
                    prop_assert_eq!(taken.remaining, count - used - taken.granted);
                    prop_assert_eq!(taken.retry_after.is_zero(), taken.remaining > 0);
                    if taken.granted == 0 && let Some((_, oldest)) = counting.first() {
                        let wait = oldest.taken_at.after(limit.window).since(now);
                        prop_assert!(taken.remaining > 0 || taken.retry_after == wait);
                    }
                    done.push((number, taken));
                }
                Event::GiveBack(which) => {
                    if let Some((number, taken)) = done.get_mut(which) {
                        give_back(&limiter, &key(*number), taken);
                        taken.granted = 0;
                    }
                }
                Event::Pass(millis) => clock.advance(Duration::from_millis(millis)),
            }
        }
    }
}
