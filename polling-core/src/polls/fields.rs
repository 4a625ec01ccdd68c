//! The rules of a poll's fields, the same for a new poll and for an edited one. Each reports what is wrong and goes on, so
//! that all errors are told at once.

use std::collections::HashMap;

use super::model::{Choice, Description, OptionText, PollOption, Question, Voters, Window};
use super::new::{ChoiceKind, NewChoice, NewOption};
use crate::settings::{MOST_OPTIONS, PollLimits};
use crate::{FieldError, IdSource, OptionId, Timestamp};

pub(super) fn question(
    text: Option<&str>,
    limits: &PollLimits,
    errors: &mut Vec<FieldError>,
) -> Option<Question> {
    let parsed = match text {
        Some(text) => Question::parse(text, limits.question_chars),
        None => Err("is needed".into()),
    };
    parsed
        .map_err(|detail| errors.push(FieldError::invalid("/question", detail)))
        .ok()
}

/// Members vote in polls of a workspace, which are those of its projects.
pub(super) fn voters(voters: Voters, in_project: bool, errors: &mut Vec<FieldError>) {
    if voters == Voters::Members && !in_project {
        let detail = "can be members only in a poll that belongs to a project";
        errors.push(FieldError::invalid("/voters", detail));
    }
}

/// An empty description is none.
pub(super) fn description(
    text: Option<&str>,
    limits: &PollLimits,
    errors: &mut Vec<FieldError>,
) -> Option<Description> {
    let text = text.filter(|text| !text.trim().is_empty())?;
    Description::parse(text, limits.description_chars)
        .map_err(|detail| errors.push(FieldError::invalid("/description", detail)))
        .ok()
}

pub(super) fn options(
    new: &[NewOption],
    now: Timestamp,
    ids: &dyn IdSource,
    limits: &PollLimits,
    errors: &mut Vec<FieldError>,
) -> Option<Vec<PollOption>> {
    let most = limits.options.min(MOST_OPTIONS);
    if new.len() < 2 || new.len() > most {
        errors.push(FieldError::invalid(
            "/options",
            format!("a poll has from 2 to {most} options, not {}", new.len()),
        ));
        return None;
    }
    let before = errors.len();
    let mut first_with: HashMap<OptionText, usize> = HashMap::with_capacity(new.len());
    let mut options = Vec::with_capacity(new.len());
    for (position, option) in new.iter().enumerate() {
        let pointer = format!("/options/{position}");
        match OptionText::parse(&option.text, limits.option_chars) {
            Err(detail) => errors.push(FieldError::invalid(pointer, detail)),
            Ok(text) => {
                if let Some(first) = first_with.insert(text.clone(), position) {
                    errors.push(FieldError::invalid(
                        pointer,
                        format!("says the same as option {first}"),
                    ));
                }
                options.push(PollOption {
                    id: OptionId::new(now, ids),
                    text,
                });
            }
        }
    }
    (errors.len() == before).then_some(options)
}

pub(super) fn choice(
    new: Option<NewChoice>,
    options: usize,
    errors: &mut Vec<FieldError>,
) -> Choice {
    let Some(new) = new else {
        return Choice::Single;
    };
    if new.kind == ChoiceKind::Single {
        for (pointer, bound) in [("/choice/min", new.min), ("/choice/max", new.max)] {
            if bound.is_some_and(|bound| bound != 1) {
                errors.push(FieldError::invalid(pointer, "belongs to a multiple choice"));
            }
        }
        return Choice::Single;
    }
    let options = u32::try_from(options).unwrap_or(u32::MAX);
    let (min, max) = (new.min.unwrap_or(1), new.max.unwrap_or(options));
    if min < 1 {
        errors.push(FieldError::invalid("/choice/min", "must be at least 1"));
    }
    if max > options {
        errors.push(FieldError::invalid(
            "/choice/max",
            format!("must not be more than the {options} options"),
        ));
    }
    if min > max {
        errors.push(FieldError::invalid(
            "/choice/max",
            format!("must not be less than min, {min}"),
        ));
    }
    // What does not fit was reported above.
    Choice::Multiple {
        min: u8::try_from(min).unwrap_or(1),
        max: u8::try_from(max).unwrap_or(1),
    }
}

pub(super) fn window(window: Window, now: Timestamp, errors: &mut Vec<FieldError>) -> Window {
    if let Some(closes_at) = window.closes_at {
        if closes_at <= now {
            errors.push(FieldError::invalid(
                "/closes_at",
                format!("must not be in the past; it is {now} now"),
            ));
        } else if window
            .opens_at
            .is_some_and(|opens_at| opens_at >= closes_at)
        {
            errors.push(FieldError::invalid(
                "/closes_at",
                "must be later than opens_at",
            ));
        }
    }
    window
}
