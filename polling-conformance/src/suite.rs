//! The one list of all contract tests. What is added here reaches every adapter by itself.

/// Runs the contract of a store: the name of the module in which its tests shall stand, and an async function without
/// arguments that makes a fresh, empty store, and something to be held until the test is over. See the
/// [crate's documentation](crate).
#[macro_export]
macro_rules! suite {
    ($name:ident, $($fresh_store:tt)+) => {
        mod $name {
            $crate::__tests! { run ($($fresh_store)+)
                polls {
                    a_poll_is_found_as_it_was_kept
                    every_status_visibility_and_kind_of_voters_is_kept
                    a_poll_that_was_never_kept_is_not_there
                    a_second_poll_with_the_same_id_changes_nothing
                    a_deleted_poll_is_gone_for_every_method
                    a_manage_token_is_known_also_after_its_poll_is_purged
                    purging_goes_in_bounded_steps_and_comes_to_an_end
                    a_listing_holds_what_its_caller_may_list
                }
                steps {
                    an_edit_is_written_whole
                    an_edit_that_revises_nothing_moves_no_revision
                    an_edit_replaces_the_options_of_a_draft
                    an_edit_that_was_judged_on_something_else_is_stale
                    of_many_edits_of_a_version_exactly_one_is_written
                    a_poll_walks_through_its_life_step_by_step
                    a_step_that_cannot_be_taken_changes_nothing
                    of_many_who_ask_for_a_step_exactly_one_takes_it
                    the_steps_that_come_next_are_soonest_first
                    a_scheduled_poll_without_an_opening_time_is_due_at_once
                }
                votes {
                    a_recorded_ballot_is_found_and_counted
                    a_second_ballot_of_the_same_voter_is_refused
                    a_batch_that_is_sent_again_adds_nothing
                    the_outcomes_come_in_the_order_of_the_batch
                    a_batch_is_one_revision_of_each_poll_it_adds_to
                    a_batch_that_adds_nothing_moves_no_revision
                    a_ballot_selects_from_the_first_to_the_255th_option
                    the_same_ballot_id_elsewhere_is_another_ballot
                    of_many_writers_at_once_one_adds_a_voters_ballot
                    writers_at_once_give_each_revision_once
                }
                gate {
                    a_batch_that_opens_a_poll_is_two_revisions
                    a_ballot_counts_by_when_it_was_received
                    a_recorded_ballot_is_recognised_whatever_the_gate_says
                    a_ballot_received_in_time_is_added_while_closing
                    no_ballot_is_added_after_a_close_has_returned
                    a_ballot_of_a_deleted_poll_finds_no_poll
                }
                changes {
                    a_change_where_there_was_no_ballot_creates_it
                    a_change_replaces_the_ballot
                    a_change_to_the_same_content_is_no_change
                    a_change_is_judged_in_the_order_of_its_outcomes
                    a_change_may_open_a_poll_whose_time_has_come
                    a_withdrawn_ballot_does_not_count
                    a_withdrawal_is_judged_in_the_order_of_its_outcomes
                    a_withdrawn_voter_may_vote_again
                    a_withdrawn_voter_is_refused_by_a_closed_poll
                    a_superseded_ballot_id_is_refused_for_ever
                    changes_and_votes_at_once_keep_the_counters_right
                }
                results {
                    revisions_come_in_the_order_of_the_question
                    the_revisions_of_a_thousand_polls_come_at_once
                    what_is_read_together_is_of_one_moment
                    what_was_acknowledged_is_read_at_once
                    a_store_that_is_there_says_so
                }
                users {
                    a_user_is_found_as_they_were_kept
                    a_user_who_never_signed_up_is_not_there
                    an_email_has_one_account
                    of_many_who_sign_up_at_once_one_gets_the_account
                    the_signing_key_is_the_same_for_everyone
                }
            }
        }
    };
}

/// Runs the contract of a notifier; the arguments are those of [`suite!`], for a notifier.
#[macro_export]
macro_rules! notifier_suite {
    ($name:ident, $($fresh_notifier:tt)+) => {
        mod $name {
            $crate::__tests! { run_notifier ($($fresh_notifier)+)
                notifier {
                }
            }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __tests {
    ($run:ident $fresh:tt $($room:ident { $($tests:tt)* })*) => {
        $( mod $room { $crate::__tests! { @room $run $fresh $room $($tests)* } } )*
    };
    (@room $run:ident ($($fresh:tt)+) $room:ident) => {};
    (@room $run:ident ($($fresh:tt)+) $room:ident $test:ident $($more:ident)*) => {
        #[test]
        fn $test() {
            $crate::$run($($fresh)+, $crate::$room::$test);
        }
        $crate::__tests! { @room $run ($($fresh)+) $room $($more)* }
    };
}
