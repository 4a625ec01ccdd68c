//! Which way a lane's next batch is sent, by what became of the last ones.

/// The ways to record a batch. Each is right for every batch; which is the fastest depends on how many voters have a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// A plain insert or a copy, which a row that is there already ends: for nothing but new voters.
    New,
    /// An insert that passes over rows that are there, which are looked up afterwards: for new voters and some others.
    Mixed,
    /// Rows are looked up first, and only the ballots without one are inserted: for storms of retries.
    Known,
}

/// After so many batches in a row without a row in the way, the next is sent as new.
const SURE_AFTER: u32 = 8;

/// Batches with fewer ballots tell nothing of a storm.
const STORM_BALLOTS: usize = 64;

/// What ways are chosen by, for all lanes of a store.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Roads {
    /// Batches of fewer new voters are inserted by one statement, which takes one way there and back; larger ones are copied
    /// in, which takes two.
    pub(crate) copy_from: usize,
    /// Whether batches are never sent as ones of new voters.
    pub(crate) expects_conflicts: bool,
}

impl Default for Roads {
    fn default() -> Self {
        Self {
            copy_from: 500,
            expects_conflicts: false,
        }
    }
}

/// What a lane remembers of its batches.
#[derive(Debug)]
pub(super) struct Road {
    new_in_a_row: u32,
    is_storm: bool,
}

impl Road {
    /// Nothing is known yet: voters are new.
    pub(super) const fn new() -> Self {
        Self {
            new_in_a_row: SURE_AFTER,
            is_storm: false,
        }
    }

    /// The way for the next batch.
    pub(super) const fn way(&self) -> Way {
        if self.is_storm {
            Way::Known
        } else if self.new_in_a_row >= SURE_AFTER {
            Way::New
        } else {
            Way::Mixed
        }
    }

    /// Of a batch with so many ballots, so many had a row in the way.
    pub(super) const fn learn(&mut self, ballots: usize, rows: usize) {
        self.is_storm = ballots >= STORM_BALLOTS && rows > ballots / 2;
        self.new_in_a_row = if rows == 0 {
            self.new_in_a_row.saturating_add(1)
        } else {
            0
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_road_that_met_a_row_is_taken_again_after_a_while_without_one() {
        let mut road = Road::new();
        assert_eq!(road.way(), Way::New);
        road.learn(100, 1);
        for _ in 0..SURE_AFTER {
            assert_eq!(road.way(), Way::Mixed);
            road.learn(100, 0);
        }
        assert_eq!(road.way(), Way::New);
    }

    #[test]
    fn a_storm_is_more_than_half_of_a_large_batch() {
        let mut road = Road::new();
        for (ballots, rows, way) in [
            (100, 50, Way::Mixed),
            (100, 51, Way::Known),
            (100, 0, Way::Mixed),
            (63, 63, Way::Mixed),
            (64, 64, Way::Known),
        ] {
            road.learn(ballots, rows);
            assert_eq!(road.way(), way, "after {rows} of {ballots}");
        }
    }
}
