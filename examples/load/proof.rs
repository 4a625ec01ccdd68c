//! The proof: answered, counted and recounted are the same, for every option of every poll, and every viewer ended there.

use crate::ballot::OPTIONS;
use crate::manager::Results;
use crate::recount::Recount;
use crate::viewer::Sight;

/// What is known of one poll at the end.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// The poll's id.
    pub(crate) poll: String,
    /// Ballots that were answered as recorded, for each option.
    pub(crate) answered: [u64; OPTIONS.len()],
    /// Ballots of which no answer said what became of them, for each option.
    pub(crate) undecided: [u64; OPTIONS.len()],
    /// The final results.
    pub(crate) counted: Results,
    pub(crate) recounted: Recount,
}

impl Case {
    /// What speaks against it, in words; nothing where it holds.
    pub(crate) fn doubts(&self) -> Vec<String> {
        let Self {
            poll,
            answered,
            undecided,
            counted,
            recounted,
        } = self;
        let mut doubts = Vec::new();
        if !counted.is_final {
            doubts.push(format!(
                "poll {poll}: closed, and its results are not final"
            ));
        }
        let votes: Vec<u64> = counted.options.iter().map(|option| option.votes).collect();
        let sum: u64 = votes.iter().sum();
        if sum != counted.ballots || votes.len() != OPTIONS.len() {
            doubts.push(format!(
                "poll {poll}: {} ballots, and {sum} votes for {} options",
                counted.ballots,
                votes.len()
            ));
        }
        for (position, name) in OPTIONS.iter().enumerate() {
            let (answered, open) = (answered[position], undecided[position]);
            let counted = votes.get(position).copied().unwrap_or_default();
            let found = recounted.found[position];
            let possible = answered..=answered + open;
            if !possible.contains(&counted) || counted != found {
                doubts.push(format!(
                    "poll {poll}, {name}: {answered} answered, {open} undecided, {counted} counted, {found} recounted"
                ));
            }
        }
        let Recount {
            lost, changed, odd, ..
        } = *recounted;
        for (ballots, what) in [
            (lost, "were answered as recorded, and are not stored"),
            (changed, "have another receipt than was answered"),
            (odd, "were answered as no closed poll answers"),
        ] {
            if ballots > 0 {
                doubts.push(format!("poll {poll}: {ballots} ballots {what}"));
            }
        }
        doubts
    }
}

/// Viewers who saw something else, in words.
pub(crate) fn viewers(sights: &[Sight], cases: &[Case]) -> Vec<String> {
    let mut doubts = Vec::new();
    let elsewhere = |sight: &&Sight| {
        let case = &cases[sight.poll];
        sight.end.as_ref() != Some(&case.counted)
    };
    let others = sights.iter().filter(elsewhere).count();
    if let Some(first) = sights.iter().find(elsewhere) {
        let case = &cases[first.poll];
        let last = first
            .revision
            .map_or("nothing".into(), |last| format!("revision {last}"));
        doubts.push(format!(
            "{others} viewers did not end on the final result; the first of them saw {last} last, of poll {} whose \
             final revision is {}",
            case.poll, case.counted.revision
        ));
    }
    let backwards: u64 = sights.iter().map(|sight| sight.backwards).sum();
    if backwards > 0 {
        doubts.push(format!(
            "{backwards} frames were not newer than the one that the viewer had"
        ));
    }
    doubts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manager::Votes;

    fn results(votes: [u64; OPTIONS.len()]) -> Results {
        Results {
            revision: 9,
            ballots: votes.iter().sum(),
            is_final: true,
            options: votes.map(|votes| Votes { votes }).into(),
        }
    }

    fn case() -> Case {
        let votes = [4, 3, 2, 1];
        Case {
            poll: "p".into(),
            answered: votes,
            undecided: [0; OPTIONS.len()],
            counted: results(votes),
            recounted: Recount {
                found: votes,
                ..Recount::default()
            },
        }
    }

    fn changed(change: impl FnOnce(&mut Case)) -> usize {
        let mut case = case();
        change(&mut case);
        case.doubts().len()
    }

    #[test]
    fn three_times_the_same_holds() {
        assert_eq!(case().doubts(), Vec::<String>::new());
    }

    #[test]
    fn every_difference_is_a_doubt() {
        assert_eq!(changed(|case| case.answered[3] = 2), 1);
        assert_eq!(changed(|case| case.answered[3] = 0), 1);
        assert_eq!(changed(|case| case.counted = results([4, 3, 2, 0])), 1);
        assert_eq!(changed(|case| case.counted.ballots = 11), 1);
        assert_eq!(changed(|case| case.counted.is_final = false), 1);
        assert_eq!(changed(|case| case.recounted.found[0] = 3), 1);
        assert_eq!(changed(|case| case.recounted.lost = 1), 1);
        assert_eq!(changed(|case| case.recounted.changed = 1), 1);
        assert_eq!(changed(|case| case.recounted.odd = 1), 1);
        // One vote that went to another option.
        assert_eq!(changed(|case| case.counted = results([3, 4, 2, 1])), 2);
    }

    #[test]
    fn what_is_undecided_may_count_or_not_but_only_once() {
        let undecided = |counted: [u64; OPTIONS.len()]| {
            changed(|case| {
                case.undecided[0] = 1;
                case.counted = results(counted);
                case.recounted.found = counted;
            })
        };
        assert_eq!(undecided([4, 3, 2, 1]), 0);
        assert_eq!(undecided([5, 3, 2, 1]), 0);
        assert_eq!(undecided([6, 3, 2, 1]), 1);
        assert_eq!(undecided([3, 3, 2, 1]), 1);
    }

    #[test]
    fn a_viewer_ends_on_the_final_result() {
        let cases = [case()];
        let doubts = |sight: Sight| viewers(&[sight], &cases).len();
        let end = Sight {
            revision: Some(9),
            end: Some(cases[0].counted.clone()),
            ..Sight::default()
        };
        assert_eq!(doubts(end.clone()), 0);
        assert_eq!(doubts(Sight::default()), 1);
        let backwards = Sight {
            backwards: 1,
            ..end.clone()
        };
        assert_eq!(doubts(backwards), 1);
        let other = Sight {
            end: Some(results([4, 3, 1, 2])),
            ..end
        };
        assert_eq!(doubts(other), 1);
    }
}
