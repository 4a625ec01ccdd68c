//! Who votes where, and for what: cheap to make, and the same again for the same number.

use crate::bed::OPTIONS;

/// One vote.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Vote {
    /// The voter's number: nobody else has it in this run.
    pub(crate) voter: u64,
    /// The place of the poll among those of the run.
    pub(crate) poll: usize,
    /// The position of the option.
    pub(crate) option: u8,
}

/// The votes of one client: new voters, and a share of votes that it has cast already.
#[derive(Debug)]
pub(crate) struct Votes {
    first: u64,
    cast: u64,
    /// Those of them that were answered, which is what is repeated.
    answered: u64,
    polls: u64,
    options: u64,
    /// Repeated votes among a hundred.
    repeated: u64,
    random: u64,
}

impl Votes {
    /// Of the client with this number, in one of `polls` each.
    pub(crate) fn of(client: u64, polls: usize, repeated: u64) -> Self {
        Self {
            first: client << 32,
            cast: 0,
            answered: 0,
            polls: polls as u64,
            options: OPTIONS as u64,
            repeated,
            random: mix(client ^ 0x5851_F42D_4C95_7F2D),
        }
    }

    pub(crate) fn next_vote(&mut self) -> Vote {
        if self.repeated > 0 && self.answered > 0 && self.draw() % 100 < self.repeated {
            let earlier = self.draw() % self.answered;
            return self.vote(self.first + earlier);
        }
        self.cast += 1;
        self.vote(self.first + self.cast - 1)
    }

    /// Everything that was cast is answered.
    pub(crate) fn answer(&mut self) {
        self.answered = self.cast;
    }

    fn vote(&self, voter: u64) -> Vote {
        let hash = mix(voter);
        Vote {
            voter,
            poll: usize::try_from((hash >> 8) % self.polls).unwrap_or(0),
            option: u8::try_from((hash & 0xFF) % self.options).unwrap_or(0),
        }
    }

    fn draw(&mut self) -> u64 {
        self.random = self.random.wrapping_add(STEP);
        mix(self.random)
    }
}

const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// `SplitMix64` (Steele, Lea, Flood 2014): numbers in a row become numbers that look random.
pub(crate) fn mix(number: u64) -> u64 {
    let mut word = number.wrapping_add(STEP);
    word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

/// The voter's id: sixteen hexadecimal digits.
pub(crate) fn voter_text(voter: u64) -> [u8; 16] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [0; 16];
    for (place, digit) in text.iter_mut().enumerate() {
        *digit = DIGITS[(voter >> (60 - 4 * place)) as usize & 0xF];
    }
    text
}
