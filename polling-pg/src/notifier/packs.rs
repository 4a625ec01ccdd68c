//! Hints as text: `<poll in hex>:<revision>`, or `<poll in hex>:-` for a deleted one, with spaces between. What is not
//! understood is passed over, so that a later version can say more.

use polling_core::PollId;
use polling_core::results::Hint;
use uuid::Uuid;

use crate::columns;

/// PostgreSQL takes less than 8,000 bytes.
const MOST_BYTES: usize = 7_999;

/// The hints in as few packs as hold them.
pub(super) fn pack(hints: &[Hint]) -> Vec<String> {
    let mut packs = Vec::new();
    let mut pack = String::new();
    for hint in hints {
        let word = word(hint);
        if !pack.is_empty() && pack.len() + 1 + word.len() > MOST_BYTES {
            packs.push(std::mem::take(&mut pack));
        }
        if !pack.is_empty() {
            pack.push(' ');
        }
        pack.push_str(&word);
    }
    if !pack.is_empty() {
        packs.push(pack);
    }
    packs
}

fn word(hint: &Hint) -> String {
    let poll = columns::poll(hint.poll);
    match hint.revision {
        Some(revision) => format!("{}:{revision}", poll.simple()),
        None => format!("{}:-", poll.simple()),
    }
}

pub(super) fn unpack(pack: &str) -> Vec<Hint> {
    pack.split(' ').filter_map(hint).collect()
}

fn hint(word: &str) -> Option<Hint> {
    let (poll, revision) = word.split_once(':')?;
    let poll: Uuid = poll.parse().ok()?;
    let revision = match revision {
        "-" => None,
        revision => Some(revision.parse().ok()?),
    };
    Some(Hint {
        poll: PollId::from_bytes(poll.into_bytes()),
        revision,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hints(polls: u64) -> Vec<Hint> {
        let hint = |poll: u64| Hint {
            poll: PollId::from_bytes(Uuid::from_u128(poll.into()).into_bytes()),
            revision: (!poll.is_multiple_of(7)).then_some(u64::MAX - poll),
        };
        (0..polls).map(hint).collect()
    }

    #[test]
    fn hints_come_out_as_they_went_in_and_no_pack_is_too_big() {
        for polls in [0, 1, 2, 147, 148, 149, 5_000] {
            let hints = hints(polls);
            let packs = pack(&hints);
            assert!(
                packs
                    .iter()
                    .all(|pack| (1..=MOST_BYTES).contains(&pack.len()))
            );
            let unpacked: Vec<Hint> = packs.iter().flat_map(|pack| unpack(pack)).collect();
            assert_eq!(unpacked, hints);
        }
        assert!(pack(&hints(5_000)).len() < 50, "packs are filled");
    }

    #[test]
    fn what_is_not_understood_is_passed_over() {
        let poll = "00000000000000000000000000000001";
        let heard = unpack(&format!("v2 x:1 {poll}: {poll}:7 {poll}:-1"));
        assert_eq!(heard.len(), 1);
        assert_eq!(heard[0].revision, Some(7));
        assert!(unpack("").is_empty());
    }
}
