//! Changing a poll: what may change in which status, as a pure rule.

use serde::Deserialize;

use super::error::PollError;
use super::fields;
use super::model::{Choice, Poll, PollRecord, ShowResults, Status, Voters, Window};
use super::new::{NewChoice, NewOption};
use crate::settings::PollLimits;
use crate::wire::present;
use crate::{Code, FieldError, IdSource, Timestamp};

/// A change to a poll, as somebody asks for it: what is `None` stays as it is. It is also the JSON body of a PATCH.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct PollPatch {
    /// The version that the change was made for; another one is a conflict.
    #[serde(deserialize_with = "present")]
    pub version: Option<u64>,
    /// Another question.
    #[serde(alias = "title", deserialize_with = "present")]
    pub question: Option<String>,
    /// Another description, or none.
    #[serde(deserialize_with = "present")]
    pub description: Option<Option<String>>,
    /// Other options: they replace all.
    #[serde(deserialize_with = "present")]
    pub options: Option<Vec<NewOption>>,
    /// Another choice.
    #[serde(deserialize_with = "present")]
    pub choice: Option<NewChoice>,
    /// Other voters.
    #[serde(deserialize_with = "present")]
    pub voters: Option<Voters>,
    /// Another visibility.
    #[serde(deserialize_with = "present")]
    pub show_results: Option<ShowResults>,
    /// Whether votes may be changed.
    #[serde(deserialize_with = "present")]
    pub allow_change: Option<bool>,
    /// Whether it is listed.
    #[serde(deserialize_with = "present")]
    pub listed: Option<bool>,
    /// Another beginning, or none.
    #[serde(deserialize_with = "present")]
    pub opens_at: Option<Option<Timestamp>>,
    /// Another end, or none.
    #[serde(alias = "expired_at", deserialize_with = "present")]
    pub closes_at: Option<Option<Timestamp>>,
}

/// A change that was judged against one version of a poll in one status, and holds for no other.
#[derive(Clone, Debug)]
pub struct PollEdit {
    /// The poll as it shall be; its version is one more than the one that was judged.
    pub poll: Poll,
    /// The window as it shall be.
    pub window: Window,
    /// The visibility as it shall be.
    pub show_results: ShowResults,
    /// The status that was judged: in another one the change is stale.
    pub judged_status: Status,
    /// Whether the options are others than before.
    pub options_changed: bool,
    /// Whether viewers can tell: the end or the visibility moved, so the revision does.
    pub revises: bool,
}

/// The fields that a status may lock.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    Question,
    Description,
    Options,
    Choice,
    Voters,
    ShowResults,
    AllowChange,
    Listed,
    OpensAt,
    ClosesAt,
}

impl Field {
    fn pointer(self) -> &'static str {
        match self {
            Field::Question => "/question",
            Field::Description => "/description",
            Field::Options => "/options",
            Field::Choice => "/choice",
            Field::Voters => "/voters",
            Field::ShowResults => "/show_results",
            Field::AllowChange => "/allow_change",
            Field::Listed => "/listed",
            Field::OpensAt => "/opens_at",
            Field::ClosesAt => "/closes_at",
        }
    }

    /// The one table of what can change when.
    fn may_change(self, status: Status) -> bool {
        match status {
            Status::Draft => true,
            Status::Scheduled => !matches!(self, Field::Options | Field::Choice | Field::Voters),
            Status::Open => {
                matches!(
                    self,
                    Field::Description | Field::ClosesAt | Field::ShowResults | Field::Listed
                )
            }
            Status::Closing | Status::Closed => {
                matches!(
                    self,
                    Field::Description | Field::ShowResults | Field::Listed
                )
            }
        }
    }
}

