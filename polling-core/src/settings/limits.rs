//! How often somebody may do what, as it is set.

use std::fmt;
use std::time::Duration;

use super::DAY;
use crate::limits::{Limit, Rule};

/// How often somebody may do what: one limit for each [`Rule`], which says by what it counts; `None` is no limit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LimitSettings {
    /// People who sign up from one address.
    pub sign_up: Option<Limit>,
    /// Wrong passwords for one e-mail address, whether or not it has an account, and new ones that are too weak for it. While
    /// it is reached the right one is refused too, or guessing could go on. Passwords that are set through one one-time link
    /// are counted apart, so that nobody but its holder can reach that.
    pub login: Option<Limit>,
    /// Wrong passwords, and new ones that are too weak, from one address. It should be more than can be hashed or wait at
    /// once (`password_workers` and `password_queue`), because an attempt counts until it is known to be right.
    pub login_address: Option<Limit>,
    /// Links for a new password that are asked for one e-mail address, whether or not it has an account.
    pub password_reset: Option<Limit>,
    /// Links for a new password that are asked for from one address.
    pub password_reset_address: Option<Limit>,
    /// Refresh tokens that are sent from one address.
    pub refresh: Option<Limit>,
    /// Polls that one user creates, or without an account one address.
    pub create_poll: Option<Limit>,
    /// Edits, and steps of polls, of one user or of who holds one manage token; else of one address.
    pub manage: Option<Limit>,
    /// Tickets of one user, or of who holds one manage token or vote token; else of one address.
    pub ticket: Option<Limit>,
    /// Pages of listings that one user reads, or without an account one address. Polls and results that are read by their id
    /// have no limit: a whole audience may be behind one address.
    pub list: Option<Limit>,
    /// Invitations by one user.
    pub invite: Option<Limit>,
    /// Invitations that are sent to one e-mail address, whether or not it has an account: many accounts must not flood one
    /// mailbox. Nobody is refused by it: one more is made all the same, and not sent. Those by the application itself are
    /// sent always, and do not count.
    pub invitation_mail: Option<Limit>,
    /// Vote tokens that are made for polls without an account by one user, or without an account from one address.
    pub anonymous_tokens: Option<Limit>,
    /// Votes in one poll for `anyone` by one user, or without an account from one address. None by default: a whole audience
    /// may be behind one address.
    pub vote: Option<Limit>,
    /// Whether addresses of this computer are limited like others. They are not by default: they are the application's own,
    /// or those of a proxy that was not named as trusted, behind which all others are.
    pub loopback: bool,
    /// Users, tokens, accounts and addresses that are remembered for each rule in the memory of this server; of more than
    /// that the oldest are forgotten.
    pub keys: usize,
    /// Bytes that all of them may take in that memory, an equal part of them for each rule; of more than that the oldest of the
    /// rule are forgotten. One takes some hundred bytes, and at most about 25 kB, whatever its limit.
    pub bytes: usize,
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            sign_up: Some(Limit::per_minute(100)),
            login: Some(Limit::per_minute(10)),
            login_address: Some(Limit::per_minute(300)),
            password_reset: Some(Limit::per_hour(5)),
            password_reset_address: Some(Limit::per_hour(100)),
            refresh: Some(Limit::per_minute(3_000)),
            create_poll: Some(Limit::per_minute(60)),
            manage: Some(Limit::per_minute(600)),
            ticket: Some(Limit::per_minute(600)),
            list: Some(Limit::per_minute(1_200)),
            invite: Some(Limit::per_hour(100)),
            invitation_mail: Some(Limit::per_hour(5)),
            anonymous_tokens: Some(Limit {
                count: 100_000,
                window: Duration::from_secs(DAY),
            }),
            vote: None,
            loopback: false,
            keys: 50_000,
            bytes: 192 * 1024 * 1024,
        }
    }
}

impl LimitSettings {
    /// The limit of a rule.
    #[must_use]
    pub const fn of(&self, rule: Rule) -> Option<Limit> {
        match rule {
            Rule::SignUp => self.sign_up,
            Rule::Login => self.login,
            Rule::LoginAddress => self.login_address,
            Rule::PasswordReset => self.password_reset,
            Rule::PasswordResetAddress => self.password_reset_address,
            Rule::Refresh => self.refresh,
            Rule::CreatePoll => self.create_poll,
            Rule::Manage => self.manage,
            Rule::Ticket => self.ticket,
            Rule::List => self.list,
            Rule::Invite => self.invite,
            Rule::InvitationMail => self.invitation_mail,
            Rule::AnonymousTokens => self.anonymous_tokens,
            Rule::Vote => self.vote,
        }
    }

    /// Sets the limit of a rule; `None` switches it off.
    pub const fn set(&mut self, rule: Rule, limit: Option<Limit>) {
        let place = match rule {
            Rule::SignUp => &mut self.sign_up,
            Rule::Login => &mut self.login,
            Rule::LoginAddress => &mut self.login_address,
            Rule::PasswordReset => &mut self.password_reset,
            Rule::PasswordResetAddress => &mut self.password_reset_address,
            Rule::Refresh => &mut self.refresh,
            Rule::CreatePoll => &mut self.create_poll,
            Rule::Manage => &mut self.manage,
            Rule::Ticket => &mut self.ticket,
            Rule::List => &mut self.list,
            Rule::Invite => &mut self.invite,
            Rule::InvitationMail => &mut self.invitation_mail,
            Rule::AnonymousTokens => &mut self.anonymous_tokens,
            Rule::Vote => &mut self.vote,
        };
        *place = limit;
    }
}

/// Each rule with its limit, as `login=10/60,vote=off`.
impl fmt::Display for LimitSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, &rule) in Rule::ALL.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            match self.of(rule) {
                Some(limit) => write!(f, "{comma}{rule}={limit}")?,
                None => write!(f, "{comma}{rule}=off")?,
            }
        }
        Ok(())
    }
}
