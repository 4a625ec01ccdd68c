//! The ballots: everything about one follows from its number, so that it can be sent again without having been kept.

use std::io::Write;

use uuid::{Builder, Uuid};

/// What the polls ask.
pub(crate) const OPTIONS: [&str; 4] = ["Tea", "Coffee", "Water", "Juice"];

/// A poll of this run.
#[derive(Debug)]
pub(crate) struct Poll {
    pub(crate) id: String,
    /// In the order of their positions.
    pub(crate) options: Vec<String>,
    pub(crate) manage_token: String,
    /// The path that takes one vote.
    pub(crate) votes: String,
    /// The path that takes many.
    pub(crate) batch: String,
}

/// One ballot of one voter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ballot {
    /// Which of the run's polls.
    pub(crate) poll: usize,
    /// Of the voter, within the run.
    pub(crate) voter: u64,
    /// Not the voter's first one, but another: a second vote, which must be refused.
    pub(crate) second: bool,
}

impl Ballot {
    pub(crate) fn first(poll: usize, voter: u64) -> Self {
        Self {
            poll,
            voter,
            second: false,
        }
    }

    /// The position of the chosen option. Of ten voters four like the first option best, and one the last.
    pub(crate) fn option(self) -> usize {
        let first = match mixed(self.voter) % 10 {
            0..4 => 0,
            4..7 => 1,
            7..9 => 2,
            _ => 3,
        };
        (first + usize::from(self.second)) % OPTIONS.len()
    }

    pub(crate) fn id(self) -> Uuid {
        let seed = 2 * self.voter + u64::from(self.second);
        let (high, low) = (mixed(seed), mixed(!seed));
        let bytes = (u128::from(high) << 64 | u128::from(low)).to_be_bytes();
        Builder::from_random_bytes(bytes).into_uuid()
    }

    /// Writes the fields of a vote, without the braces around them. Nothing in them needs escaping.
    pub(crate) fn write(self, poll: &Poll, json: &mut Vec<u8>) {
        let (option, id) = (&poll.options[self.option()], self.id());
        let voter = self.voter;
        // Writing to memory cannot fail.
        let _ = write!(
            json,
            r#""option_id":"{option}","voter":"voter-{voter}","ballot_id":"{id}""#
        );
    }
}

/// The same for the same number, and otherwise as good as random (splitmix64).
pub(crate) fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use serde_json::Value;

    use super::*;

    #[test]
    fn a_second_ballot_of_a_voter_has_another_id_and_another_option() {
        let ids = (0..1_000).flat_map(|voter| {
            let first = Ballot::first(0, voter);
            let second = Ballot {
                second: true,
                ..first
            };
            assert_ne!(first.option(), second.option());
            assert_eq!(first.id(), Ballot::first(0, voter).id());
            [first.id(), second.id()]
        });
        assert_eq!(ids.collect::<HashSet<_>>().len(), 2_000);
    }

    #[test]
    fn a_ballot_is_written_as_the_server_reads_it() {
        let poll = Poll {
            id: "p".into(),
            options: OPTIONS.map(str::to_lowercase).into(),
            manage_token: String::new(),
            votes: String::new(),
            batch: String::new(),
        };
        let ballot = Ballot::first(0, 7);
        let mut json = b"{".to_vec();
        ballot.write(&poll, &mut json);
        json.push(b'}');
        let vote: Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(vote["option_id"], *poll.options[ballot.option()]);
        assert_eq!(vote["voter"], "voter-7");
        assert_eq!(vote["ballot_id"], ballot.id().to_string());
    }
}
