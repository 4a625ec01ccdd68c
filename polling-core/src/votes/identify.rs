//! Which voter somebody may be: one rule for voting, reading and watching.

use super::error::VoteError;
use super::voter::{Voter, VoterKey};
use crate::polls::access::{Action, Role};
use crate::polls::{Poll, Voters};
use crate::results::ResultsError;
use crate::workspaces::membership::Memberships;
use crate::{Actor, FieldError, UserId};

/// Bytes of a voter's id, at most.
const VOTER_BYTES: usize = 200;

/// The key of the voter that `actor` votes as.
///
/// # Errors
/// `VoterRequired`, `Unauthorized`, `Forbidden` or `Invalid`.
pub(crate) fn voter(
    actor: &Actor,
    poll: &Poll,
    memberships: &Memberships,
    voter: &Voter,
) -> Result<VoterKey, VoteError> {
    match poll.voters {
        Voters::Anyone => match voter {
            Voter::Named(id) | Voter::Anyone(id) => key("anyone", id),
            Voter::Caller => Err(VoteError::VoterRequired),
            Voter::Vouched(_) | Voter::User(_) => Err(VoteError::Forbidden(
                "this poll takes voters of the kind anyone",
            )),
        },
        Voters::Vouched if !Role::of(actor, poll, memberships).may(Action::Vouch) => Err(
            VoteError::Forbidden("only who manages this poll may say who votes"),
        ),
        Voters::Vouched => match voter {
            Voter::Named(id) | Voter::Vouched(id) => key("vouched", id),
            Voter::Caller => Err(VoteError::VoterRequired),
            Voter::Anyone(_) | Voter::User(_) => {
                Err(VoteError::Forbidden("this poll takes vouched voters"))
            }
        },
        Voters::Registered => user(actor, voter).map(VoterKey::of_user),
        Voters::Members => {
            let user = user(actor, voter)?;
            if memberships.of(user).is_some() {
                Ok(VoterKey::of_user(user))
            } else {
                Err(VoteError::Forbidden(
                    "only members of this poll's workspace vote here",
                ))
            }
        }
        Voters::Tokens => match (voter, actor.vote_token_for(poll.id)) {
            (Voter::Caller, Some(token)) => Ok(token.voter()),
            (Voter::Caller, None) if actor.vote_tokens().is_empty() => Err(VoteError::Unauthorized),
            (Voter::Caller, None) => Err(VoteError::Forbidden("this token is for another poll")),
            _ => Err(VoteError::Forbidden(
                "on this poll the holders of tokens vote as themselves: leave the voter out",
            )),
        },
    }
}

/// The user that `actor` votes as, where users vote.
fn user(actor: &Actor, voter: &Voter) -> Result<UserId, VoteError> {
    match (voter, actor, actor.user_id()) {
        (Voter::Caller, _, Some(user)) => Ok(user),
        (Voter::User(named), _, Some(user)) if *named == user => Ok(user),
        (Voter::User(named), Actor::System, _) => Ok(*named),
        (Voter::Caller, Actor::System, _) => Err(VoteError::VoterRequired),
        (Voter::Caller, _, None) => Err(VoteError::Unauthorized),
        _ => Err(VoteError::Forbidden(
            "on this poll users vote as themselves: leave the voter out",
        )),
    }
}

/// The key of the voter that `actor` looks as: who they say, or the signed-in user where users vote; or nobody.
///
/// # Errors
/// `Forbidden` or `Invalid`.
pub(crate) fn viewer(
    actor: &Actor,
    poll: &Poll,
    memberships: &Memberships,
    viewer: Option<&Voter>,
) -> Result<Option<VoterKey>, ResultsError> {
    match voter(actor, poll, memberships, viewer.unwrap_or(&Voter::Caller)) {
        Ok(key) => Ok(Some(key)),
        // Nobody was named, which a viewer may do.
        Err(_) if matches!(viewer, None | Some(Voter::Caller)) => Ok(None),
        Err(VoteError::Invalid(fields)) => Err(ResultsError::Invalid(fields)),
        Err(_) => Err(ResultsError::Forbidden),
    }
}

