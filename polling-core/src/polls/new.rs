//! A poll as somebody asks for it, and how it becomes a valid one.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::fields;
use super::model::{Poll, ShowResults, Status, Voters, Window};
use super::step::Step;
use crate::results::Tally;
use crate::settings::PollLimits;
use crate::{Actor, FieldError, IdSource, PollId, ProjectId, Timestamp, TokenHash};

/// A poll as somebody asks for it: raw input, checked when it is created. It is also the JSON body of `POST /polls`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct NewPoll {
    /// What it asks: 1 to 500 characters.
    #[serde(alias = "title")]
    pub question: Option<String>,
    /// What it says about itself: up to 10,000 characters.
    pub description: Option<String>,
    /// 2 to 255 different texts of 1 to 200 characters.
    pub options: Vec<NewOption>,
    /// How many options a ballot selects; one, where it is not said.
    pub choice: Option<NewChoice>,
    /// Who may vote; where it is not said, it follows from who creates the poll: `registered` for a user, `vouched` for
    /// the application itself, else `anyone`.
    pub voters: Option<Voters>,
    /// Who sees the results, and when; always, where it is not said.
    pub show_results: Option<ShowResults>,
    /// Whether voters may change and withdraw their vote.
    pub allow_change: bool,
    /// Whether it shows in the public list.
    pub listed: bool,
    /// When it begins to take votes; at its publication, where it is not said.
    pub opens_at: Option<Timestamp>,
    /// When it ends; by hand, where it is not said.
    #[serde(alias = "expired_at")]
    pub closes_at: Option<Timestamp>,
    /// The project that it shall belong to; the creator, where it is not said.
    pub project_id: Option<ProjectId>,
    /// Whether it is published in the same step; `None` leaves it a draft, but for the aliases of older systems.
    pub publish: Option<bool>,
}

/// An option as somebody asks for it: in JSON a text, or an object that holds one.
#[derive(Clone, Debug)]
pub struct NewOption {
    /// What the option says.
    pub text: String,
}

impl<T: Into<String>> From<T> for NewOption {
    fn from(text: T) -> Self {
        Self { text: text.into() }
    }
}

impl<'de> Deserialize<'de> for NewOption {
    /// By hand, because an untagged enum would pass over the fields that it does not know.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Object {
            text: String,
        }

        struct TextOrObject;

        impl<'de> Visitor<'de> for TextOrObject {
            type Value = NewOption;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, or an object with a text")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<NewOption, E> {
                Ok(NewOption {
                    text: text.to_owned(),
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<NewOption, A::Error> {
                let object = Object::deserialize(MapAccessDeserializer::new(map))?;
                Ok(NewOption { text: object.text })
            }
        }

        deserializer.deserialize_any(TextOrObject)
    }
}

/// A choice as somebody asks for it.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct NewChoice {
    /// One option, or several.
    #[serde(rename = "type")]
    pub kind: ChoiceKind,
    /// Of several, at least so many; 1, where it is not said.
    #[serde(default)]
    pub min: Option<u32>,
    /// Of several, at most so many; all, where it is not said.
    #[serde(default)]
    pub max: Option<u32>,
}

impl NewChoice {
    /// Exactly one option.
    #[must_use]
    pub const fn single() -> Self {
        Self {
            kind: ChoiceKind::Single,
            min: None,
            max: None,
        }
    }

    /// From `min` to `max` options.
    #[must_use]
    pub const fn multiple(min: u32, max: u32) -> Self {
        Self {
            kind: ChoiceKind::Multiple,
            min: Some(min),
            max: Some(max),
        }
    }
}

/// What sort of choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChoiceKind {
    /// Exactly one option.
    Single,
    /// From `min` to `max` options.
    Multiple,
}

impl NewPoll {
    /// A poll in which a ballot selects one option.
    pub fn single<T: Into<String>>(
        question: impl Into<String>,
        options: impl IntoIterator<Item = T>,
    ) -> Self {
        Self {
            question: Some(question.into()),
            options: options.into_iter().map(NewOption::from).collect(),
            ..Self::default()
        }
    }

