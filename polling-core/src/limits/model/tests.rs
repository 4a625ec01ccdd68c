use super::*;
use crate::polls::NewPoll;
use crate::vote_tokens::VoteToken;
use crate::{Clock, FakeClock, PollLimits, SeededIds};

const ADA: UserId = UserId::from_bytes([1; 16]);

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn at(text: &str) -> AddressKey {
    AddressKey::of(address(text))
}

#[test]
fn who_is_known_is_counted_as_themselves_and_nobody_else_by_their_address() {
    let here = address("192.0.2.1");
    let (token, by_address) = (TokenHash::of("pm_x"), Some(Key::Address(at("192.0.2.1"))));
    let guest = Actor::from_address(here);
    let holder = guest.clone().and(Actor::manage_token(token));
    let ada = holder.clone().and(Actor::user(ADA));
    let (user, token) = (Some(Key::User(ADA)), Some(Key::Token(token)));
    let actors = [
        guest,
        holder,
        ada,
        Actor::user(ADA),
        Actor::anonymous(),
        Actor::System,
    ];
    for (rule, expected) in [
        // a guest, who holds a manage token, Ada with both, Ada from nowhere, nobody from nowhere, the application
        (
            Rule::SignUp,
            [by_address, by_address, by_address, None, None, None],
        ),
        (Rule::Login, [None; 6]),
        (
            Rule::LoginAddress,
            [by_address, by_address, by_address, None, None, None],
        ),
        (Rule::PasswordReset, [None; 6]),
        (
            Rule::PasswordResetAddress,
            [by_address, by_address, by_address, None, None, None],
        ),
        (
            Rule::Refresh,
            [by_address, by_address, by_address, None, None, None],
        ),
        (
            Rule::CreatePoll,
            [by_address, by_address, user, user, None, None],
        ),
        (Rule::Manage, [by_address, token, user, user, None, None]),
        (Rule::Ticket, [by_address, token, user, user, None, None]),
        (Rule::List, [by_address, by_address, user, user, None, None]),
        (
            Rule::Invite,
            [by_address, by_address, user, user, None, None],
        ),
        (Rule::InvitationMail, [None; 6]),
        (
            Rule::AnonymousTokens,
            [by_address, by_address, user, user, None, None],
        ),
        (Rule::Vote, [None; 6]),
    ] {
        let keys = actors.each_ref().map(|actor| rule.key(actor));
        assert_eq!(keys, expected, "{rule}");
    }
}

/// Thousands of them may be behind one address.
#[test]
fn who_holds_a_vote_token_gets_tickets_by_it() {
    let holder = |text| {
        let token = VoteToken::new(text, PollId::from_bytes([1; 16]));
        Actor::from_address(address("192.0.2.1")).and(Actor::vote_token(token))
    };
    let key = |text| Rule::Ticket.key(&holder(text));
    assert_eq!(key("pv_a"), Some(Key::Token(TokenHash::of("pv_a"))));
    assert_ne!(key("pv_a"), key("pv_b"));
}

#[test]
fn only_votes_of_people_nobody_knows_are_counted_and_in_each_poll_apart() {
    let (now, ids) = (FakeClock::default().now(), SeededIds::new(1));
    let token = TokenHash::of("pm_x");
    let poll = |voters| {
        let new = NewPoll::single("?", ["a", "b"]).voters(voters);
        let limits = PollLimits::default();
        let made = new.validate(&Actor::anonymous(), Some(token), now, &ids, &limits);
        made.unwrap().0
    };
    let guest = Actor::from_address(address("192.0.2.1"));
    let actors = [
        guest.clone(),
        guest.clone().and(Actor::user(ADA)),
        guest
            .clone()
            .and(Actor::manage_token(TokenHash::of("pm_other"))),
        guest.clone().and(Actor::manage_token(token)),
        Actor::anonymous(),
        Actor::System,
    ];
    let anyone = poll(Voters::Anyone);
    let here = Some(Key::AddressOnPoll(at("192.0.2.1"), anyone.id));
    let of_vote = |actor: &Actor, poll: &Poll| Key::of_vote(actor, poll, &Memberships::none());
    let keys = actors.each_ref().map(|actor| of_vote(actor, &anyone));
    let ada = Some(Key::UserOnPoll(ADA, anyone.id));
    assert_eq!(keys, [here, ada, here, None, None, None]);
    for voters in [Voters::Registered, Voters::Vouched] {
        let poll = poll(voters);
        assert!(actors.iter().all(|actor| of_vote(actor, &poll).is_none()));
    }
    let other = of_vote(&guest, &poll(Voters::Anyone));
    assert!(other.is_some() && other != here);
}

#[test]
fn an_ipv6_address_is_counted_as_its_network_and_an_ipv4_address_as_itself() {
    assert_eq!(at("2001:db8:1:2:3:4:5:6"), at("2001:db8:1:2::"));
    assert_ne!(at("2001:db8:1:2::1"), at("2001:db8:1:3::1"));
    assert_ne!(at("192.0.2.1"), at("192.0.2.2"));
    assert_eq!(at("::ffff:192.0.2.1"), at("192.0.2.1"));
    for loopback in ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"] {
        assert!(Key::Address(at(loopback)).is_loopback(), "{loopback}");
    }
    for other in ["192.0.2.1", "::2", "10.0.0.1"] {
        assert!(!Key::Address(at(other)).is_loopback(), "{other}");
    }
}

#[test]
fn an_account_is_the_same_however_its_address_is_written() {
    let ada = AccountKey::of("ada@example.org");
    assert_eq!(ada, AccountKey::of(" ADA@example.org "));
    assert_ne!(ada, AccountKey::of("eve@example.org"));
    assert_eq!(format!("{ada:?}"), "AccountKey(…)");
}

#[test]
fn a_limit_is_written_as_it_is_read() {
    for good in ["10/60", "1/1", "1000000/86400"] {
        assert_eq!(good.parse::<Limit>().unwrap().to_string(), good);
    }
    for bad in [
        "",
        "10",
        "0/60",
        "10/0",
        "1000001/60",
        "10/86401",
        "-1/60",
        "10/60s",
        "off",
    ] {
        assert!(bad.parse::<Limit>().is_err(), "{bad}");
    }
    assert_eq!("10/60".parse(), Ok(Limit::per_minute(10)));
    assert_eq!("5/3600".parse(), Ok(Limit::per_hour(5)));
    assert!(
        Rule::ALL
            .iter()
            .all(|&rule| rule.as_str().parse() == Ok(rule))
    );
}

#[test]
fn times_are_told_in_whole_seconds_after_which_it_works() {
    let standing = |millis| Standing {
        rule: Rule::Login,
        limit: Limit::per_minute(10),
        remaining: 0,
        retry_after: Duration::from_millis(millis),
        resets_in: Duration::from_millis(millis + 1),
    };
    assert_eq!(standing(0).retry_after_seconds(), 0);
    assert_eq!(standing(1).retry_after_seconds(), 1);
    assert_eq!(standing(1_000).retry_after_seconds(), 1);
    assert_eq!(standing(1_000).resets_in_seconds(), 2);
}
