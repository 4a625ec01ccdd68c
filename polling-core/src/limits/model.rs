//! What is limited, and by what each is counted.

use core::net::{IpAddr, Ipv6Addr};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::polls::access::Role;
use crate::polls::{Poll, Voters};
use crate::workspaces::membership::Memberships;
use crate::{Actor, PollId, TokenHash, UserId};

macro_rules! rules {
    ($( $(#[$doc:meta])* $name:ident = $text:literal; )*) => {
        /// Something that may be done so often and no more.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Rule { $( $(#[$doc])* $name, )* }

        impl Rule {
            /// All rules.
            pub const ALL: &'static [Rule] = &[$(Rule::$name),*];

            /// Its name, in settings and in answers.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $( Rule::$name => $text, )* }
            }
        }
    };
}

rules! {
    /// Signing up, and changing the e-mail address of an account, by address.
    SignUp = "sign_up";
    /// A wrong password for an account, whether or not there is one, and one that is too weak for it; set through a one-time
    /// link, by link.
    Login = "login";
    /// A wrong password for any account, or one that is too weak for it, by address.
    LoginAddress = "login_address";
    /// Asking for a new password for an account, whether or not there is one.
    PasswordReset = "password_reset";
    /// Asking for a new password for any account, by address.
    PasswordResetAddress = "password_reset_address";
    /// Getting a new access token for a refresh token, by address.
    Refresh = "refresh";
    /// Creating a poll, by user; by address without an account.
    CreatePoll = "create_poll";
    /// Changing, publishing, closing and deleting polls, by user or manage token; else by address.
    Manage = "manage";
    /// Making tickets, by user, manage token or vote token; else by address.
    Ticket = "ticket";
    /// Reading a page of a listing, by user; by address without an account.
    List = "list";
    /// Inviting somebody, by user.
    Invite = "invite";
    /// Invitations that are sent to an e-mail address, whether or not it has an account, whoever made them. One more is made
    /// and not sent.
    InvitationMail = "invitation_mail";
    /// Making vote tokens for polls without an account, each of them, by user; by address without an account.
    AnonymousTokens = "anonymous_tokens";
    /// Voting in one poll for `anyone`, by user; by address without an account. Who manages the poll is not limited.
    Vote = "vote";
}

impl Rule {
    /// By what `actor` is counted; `None` where they are not: the application itself, somebody whose address is not known
    /// where it is needed, and rules that count by account or by poll.
    #[must_use]
    pub fn key(self, actor: &Actor) -> Option<Key> {
        let user = actor.user_id().map(Key::User);
        let address = || AddressKey::of_actor(actor).map(Key::Address);
        let manage_token = || actor.manage_tokens().first().copied().map(Key::Token);
        match self {
            Rule::SignUp | Rule::LoginAddress | Rule::PasswordResetAddress | Rule::Refresh => {
                address()
            }
            // Manage tokens prove nobody here: each poll that is created without an account gives one more.
            Rule::CreatePoll | Rule::Invite | Rule::List | Rule::AnonymousTokens => {
                user.or_else(address)
            }
            Rule::Manage => user.or_else(manage_token).or_else(address),
            // The holders of vote tokens are an audience, which may be behind one address.
            Rule::Ticket => {
                let vote_token = || Some(Key::Token(actor.vote_tokens().last()?.hash()));
                let token = manage_token().or_else(vote_token);
                user.or(token).or_else(address)
            }
            Rule::Login | Rule::PasswordReset | Rule::InvitationMail | Rule::Vote => None,
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Rule {
    type Err = ParseLimitError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Rule::ALL.iter().find(|rule| rule.as_str() == text);
        found.copied().ok_or(ParseLimitError)
    }
}

/// By what somebody is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Key {
    /// A signed-in user.
    User(UserId),
    /// Who holds a manage token, a vote token or a one-time link.
    Token(TokenHash),
    /// An e-mail address that somebody wants to sign in with, or is invited by.
    Account(AccountKey),
    /// An address of the network.
    Address(AddressKey),
    /// A signed-in user, in one poll.
    UserOnPoll(UserId, PollId),
    /// An address of the network, in one poll.
    AddressOnPoll(AddressKey, PollId),
}

impl Key {
    /// By what a voter is counted in a poll for `anyone`; nobody is in other polls, whose voters are known, and who manages
    /// the poll is not.
    pub(super) fn of_vote(actor: &Actor, poll: &Poll, memberships: &Memberships) -> Option<Self> {
        if poll.voters != Voters::Anyone || Role::of(actor, poll, memberships) == Role::Manager {
            return None;
        }
        let user = actor.user_id().map(|user| Key::UserOnPoll(user, poll.id));
        user.or_else(|| {
            AddressKey::of_actor(actor).map(|address| Key::AddressOnPoll(address, poll.id))
        })
    }

    pub(super) fn is_loopback(&self) -> bool {
        match self {
            Key::Address(AddressKey(address)) | Key::AddressOnPoll(AddressKey(address), _) => {
                address.is_loopback()
            }
            _ => false,
        }
    }
}

/// An account as limits know it: the SHA-256 of the e-mail address, which may have an account or not.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct AccountKey([u8; 32]);

impl AccountKey {
    /// The account that somebody means by `email`: its case and the white space around it make no difference.
    #[must_use]
    pub fn of(email: &str) -> Self {
        Self(Sha256::digest(email.trim().to_lowercase()).into())
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for AccountKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccountKey(…)")
    }
}

/// What an address of the network is counted as: an IPv4 address as itself, an IPv6 address as the /64 network that it lies
/// in, of which a single subscriber commonly has one and can use every address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AddressKey(IpAddr);

impl AddressKey {
    /// What `address` is counted as. IPv4 within IPv6 (`::ffff:192.0.2.1`) is IPv4.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            // It is in no network, and its first half is that of other special addresses.
            IpAddr::V6(Ipv6Addr::LOCALHOST) => Ipv6Addr::LOCALHOST.into(),
            IpAddr::V6(address) => {
                let network = address.to_bits() & (u128::MAX << 64);
                Ipv6Addr::from_bits(network).into()
            }
            address @ IpAddr::V4(_) => address,
        })
    }

    fn of_actor(actor: &Actor) -> Option<Self> {
        actor.address().map(Self::of)
    }

    /// The address; of an IPv6 network the first one.
    #[must_use]
    pub const fn address(&self) -> IpAddr {
        self.0
    }
}

