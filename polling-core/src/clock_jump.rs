//! Which of two clocks to trust when they disagree: a clock that somebody can set, or a steady one, which only counts the time
//! that passes. As a pure rule.

use std::time::Duration;

use crate::Timestamp;

/// When a difference is a jump, and how long a jump is doubted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JumpRule {
    /// A smaller difference is no jump: a clock that is corrected a little is followed at once.
    pub(crate) least: Duration,
    /// A jump that has stood for this long is believed.
    pub(crate) wait: Duration,
}

/// What is known of a clock that can be set, as its offset in milliseconds from a steady one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Trust {
    /// The offset that is believed.
    pub(crate) offset: i64,
    /// Another one, which the clock has had since it jumped.
    doubted: Option<Doubt>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Doubt {
    offset: i64,
    /// When it was first seen, by the steady clock.
    since: Timestamp,
}

/// What a new look at the clock has shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// Nothing that people need to know.
    Quiet,
    /// The clock has jumped: the jump is doubted from now on.
    Jumped,
    /// The clock is back where it was trusted to be.
    Back,
    /// The jump has stood long enough: it is believed from now on.
    Believed,
}

impl Trust {
    /// A clock that is believed as it is.
    pub(crate) const fn of(offset: i64) -> Self {
        Self {
            offset,
            doubted: None,
        }
    }

    /// What is known after the clock has shown this offset, when the steady one showed `at`.
    pub(crate) fn after(self, offset: i64, at: Timestamp, rule: JumpRule) -> (Self, Look) {
        if !rule.is_jump(self.offset, offset) {
            let look = match self.doubted {
                Some(_) => Look::Back,
                None => Look::Quiet,
            };
            return (Self::of(offset), look);
        }
        let known = self
            .doubted
            .filter(|doubt| !rule.is_jump(doubt.offset, offset));
        let since = known.map_or(at, |doubt| doubt.since);
        if at.since(since) >= rule.wait {
            return (Self::of(offset), Look::Believed);
        }
        let look = if known.is_some() {
            Look::Quiet
        } else {
            Look::Jumped
        };
        // The offset of the first look: a clock that creeps away from it is another jump.
        let offset = known.map_or(offset, |doubt| doubt.offset);
        let doubted = Some(Doubt { offset, since });
        (Self { doubted, ..self }, look)
    }
}

impl JumpRule {
    /// Whether two offsets are so far apart that the clock has jumped.
    pub(crate) fn is_jump(self, one: i64, other: i64) -> bool {
        Duration::from_millis(one.abs_diff(other)) > self.least
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: JumpRule = JumpRule {
        least: Duration::from_secs(2),
        wait: Duration::from_secs(60),
    };
    const HOUR: i64 = 3_600_000;

    /// What the looks say of a clock with these offsets at these seconds, and which offset is trusted then.
    fn looks(shown: &[(i64, i64)]) -> Vec<(Look, i64)> {
        let mut trust = Trust::of(0);
        let look = |&(second, offset): &(i64, i64)| {
            let look;
            (trust, look) = trust.after(offset, Timestamp::from_millis(second * 1_000), RULE);
            (look, trust.offset)
        };
        shown.iter().map(look).collect()
    }

    #[test]
    fn a_small_difference_is_followed_at_once() {
        let seen = looks(&[(0, 2_000), (1, 4_000), (2, 3_999), (3, 1_999)]);
        assert_eq!(
            seen,
            [2_000, 4_000, 3_999, 1_999].map(|at| (Look::Quiet, at))
        );
    }

    #[test]
    fn a_jump_is_believed_once_it_has_stood() {
        for jump in [HOUR, -HOUR, 2_001, -2_001] {
            let seen = looks(&[(10, jump), (11, jump), (69, jump), (70, jump), (71, jump)]);
            assert_eq!(
                seen,
                [
                    (Look::Jumped, 0),
                    (Look::Quiet, 0),
                    (Look::Quiet, 0),
                    (Look::Believed, jump),
                    (Look::Quiet, jump),
                ]
            );
        }
    }

    #[test]
    fn a_jump_that_is_taken_back_changes_nothing() {
        let seen = looks(&[(0, HOUR), (59, HOUR), (60, 5), (61, HOUR), (120, HOUR)]);
        assert_eq!(
            seen,
            [
                (Look::Jumped, 0),
                (Look::Quiet, 0),
                (Look::Back, 5),
                (Look::Jumped, 5),
                (Look::Quiet, 5),
            ]
        );
    }

    /// Also where each step is small.
    #[test]
    fn a_clock_that_jumps_on_is_doubted_from_the_beginning() {
        let seen = looks(&[(0, HOUR), (59, 2 * HOUR), (60, 2 * HOUR)]);
        assert_eq!(seen[1..], [(Look::Jumped, 0), (Look::Quiet, 0)]);
        let creeping: Vec<_> = (0..120).map(|s| (s, HOUR + s * 1_000)).collect();
        assert!(looks(&creeping).iter().all(|&(_, trusted)| trusted == 0));
    }

    #[test]
    fn without_a_wait_a_jump_is_believed_at_once() {
        let rule = JumpRule {
            wait: Duration::ZERO,
            ..RULE
        };
        let (trust, look) = Trust::of(0).after(HOUR, Timestamp::EPOCH, rule);
        assert_eq!((trust.offset, look), (HOUR, Look::Believed));
    }
}
