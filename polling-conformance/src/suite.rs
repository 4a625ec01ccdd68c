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
                    a_listing_ends_once_it_is_full
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
                    a_storm_of_retries_hides_nobody
                    the_outcomes_come_in_the_order_of_the_batch
                    a_batch_is_one_revision_of_each_poll_it_adds_to
                    a_batch_that_adds_nothing_moves_no_revision
                    a_ballot_selects_from_the_first_to_the_255th_option
                    the_same_ballot_id_elsewhere_is_another_ballot
                    of_many_writers_at_once_one_adds_a_voters_ballot
                    writers_at_once_give_each_revision_once
                    ballots_come_in_the_order_of_the_question
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
                    a_late_repeat_of_what_was_so_already_is_superseded
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
                    a_clock_of_the_store_goes_on
                }
                users {
                    a_user_is_found_as_they_were_kept
                    a_user_who_never_signed_up_is_not_there
                    an_email_has_one_account
                    of_many_who_sign_up_at_once_one_gets_the_account
                    the_signing_key_is_the_same_for_everyone
                    many_accounts_are_kept_as_one_by_one
                    many_accounts_that_are_sent_again_change_nothing
                    of_many_imports_at_once_one_gets_each_account
                }
                vote_tokens {
                    a_kept_token_is_good_for_its_poll
                    tokens_are_kept_all_or_none
                    of_many_who_make_tokens_at_once_nobody_gets_over_the_bound
                    a_revoked_token_is_good_no_more
                    the_good_tokens_of_a_poll_are_told_from_the_others
                    revoking_again_revokes_nothing
                    what_is_no_token_of_the_poll_is_passed_over
                    revoking_all_leaves_what_is_made_later
                    of_many_who_revoke_a_token_at_once_one_counts_it
                    the_tokens_of_a_deleted_poll_are_gone
                    purging_a_poll_takes_its_tokens_in_bounded_steps
                    a_hundred_thousand_tokens_are_kept_at_once
                }
                token_steps {
                    a_making_goes_in_steps
                    what_is_taken_back_was_never_made
                    revoking_all_reaches_a_making_that_goes_on
                }
                accounts {
                    an_account_is_found_with_its_password
                    an_edit_of_a_user_is_written_whole
                    a_deleted_account_is_gone_for_every_method
                    the_ballots_of_a_deleted_user_are_detached
                    detaching_goes_in_bounded_steps_and_comes_to_an_end
                }
                administrators {
                    an_administrator_is_made_and_unmade
                    the_first_administrator_is_appointed_while_there_is_none
                    of_first_administrators_who_are_appointed_at_once_one_is
                }
                sessions {
                    a_sign_in_is_renewed_as_the_rule_says
                    a_spent_token_revokes_its_sign_in
                    a_sign_in_that_is_over_is_not_renewed
                    of_many_who_spend_a_token_at_once_one_is_first
                    a_sign_in_needs_its_account_and_password
                    sign_ins_end_one_by_one_and_together
                    sign_ins_end_with_their_password
                    no_sign_in_outlives_a_change_of_the_password
                    what_is_over_is_swept_away
                }
                links {
                    a_link_is_good_until_its_end
                    the_newest_link_is_the_one_that_is_good
                    a_link_is_for_the_address_that_it_is_sent_to
                    a_link_that_is_dropped_is_as_none
                    a_link_ends_with_the_address_for_good
                    a_link_outlives_another_case_of_the_address
                    a_link_ends_with_all_sign_ins
                    a_link_sets_a_password_once
                    a_link_is_used_while_the_account_changes
                }
                leaving {
                    a_deleted_account_is_in_no_workspace
                    the_account_of_the_last_owner_stays
                    of_owners_who_delete_their_accounts_at_once_one_stays
                }
                workspaces {
                    a_workspace_is_found_as_it_was_kept
                    workspaces_are_listed_newest_first
                    a_workspace_is_renamed
                    a_user_is_in_no_more_workspaces_than_there_may_be
                    members_are_listed_by_their_ids
                    a_role_is_changed_and_a_member_is_removed
                    the_last_owner_stays
                    of_owners_who_go_at_once_one_stays
                    a_deleted_workspace_leaves_nothing
                }
                invitations {
                    an_invitation_is_found_as_it_was_kept
                    an_invitation_is_found_by_its_id_and_its_address_in_time
                    invitations_are_listed_newest_first
                    inviting_an_address_again_replaces_the_invitation
                    the_id_of_a_replaced_invitation_is_good_for_nothing
                    a_workspace_has_no_more_invitations_than_there_may_be
                    an_invitation_is_accepted_in_time_by_its_address
                    accepting_again_changes_nothing
                    a_member_who_accepts_stays_what_they_are
                    a_workspace_has_no_more_members_than_there_may_be
                    an_invitation_is_answered_once
                    an_invitation_is_declined_and_withdrawn
                }
                projects {
                    a_project_is_found_as_it_was_kept
                    a_project_is_renamed_and_deleted_in_its_workspace
                    a_workspace_has_no_more_projects_than_there_may_be
                    a_poll_is_kept_in_its_project
                    the_polls_of_a_project_are_listed
                    what_has_polls_is_not_deleted
                    a_project_that_goes_takes_no_new_polls
                }
                batches {
                    twins_in_one_batch_are_decided_in_their_order
                    a_broken_ballot_spoils_no_other
                    a_batch_has_the_outcomes_of_its_ballots_one_by_one
                    a_batch_has_a_bound
                    ten_thousand_ballots_are_one_request
                    a_batch_for_a_closed_poll_is_looked_up_at_once
                }
                casting {
                    identical_votes_at_once_count_once
                    votes_for_different_options_at_once_count_once
                    voting_again_is_refused_after_a_restart
                    an_option_of_another_poll_is_refused
                    a_vote_without_a_voter_is_refused
                    a_voter_of_another_kind_is_refused
                    who_manages_a_poll_may_vouch
                    selections_are_not_counted_as_voters
                    a_selection_that_does_not_fit_the_poll_is_refused
                    who_stops_waiting_does_not_take_the_ballot_back
                    what_was_accepted_is_answered_at_the_shutdown
                    a_batch_that_finds_no_room_is_refused_whole
                    voters_are_told_apart_byte_by_byte
                }
                memberships {
                    a_membership_counts_at_the_moment_of_the_vote
                    the_application_names_members_as_voters
                    a_role_decides_about_the_polls_of_a_project
                }
                retries {
                    the_same_vote_again_returns_the_same_receipt
                    the_order_of_the_options_makes_no_other_vote
                    another_vote_of_the_same_voter_is_refused
                    the_same_ballot_id_with_another_content_is_refused
                    a_retry_is_recognised_while_closing_and_closed
                    a_ballot_that_the_engine_sends_again_is_no_retry
                    casting_never_changes_a_vote
                    a_change_says_what_the_vote_is
                    a_change_obeys_the_poll
                    a_withdrawn_voter_is_free_to_vote_again
                    a_superseded_ballot_is_refused_on_every_road
                    a_receipt_names_a_revision_that_contains_the_ballot
                }
                closing {
                    a_close_in_a_storm_of_votes_returns_the_final_result
                    nobody_is_recorded_after_the_close_was_answered
                    an_end_by_the_clock_in_a_storm_of_votes_loses_none
                    closing_again_answers_the_same_state
                    a_closed_poll_never_opens_again
                }
                timers {
                    a_poll_opens_closes_and_ends_by_the_clock
                    votes_count_from_the_beginning_to_the_end
                    steps_that_were_missed_are_taken_at_the_next_start
                    a_closing_poll_is_ended_by_the_next_server
                    two_servers_take_each_step_once
                    a_moved_end_moves_the_timer
                    an_opening_time_that_is_taken_away_opens_the_poll
                    a_poll_whose_beginning_is_over_opens_at_its_publication
                    a_jump_of_the_computers_clock_closes_no_poll
                }
                editing {
                    what_may_change_depends_on_the_status
                    a_change_that_changes_nothing_is_no_edit
                    another_version_is_a_conflict
                    edits_at_once_are_all_written
                    a_draft_is_hidden_from_everybody_else
                    only_who_manages_a_poll_may_change_it
                    publishing_is_done_once
                    a_poll_that_breaks_rules_is_not_created
                }
                listing {
                    pages_follow_each_other_without_a_gap
                    a_page_of_large_polls_ends_early_with_its_cursor
                    everybody_lists_what_is_listed_and_their_own
                    a_listing_shows_no_hidden_results
                    a_page_has_from_one_to_a_hundred_polls
                }
                deleting {
                    a_deleted_poll_is_gone_everywhere_at_once
                    a_closed_poll_that_another_server_deletes_is_gone
                    the_viewers_of_a_deleted_poll_are_told
                    the_manage_token_of_a_deleted_poll_stays_good
                    deleting_in_a_storm_of_votes_leaves_nothing_behind
                }
                visibility {
                    results_are_seen_exactly_when_the_poll_says_so
                    nobody_looks_with_other_peoples_eyes
                    a_viewer_sees_results_from_the_own_vote_on
                    the_first_results_to_be_seen_contain_the_own_vote
                    a_vote_during_the_subscription_is_not_overlooked
                    a_viewer_is_told_though_the_voter_did_not_wait
                    a_change_of_visibility_reaches_the_viewers
                    a_stream_begins_when_the_results_may_be_seen
                }
                watching {
                    the_first_results_are_the_current_ones
                    the_first_results_are_current_also_between_two_pushes
                    after_it_come_only_newer_ones
                    who_holds_the_current_results_is_told_so
                    who_was_away_gets_the_newest_and_nothing_twice
                    viewers_of_two_servers_end_on_the_same_results
                    an_older_count_that_arrives_last_is_not_shown
                    a_vote_during_the_subscription_is_not_missed
                    who_gets_the_right_back_sees_the_results_again
                    a_shutdown_ends_every_watch_after_the_last_results
                    a_viewer_who_leaves_takes_nothing_along
                }
                servers {
                    a_withdrawal_at_another_server_hides_the_results_again
                    a_vote_at_another_server_shows_the_results
                    news_from_another_server_is_not_drowned_by_votes_here
                    every_watched_poll_is_asked_about_at_once
                    what_another_server_changed_is_read_at_once
                    a_poll_that_another_server_deleted_refuses_nobody_from_memory
                    a_store_that_is_lost_answers_nothing_from_memory
                    a_token_that_another_server_revoked_votes_no_more
                }
                rights {
                    a_role_that_another_server_takes_hides_the_results
                    who_is_no_member_any_more_is_no_voter
                    a_sign_in_that_is_over_hides_the_results
                    a_revoked_vote_token_hides_the_results
                    a_token_revoked_before_the_results_were_hidden_is_found
                    a_token_revoked_while_others_are_judged_is_found
                    the_tokens_of_all_viewers_are_one_question
                    what_a_new_viewer_is_found_to_be_all_of_theirs_learn
                    a_role_that_was_read_later_counts
                    a_deleted_account_hides_the_results
                    an_account_deleted_while_everybody_saw_the_results_hides_them_later
                }
                revisions {
                    exactly_these_steps_add_a_revision
                    a_close_by_hand_is_one_revision
                }
                overload {
                    a_hot_poll_leaves_room_for_the_others
                    no_more_waits_than_there_is_room_for
                    a_vote_waits_for_no_more_batches_than_the_queue_holds
                    a_vote_waits_for_no_whole_request
                    a_request_whose_caller_leaves_between_its_turns_counts
                }
                makings {
                    votes_are_written_between_the_steps_of_a_making
                    makings_take_turns
                    a_making_that_fails_leaves_nothing
                    large_jobs_have_a_bound
                    of_large_makings_a_bounded_number_goes_on
                }
                stuck {
                    votes_in_other_polls_do_not_wait_for_one_that_is_stuck
                    of_several_stuck_polls_each_goes_on_when_it_is_free
                    a_ballot_of_a_stuck_poll_is_unavailable_at_its_own_deadline
                    ballots_of_one_voter_in_a_stuck_poll_are_decided_one_after_the_other
                    a_shutdown_answers_the_ballots_of_a_stuck_poll
                    a_vote_is_answered_in_time_by_a_store_that_does_not_answer
                }
                model {
                    random_requests_and_failures_are_answered_as_the_model_says
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
                    what_is_announced_reaches_every_subscriber
                    a_deletion_is_announced_as_such
                    nobody_needs_to_listen
                    a_slow_subscriber_holds_nobody_up
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