fn key(tag: &str, id: &str) -> Result<VoterKey, VoteError> {
    if id.is_empty() || id.len() > VOTER_BYTES {
        let detail = format!(
            "a voter's id has from 1 to {VOTER_BYTES} bytes, not {}",
            id.len()
        );
        return Err(VoteError::Invalid(vec![FieldError::invalid(
            "/voter", detail,
        )]));
    }
    Ok(VoterKey::of_text(tag, id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::polls::{NewPoll, ProjectRef};
    use crate::vote_tokens::VoteToken;
    use crate::workspaces::WorkspaceRole;
    use crate::{Clock, Code, FakeClock, PollId, PollLimits, SeededIds};
    use crate::{ProjectId, WorkspaceId};

    const ADA: UserId = UserId::from_bytes([1; 16]);
    const BOB: UserId = UserId::from_bytes([2; 16]);

    /// A poll that Ada created.
    fn poll(voters: Voters) -> Poll {
        let (now, ids) = (FakeClock::default().now(), SeededIds::new(1));
        let new = NewPoll::single("?", ["a", "b"]).voters(voters);
        new.validate(&Actor::user(ADA), None, now, &ids, &PollLimits::default())
            .unwrap()
            .0
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "it is one table")]
    fn who_may_vote_as_whom() {
        use Code::{Forbidden, Unauthorized, VoterRequired};
        let (named, nobody) = (Voter::named(Some("x".into())), Voter::Caller);
        let (anyone, vouched, bob) = (Voter::anyone("x"), Voter::vouched("x"), Voter::user(BOB));
        let voters = [&named, &nobody, &anyone, &vouched, &bob];
        let table = [
            // actor: guest, Ada (who manages the poll), Bob, the application
            (
                Voters::Anyone,
                [
                    None,
                    Some(VoterRequired),
                    None,
                    Some(Forbidden),
                    Some(Forbidden),
                ],
                [0, 1, 2, 3],
            ),
            (Voters::Vouched, [Some(Forbidden); 5], [0, 2, 0, 2]),
            (
                Voters::Vouched,
                [
                    None,
                    Some(VoterRequired),
                    Some(Forbidden),
                    None,
                    Some(Forbidden),
                ],
                [1, 3, 1, 3],
            ),
            (
                Voters::Registered,
                [
                    Some(Forbidden),
                    Some(Unauthorized),
                    Some(Forbidden),
                    Some(Forbidden),
                    Some(Forbidden),
                ],
                [0; 4],
            ),
            (
                Voters::Registered,
                [
                    Some(Forbidden),
                    None,
                    Some(Forbidden),
                    Some(Forbidden),
                    Some(Forbidden),
                ],
                [1; 4],
            ),
            (
                Voters::Registered,
                [
                    Some(Forbidden),
                    None,
                    Some(Forbidden),
                    Some(Forbidden),
                    None,
                ],
                [2; 4],
            ),
            (
                Voters::Registered,
                [
                    Some(Forbidden),
                    Some(VoterRequired),
                    Some(Forbidden),
                    Some(Forbidden),
                    None,
                ],
                [3; 4],
            ),
        ];
        let actors = [
            Actor::anonymous(),
            Actor::user(ADA),
            Actor::user(BOB),
            Actor::System,
        ];
        for (kind, expected, who) in table {
            for actor in who.map(|place| &actors[place]) {
                for (name, expected) in voters.into_iter().zip(expected) {
                    let code = voter(actor, &poll(kind), &Memberships::none(), name)
                        .err()
                        .map(|error| error.code());
                    assert_eq!(
                        code, expected,
                        "{name:?} of {actor:?} on a poll for {kind:?}"
                    );
                }
            }
        }
    }

    /// Whoever holds a token votes with it, in its poll, and as nobody else.
    #[test]
    fn the_holder_of_a_token_votes_with_it() {
        use Code::{Forbidden, Unauthorized};
        let poll = poll(Voters::Tokens);
        let token = |text| Actor::vote_token(VoteToken::new(text, poll.id));
        let elsewhere = Actor::vote_token(VoteToken::new("pv_c", PollId::from_bytes([9; 16])));
        let (named, nobody) = (Voter::named(Some("x".into())), Voter::Caller);
        let voters = [
            &nobody,
            &named,
            &Voter::anyone("x"),
            &Voter::vouched("x"),
            &Voter::user(BOB),
        ];
        for (actor, as_caller) in [
            (Actor::anonymous(), Some(Unauthorized)),
            // Who manages the poll, and the application itself, are no voters of it.
            (Actor::user(ADA), Some(Unauthorized)),
            (Actor::System, Some(Unauthorized)),
            (elsewhere.clone(), Some(Forbidden)),
            (token("pv_a"), None),
            (
                Actor::user(BOB).and(elsewhere.clone()).and(token("pv_a")),
                None,
            ),
        ] {
            for (place, name) in voters.into_iter().enumerate() {
                let expected = if place == 0 {
                    as_caller
                } else {
                    Some(Forbidden)
                };
                let code = voter(&actor, &poll, &Memberships::none(), name)
                    .err()
                    .map(|error| error.code());
                assert_eq!(code, expected, "{name:?} of {actor:?}");
            }
        }
        let key =
            |actor: &Actor| voter(actor, &poll, &Memberships::none(), &Voter::Caller).unwrap();
        let (a, b) = (token("pv_a"), token("pv_b"));
        assert_ne!(key(&a), key(&b));
        // Of several, the one that was shown last votes.
        assert_eq!(key(&a.clone().and(elsewhere).and(b.clone())), key(&b));
        assert_eq!(key(&a.clone().and(b.clone()).and(a.clone())), key(&a));
        assert!(a.votes_as(&b.clone().and(a.clone()), poll.id));
        assert!(!a.votes_as(&b, poll.id));
    }

    #[test]
    fn members_vote_as_themselves_whatever_they_are() {
        let (now, ids) = (FakeClock::default().now(), SeededIds::new(1));
        let project = ProjectRef {
            id: ProjectId::from_bytes([3; 16]),
            workspace: WorkspaceId::from_bytes([4; 16]),
        };
        let new = NewPoll::single("?", ["a", "b"])
            .voters(Voters::Members)
            .in_project(project.id);
        let validated = new.validate(&Actor::user(ADA), None, now, &ids, &PollLimits::default());
        let poll = Poll {
            project: Some(project),
            ..validated.unwrap().0
        };
        let (ada, bob) = (Actor::user(ADA), Actor::user(BOB));
        let (system, nobody) = (Actor::System, Actor::anonymous());
        for role in WorkspaceRole::ALL {
            let members = Memberships::from([(BOB, role)]);
            let code = |actor, name| {
                let key = voter(actor, &poll, &members, &name);
                key.err().map(|error| error.code())
            };
            // Having created the poll makes nobody a member.
            assert_eq!(code(&ada, Voter::Caller), Some(Code::Forbidden));
            assert_eq!(code(&bob, Voter::Caller), None);
            assert_eq!(code(&bob, Voter::user(BOB)), None);
            assert_eq!(code(&bob, Voter::user(ADA)), Some(Code::Forbidden));
            assert_eq!(code(&bob, Voter::anyone("x")), Some(Code::Forbidden));
            assert_eq!(code(&nobody, Voter::Caller), Some(Code::Unauthorized));
            assert_eq!(code(&system, Voter::Caller), Some(Code::VoterRequired));
            assert_eq!(code(&system, Voter::user(BOB)), None);
            assert_eq!(code(&system, Voter::user(ADA)), Some(Code::Forbidden));
            let key = voter(&bob, &poll, &members, &Voter::Caller).unwrap();
            assert_eq!(key.as_bytes(), BOB.as_bytes());
        }
    }

    #[test]
    fn voters_of_different_kinds_never_share_a_key() {
        let key =
            |actor, kind, name| voter(actor, &poll(kind), &Memberships::none(), &name).unwrap();
        let anyone = key(&Actor::System, Voters::Anyone, Voter::anyone("x"));
        let vouched = key(&Actor::System, Voters::Vouched, Voter::vouched("x"));
        let user = key(&Actor::user(ADA), Voters::Registered, Voter::Caller);
        assert_ne!(anyone, vouched);
        assert_eq!(user.as_bytes(), ADA.as_bytes());
        // printf 'anyone\0x' | sha256sum
        let expected = [0x04, 0x40];
        assert_eq!(anyone.as_bytes()[..2], expected);
    }

    #[test]
    fn a_voter_has_from_1_to_200_bytes() {
        let code = |id: String| {
            voter(
                &Actor::anonymous(),
                &poll(Voters::Anyone),
                &Memberships::none(),
                &Voter::anyone(id),
            )
            .err()
            .map(|error| error.code())
        };
        assert_eq!(code(String::new()), Some(Code::Invalid));
        assert_eq!(code("é".repeat(100)), None);
        assert_eq!(code("é".repeat(101)), Some(Code::Invalid));
    }
}