    /// A poll in which a ballot selects from `min` to `max` options.
    pub fn multiple<T: Into<String>>(
        question: impl Into<String>,
        options: impl IntoIterator<Item = T>,
        min: u8,
        max: u8,
    ) -> Self {
        let choice = NewChoice::multiple(min.into(), max.into());
        Self {
            choice: Some(choice),
            ..Self::single(question, options)
        }
    }

    /// Published in the same step.
    #[must_use]
    pub fn published(mut self) -> Self {
        self.publish = Some(true);
        self
    }

    /// With another kind of voters.
    #[must_use]
    pub fn voters(mut self, voters: Voters) -> Self {
        self.voters = Some(voters);
        self
    }

    /// With another visibility of its results.
    #[must_use]
    pub fn show_results(mut self, show_results: ShowResults) -> Self {
        self.show_results = Some(show_results);
        self
    }

    /// Whose voters may change and withdraw their vote.
    #[must_use]
    pub fn allow_change(mut self) -> Self {
        self.allow_change = true;
        self
    }

    /// That shows in the public list.
    #[must_use]
    pub fn listed(mut self) -> Self {
        self.listed = true;
        self
    }

    /// That begins to take votes at `at`.
    #[must_use]
    pub fn opens_at(mut self, at: Timestamp) -> Self {
        self.opens_at = Some(at);
        self
    }

    /// That ends at `at`.
    #[must_use]
    pub fn closes_at(mut self, at: Timestamp) -> Self {
        self.closes_at = Some(at);
        self
    }

    /// That belongs to a project.
    #[must_use]
    pub fn in_project(mut self, project: ProjectId) -> Self {
        self.project_id = Some(project);
        self
    }

    /// The poll that this asks for, created by `actor` at `now`, with `manage_token` where it has no account. In which
    /// project, if any, is for the caller to find and to write into it.
    ///
    /// # Errors
    /// Every field that breaks a rule.
    pub(crate) fn validate(
        &self,
        actor: &Actor,
        manage_token: Option<TokenHash>,
        now: Timestamp,
        ids: &dyn IdSource,
        limits: &PollLimits,
    ) -> Result<(Poll, Tally), Vec<FieldError>> {
        let mut errors = Vec::new();
        let question = fields::question(self.question.as_deref(), limits, &mut errors);
        let description = fields::description(self.description.as_deref(), limits, &mut errors);
        let options = fields::options(&self.options, now, ids, limits, &mut errors);
        let choice = fields::choice(self.choice, self.options.len(), &mut errors);
        let window = fields::window(
            Window {
                opens_at: self.opens_at,
                closes_at: self.closes_at,
            },
            now,
            &mut errors,
        );
        let voters = self.voters.unwrap_or(match actor {
            Actor::System => Voters::Vouched,
            Actor::Caller(_) if actor.user_id().is_some() => Voters::Registered,
            Actor::Caller(_) => Voters::Anyone,
        });
        fields::voters(voters, self.project_id.is_some(), &mut errors);
        let (Some(question), Some(options)) = (question, options) else {
            return Err(errors);
        };
        if !errors.is_empty() {
            return Err(errors);
        }
        let poll = Poll {
            id: PollId::new(now, ids),
            question,
            description,
            choice,
            voters,
            allow_change: self.allow_change,
            listed: self.listed,
            creator: actor.user_id(),
            project: None,
            manage_token,
            version: 1,
            created_at: now,
            updated_at: now,
            options,
        };
        let mut tally = Tally::new(
            &poll,
            window,
            self.show_results.unwrap_or(ShowResults::Always),
        );
        if self.publish == Some(true) {
            tally = Step::Publish { version: 1 }
                .take(&poll, &tally, now)
                .unwrap_or(tally);
            debug_assert_ne!(
                tally.status,
                Status::Draft,
                "a new poll can always be published"
            );
        }
        Ok((poll, tally))
    }
}
