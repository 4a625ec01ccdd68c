//! Listings come in pages: the rules that all of them have.

use crate::{FieldError, Settings};

/// How much a page has room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    /// How many items.
    pub(crate) limit: usize,
    /// Bytes of them, but for the first, which always has its place.
    bytes: usize,
}

impl Room {
    /// The room of a page with as many of `what` as were asked for, from 1 to as many as the settings say, which is also what
    /// counts where nobody says.
    pub(crate) fn of(
        asked: Option<usize>,
        settings: &Settings,
        what: &str,
    ) -> Result<Self, FieldError> {
        let most = settings.page_polls;
        let limit = asked.unwrap_or(most);
        if !(1..=most).contains(&limit) {
            let detail = format!("a page has from 1 to {most} {what}, not {limit}");
            return Err(FieldError::invalid("/limit", detail));
        }
        let bytes = settings.page_bytes;
        Ok(Self { limit, bytes })
    }

    /// Leaves the first of what was found, as many as there is room for; returns whether there was more. So one more than
    /// `limit` has to be looked for.
    pub(crate) fn cut<T>(&self, found: &mut Vec<T>, bytes: impl Fn(&T) -> usize) -> bool {
        let mut filled = 0_usize;
        let fitting = found.iter().take(self.limit).take_while(|item| {
            filled = filled.saturating_add(bytes(item));
            filled <= self.bytes
        });
        let length = fitting.count().max(1);
        let more = found.len() > length;
        found.truncate(length);
        more
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(limit: usize, bytes: usize, items: &[usize]) -> (Vec<usize>, bool) {
        let mut found = items.to_vec();
        let more = Room { limit, bytes }.cut(&mut found, |item| *item);
        (found, more)
    }

    #[test]
    fn a_page_ends_with_its_items_or_its_bytes_and_holds_one_item_at_least() {
        assert_eq!(cut(3, 100, &[]), (vec![], false));
        assert_eq!(cut(3, 100, &[1, 2, 3]), (vec![1, 2, 3], false));
        assert_eq!(cut(3, 100, &[1, 2, 3, 4]), (vec![1, 2, 3], true));
        assert_eq!(cut(3, 100, &[60, 40, 1]), (vec![60, 40], true));
        assert_eq!(cut(3, 99, &[60, 40]), (vec![60], true));
        assert_eq!(cut(3, 99, &[200]), (vec![200], false));
        assert_eq!(cut(3, 99, &[200, 1]), (vec![200], true));
    }
}
