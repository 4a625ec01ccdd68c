//! Whether settings fit together.

use std::time::Duration;

use super::builder::BuildError;
use super::time;
use crate::Settings;
use crate::limits::Rule;

/// A thief who has a spent token has as long to use it.
const MOST_GRACE: Duration = Duration::from_secs(10);

/// Whether the settings are ones that an engine can run with.
pub(super) fn check(settings: &Settings) -> Result<(), BuildError> {
    let rule = |name, rule| Err(BuildError::Setting { name, rule });
    if settings.batch_ballots == 0 {
        return rule("batch_ballots", "must be at least 1");
    }
    if settings.request_ballots == 0 || settings.request_ballots > settings.queue_ballots {
        return rule(
            "request_ballots",
            "must be from 1 to queue_ballots, or a full request could never be taken",
        );
    }
    if settings.turn_ballots == Some(0) {
        return rule("turn_ballots", "must be at least 1");
    }
    if settings.lanes == Some(0) {
        return rule("lanes", "must be at least 1");
    }
    if !(2..=255).contains(&settings.polls.options) {
        return rule("polls.options", "must be from 2 to 255");
    }
    if settings.page_polls == 0 || settings.cached_polls == 0 || settings.purge_rows == 0 {
        return rule(
            "page_polls, cached_polls and purge_rows",
            "must be at least 1",
        );
    }
    if settings.answer_within.is_zero() {
        return rule(
            "answer_within",
            "must be more than zero, or no vote could be answered",
        );
    }
    if settings.page_bytes == 0 || settings.cached_poll_bytes == 0 {
        return rule("page_bytes and cached_poll_bytes", "must be at least 1");
    }
    if settings.refresh_interval.is_zero() {
        return rule(
            "refresh_interval",
            "must be more than zero, or the store is read without a pause",
        );
    }
    time::check(settings)?;
    if settings.request_tokens == 0 || settings.request_revocations == 0 {
        return rule(
            "request_tokens and request_revocations",
            "must be at least 1",
        );
    }
    if !settings.bulk.is_valid() {
        return rule("bulk", "must have bounds of at least 1");
    }
    check_people(settings)
}

/// The bounds of accounts, workspaces and limits.
fn check_people(settings: &Settings) -> Result<(), BuildError> {
    let rule = |name, rule| Err(BuildError::Setting { name, rule });
    let workspaces = &settings.workspaces;
    if [
        workspaces.of_a_user,
        workspaces.members,
        workspaces.invitations,
        workspaces.projects,
    ]
    .contains(&0)
        || workspaces.invitation_lifetime.is_zero()
    {
        return rule(
            "workspaces",
            "must have bounds of at least 1, and invitations that last",
        );
    }
    if settings.password_workers == 0 {
        return rule("password_workers", "must be at least 1");
    }
    #[cfg(feature = "accounts")]
    if !crate::users::admits_todays_hashes(settings) {
        return rule(
            "password_hash_kib and password_hash_passes",
            "must be at least 19,456 and 2, which today's hashes need",
        );
    }
    let imports = &settings.imports;
    if [imports.rows, imports.batch_rows, imports.at_once].contains(&0)
        || imports.remembered < imports.at_once
    {
        return rule(
            "imports",
            "must have bounds of at least 1, and remember those that run",
        );
    }
    if settings.limits.keys == 0 || settings.limits.bytes == 0 {
        return rule("limits.keys and limits.bytes", "must be at least 1");
    }
    let limits = Rule::ALL.iter().filter_map(|&of| settings.limits.of(of));
    if !limits.into_iter().all(|limit| limit.is_valid()) {
        return rule(
            "limits",
            "must each be from 1 to 1,000,000, in whole seconds up to a day",
        );
    }
    if settings.refresh_grace > MOST_GRACE {
        return rule("refresh_grace", "must be at most 10 seconds");
    }
    if settings.tickets == 0 || settings.ticket_lifetime.is_zero() {
        return rule("tickets and ticket_lifetime", "must be more than zero");
    }
    if settings.link_queue == 0 || settings.detach_polls == 0 {
        return rule("link_queue and detach_polls", "must be at least 1");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limit;

    #[test]
    fn limits_have_their_bounds_and_may_be_off() {
        let with = |limit| {
            let mut settings = Settings::default();
            settings.limits.set(Rule::Login, limit);
            check(&settings).is_ok()
        };
        assert!(with(None) && with(Some(Limit::per_hour(1_000_000))));
        assert!(!with(Some(Limit::per_minute(0))));
        assert!(!with(Some(Limit::per_minute(1_000_001))));
    }
}
