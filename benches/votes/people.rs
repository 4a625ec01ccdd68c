//! Voters who prove who they are: signed-in users, members of a workspace, and those who hold a vote token.
//!
//! They are made through the engine, the first time that a case asks for them, and stay for the rounds that follow.

use futures_util::future::try_join_all;
use polling_core::polls::Voters;
use polling_core::users::{Credentials, NewUser, Users};
use polling_core::vote_tokens::NewVoteTokens;
use polling_core::workspaces::{NewInvitation, NewProject, NewWorkspace, WorkspaceRole};
use polling_core::{Actor, Engine, ProjectId, UserId};

use crate::Outcome;
use crate::bed::{MANY, Poll, create_polls, for_anyone};
use crate::load::Shared;

/// What a voter has to prove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// That they are signed in.
    Registered,
    /// That they hold one of the poll's tokens.
    Tokens,
    /// That they are a member of the poll's workspace.
    Members,
}

impl Proof {
    /// The polls that ask for it.
    fn voters(self) -> Voters {
        match self {
            Self::Registered => Voters::Registered,
            Self::Tokens => Voters::Tokens,
            Self::Members => Voters::Members,
        }
    }
}

/// People, and the polls that they vote in.
#[derive(Clone)]
pub(crate) struct People {
    pub(crate) polls: Shared<Poll>,
    /// Of each person, what they send as `Authorization: Bearer`: one for each poll, or one for all of them.
    pub(crate) credentials: Shared<Shared<String>>,
}

impl People {
    /// So many people, and [`MANY`] polls, in each of which each of them may vote once.
    pub(crate) async fn make(engine: &Engine, proof: Proof, people: usize) -> Outcome<Self> {
        let accounts = match proof {
            Proof::Tokens => Vec::new(),
            Proof::Registered | Proof::Members => sign_in(engine, proof, people).await?,
        };
        let project = match proof {
            Proof::Members => Some(workspace_of(engine, &accounts).await?),
            Proof::Registered | Proof::Tokens => None,
        };
        let polls = create_polls(engine, MANY, |number| {
            let new = for_anyone(number).voters(proof.voters());
            match project {
                Some(project) => new.in_project(project),
                None => new,
            }
        })
        .await?;
        let credentials = match proof {
            Proof::Tokens => vote_tokens(engine, &polls, people).await?,
            Proof::Registered | Proof::Members => {
                let one = |account: Account| Shared::from([account.token]);
                accounts.into_iter().map(one).collect()
            }
        };
        Ok(Self {
            polls: polls.into(),
            credentials: credentials.into(),
        })
    }
}

struct Account {
    id: UserId,
    email: String,
    token: String,
}

/// Signs people up and in, a few at a time: hashing a password takes long.
async fn sign_in(engine: &Engine, proof: Proof, people: usize) -> Outcome<Vec<Account>> {
    let users = engine.users().ok_or("the store keeps no accounts")?;
    let mut accounts = Vec::with_capacity(people);
    for first in (0..people).step_by(8) {
        let some = (first..(first + 8).min(people))
            .map(|number| account(users, format!("{proof:?}{number}@example.org")));
        accounts.extend(try_join_all(some).await?);
    }
    Ok(accounts)
}

async fn account(users: &Users, email: String) -> Outcome<Account> {
    const PASSWORD: &str = "violet harbour at nine";
    let new = NewUser::new("Ada", &*email, PASSWORD);
    let id = users.create(&Actor::System, new).await?.id;
    let credentials = Credentials::new(&*email, PASSWORD);
    let token = users.sign_in(&Actor::anonymous(), credentials).await?;
    Ok(Account {
        id,
        email,
        token: token.access_token,
    })
}

/// A workspace of which these are members, and a project in it.
async fn workspace_of(engine: &Engine, accounts: &[Account]) -> Outcome<ProjectId> {
    let workspaces = engine.workspaces().ok_or("the store keeps no workspaces")?;
    let [owner, others @ ..] = accounts else {
        return Err("a workspace needs an owner".into());
    };
    let new = NewWorkspace::named("Kitchen").owned_by(owner.id);
    let workspace = workspaces.create(&Actor::System, new).await?;
    for account in others {
        let invitation = NewInvitation::of(&*account.email, WorkspaceRole::Viewer);
        let invited = workspaces
            .invite(&Actor::System, workspace.id, invitation)
            .await?;
        workspaces
            .accept(&Actor::user(account.id), invited.id)
            .await?;
    }
    let project = workspaces
        .create_project(&Actor::System, workspace.id, NewProject::named("Lunch"))
        .await?;
    Ok(project.id)
}

/// A token for each person in each poll.
async fn vote_tokens(
    engine: &Engine,
    polls: &[Poll],
    people: usize,
) -> Outcome<Vec<Shared<String>>> {
    let vote_tokens = engine.vote_tokens().ok_or("the store keeps no tokens")?;
    let mut of_people = vec![Vec::with_capacity(polls.len()); people];
    for poll in polls {
        let new = NewVoteTokens::count(people);
        let made = vote_tokens.make(&Actor::System, poll.id, &new).await?;
        for (person, token) in of_people.iter_mut().zip(made.tokens) {
            person.push(token);
        }
    }
    Ok(of_people.into_iter().map(Shared::from).collect())
}