impl PollPatch {
    /// The edit that this asks for; `None` where it changes nothing.
    ///
    /// # Errors
    /// `Invalid`, `VersionConflict`, `Fixed` or `Closed`, each with its fields.
    pub(crate) fn judge(
        &self,
        record: &PollRecord,
        now: Timestamp,
        ids: &dyn IdSource,
        limits: &PollLimits,
    ) -> Result<Option<PollEdit>, PollError> {
        let (old, tally) = (&*record.poll, &record.tally);
        if let Some(version) = self.version
            && version != old.version
        {
            return Err(PollError::VersionConflict {
                current: old.version,
            });
        }
        let mut errors = Vec::new();
        let mut edit = PollEdit {
            poll: old.clone(),
            window: tally.window,
            show_results: self.show_results.unwrap_or(tally.show_results),
            judged_status: tally.status,
            options_changed: false,
            revises: false,
        };
        self.apply(&mut edit, now, ids, limits, &mut errors);
        let changed = changed_fields(record, &edit);
        if changed
            .iter()
            .any(|field| matches!(field, Field::OpensAt | Field::ClosesAt))
        {
            fields::window(edit.window, now, &mut errors);
        }
        locked(&changed, tally.status)?;
        if !errors.is_empty() {
            return Err(PollError::Invalid(errors));
        }
        if changed.is_empty() {
            return Ok(None);
        }
        edit.options_changed = changed.contains(&Field::Options);
        edit.revises = changed
            .iter()
            .any(|field| matches!(field, Field::ShowResults | Field::ClosesAt));
        edit.poll.version += 1;
        edit.poll.updated_at = now;
        Ok(Some(edit))
    }

    fn apply(
        &self,
        edit: &mut PollEdit,
        now: Timestamp,
        ids: &dyn IdSource,
        limits: &PollLimits,
        errors: &mut Vec<FieldError>,
    ) {
        let poll = &mut edit.poll;
        if let Some(text) = &self.question
            && let Some(question) = fields::question(Some(text), limits, errors)
        {
            poll.question = question;
        }
        if let Some(text) = &self.description {
            poll.description = fields::description(text.as_deref(), limits, errors);
        }
        if let Some(options) = &self.options
            && let Some(options) = fields::options(options, now, ids, limits, errors)
            && !options
                .iter()
                .map(|option| &option.text)
                .eq(poll.options.iter().map(|option| &option.text))
        {
            poll.options = options;
        }
        if self.choice.is_some() {
            poll.choice = fields::choice(self.choice, poll.options.len(), errors);
        } else if let Choice::Multiple { max, .. } = poll.choice
            && usize::from(max) > poll.options.len()
        {
            errors.push(FieldError::invalid(
                "/choice/max",
                "is more than there would be options",
            ));
        }
        if let Some(voters) = self.voters {
            fields::voters(voters, poll.project.is_some(), errors);
            poll.voters = voters;
        }
        poll.allow_change = self.allow_change.unwrap_or(poll.allow_change);
        poll.listed = self.listed.unwrap_or(poll.listed);
        let beginning = edit.window.opens_at;
        edit.window.opens_at = self.opens_at.unwrap_or(beginning);
        if edit.judged_status == Status::Scheduled
            && beginning.is_some()
            && edit.window.opens_at.is_none()
        {
            // Without a beginning, a published poll is open: its time is now.
            edit.window.opens_at = Some(now);
        }
        edit.window.closes_at = self.closes_at.unwrap_or(edit.window.closes_at);
    }
}

/// A field that is sent with the value it has is no change: clients may send back what they read.
fn changed_fields(record: &PollRecord, edit: &PollEdit) -> Vec<Field> {
    let (old, new, tally) = (&*record.poll, &edit.poll, &record.tally);
    [
        (Field::Question, old.question != new.question),
        (Field::Description, old.description != new.description),
        (Field::Options, old.options != new.options),
        (Field::Choice, old.choice != new.choice),
        (Field::Voters, old.voters != new.voters),
        (Field::ShowResults, tally.show_results != edit.show_results),
        (Field::AllowChange, old.allow_change != new.allow_change),
        (Field::Listed, old.listed != new.listed),
        (
            Field::OpensAt,
            tally.window.opens_at != edit.window.opens_at,
        ),
        (
            Field::ClosesAt,
            tally.window.closes_at != edit.window.closes_at,
        ),
    ]
    .into_iter()
    .filter_map(|(field, changed)| changed.then_some(field))
    .collect()
}

fn locked(changed: &[Field], status: Status) -> Result<(), PollError> {
    let over = status >= Status::Closing;
    let (code, detail) = if over {
        (Code::PollClosed, "cannot change: the poll is over")
    } else {
        (
            Code::OptionsFixed,
            "cannot change since the poll was published",
        )
    };
    let fields: Vec<FieldError> = changed
        .iter()
        .filter(|field| !field.may_change(status))
        .map(|field| FieldError::new(field.pointer(), code, detail))
        .collect();
    match (fields.is_empty(), over) {
        (true, _) => Ok(()),
        (false, true) => Err(PollError::Closed(fields)),
        (false, false) => Err(PollError::Fixed(fields)),
    }
}

#[cfg(test)]
mod tests;