/// So many, in any such time. It is written `10/60`: ten in sixty seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// How many may be done within `window`, from 1 to 1,000,000; all of them at once where somebody likes.
    pub count: u32,
    /// The time that is looked back, in whole seconds, from one second to one day. What was done longer ago does not count
    /// any more.
    pub window: Duration,
}

impl Limit {
    /// The greatest count.
    pub const MOST: u32 = 1_000_000;
    /// The longest window: one day.
    pub const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

    /// So many in any minute.
    #[must_use]
    pub const fn per_minute(count: u32) -> Self {
        Self {
            count,
            window: Duration::from_secs(60),
        }
    }

    /// So many in any hour.
    #[must_use]
    pub const fn per_hour(count: u32) -> Self {
        Self {
            count,
            window: Duration::from_secs(60 * 60),
        }
    }

    /// Whether it is within its bounds.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        let seconds = Duration::from_secs(1)..=Self::LONGEST;
        (1..=Self::MOST).contains(&self.count)
            && seconds.contains(&self.window)
            && self.window.subsec_nanos() == 0
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.count, self.window.as_secs())
    }
}

impl FromStr for Limit {
    type Err = ParseLimitError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (count, seconds) = text.split_once('/').ok_or(ParseLimitError)?;
        let limit = Self {
            count: count.parse().map_err(|_| ParseLimitError)?,
            window: Duration::from_secs(seconds.parse().map_err(|_| ParseLimitError)?),
        };
        limit.is_valid().then_some(limit).ok_or(ParseLimitError)
    }
}

/// The text names no rule, or is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a limit is written COUNT/SECONDS, from 1/1 to 1000000/86400, or off")]
pub struct ParseLimitError;

/// What somebody may still do under a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Standing {
    /// Which rule.
    pub rule: Rule,
    /// How many it allows, in which time.
    pub limit: Limit,
    /// How many more could be done now.
    pub remaining: u32,
    /// How long until one more can be done; zero where one can now.
    pub retry_after: Duration,
    /// How long until as many can be done as ever.
    pub resets_in: Duration,
}

impl Standing {
    /// [`retry_after`](Self::retry_after) in whole seconds, rounded up: after so many it works.
    #[must_use]
    pub fn retry_after_seconds(&self) -> u64 {
        whole_seconds(self.retry_after)
    }

    /// [`resets_in`](Self::resets_in) in whole seconds, rounded up.
    #[must_use]
    pub fn resets_in_seconds(&self) -> u64 {
        whole_seconds(self.resets_in)
    }
}

fn whole_seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests;
