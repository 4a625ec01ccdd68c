//! The schemas of what polls are made and changed by.

use std::borrow::Cow;

use serde_json::json;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{
    AllOfBuilder, AnyOfBuilder, ArrayBuilder, ObjectBuilder, Schema, Type,
};
use utoipa::{PartialSchema, ToSchema};

use super::{named, of_type, or_null, text, whole, with_one_of, words};
use crate::polls::{ChoiceKind, NewChoice, NewOption, PollPatch, ShowResults, Voters};
use crate::settings::PollLimits;
use crate::{NewPoll, ProjectId, Timestamp};

named!(NewPoll, "NewPoll", new_poll());
named!(PollPatch, "PollPatch", poll_patch());
named!(NewOption, "NewOption", new_option());
named!(NewChoice, "NewChoice", new_choice());

/// The names by which a question and an end are known; the second of each is that of older systems.
const QUESTION: [&str; 2] = ["question", "title"];
const CLOSES_AT: [&str; 2] = ["closes_at", "expired_at"];

fn new_poll() -> AllOfBuilder {
    let limits = PollLimits::default();
    let fields = describing(of_type(Type::Object), &limits)
        .property("options", options(&limits))
        .property("choice", or_null(NewChoice::schema()))
        .property(
            "voters",
            or_null(Voters::schema()).description(Some(
                "Who may vote: `registered` for a signed-in creator, else `anyone`, where it is not said. `members` only \
                 of a poll in a project.",
            )),
        )
        .property("show_results", or_null(ShowResults::schema()))
        .property("allow_change", of_type(Type::Boolean).description(Some(
            "Whether voters may change and withdraw their vote.",
        )))
        .property("listed", of_type(Type::Boolean).description(Some(
            "Whether it shows in the public list.",
        )))
        .property("project_id", or_null(ProjectId::schema()).description(Some(
            "The project that it belongs to, for good; its creator, where it is not said.",
        )))
        .property("publish", or_null(of_type(Type::Boolean)).description(Some(
            "Whether it is published in the same step.",
        )))
        .required("options");
    AllOfBuilder::new()
        .item(fields)
        .item(with_one_of(&QUESTION))
}

fn poll_patch() -> ObjectBuilder {
    let limits = PollLimits::default();
    describing(of_type(Type::Object), &limits)
        .description(Some("What is sent changes, what is absent stays."))
        .property(
            "version",
            of_type(Type::Integer).minimum(Some(0)).description(Some(
                "The version that the change was made for; another one is a conflict.",
            )),
        )
        .property("options", options(&limits))
        .property("choice", NewChoice::schema())
        .property("voters", Voters::schema())
        .property("show_results", ShowResults::schema())
        .property("allow_change", of_type(Type::Boolean))
        .property("listed", of_type(Type::Boolean))
}

/// The fields that a new poll and a change share, but for those that may be null in one of them only.
fn describing(object: ObjectBuilder, limits: &PollLimits) -> ObjectBuilder {
    let question = words(limits.question_chars)
        .description(Some(format!(
            "What it asks: 1 to {} characters.",
            limits.question_chars
        )))
        .build();
    let description =
        or_null(text(0, limits.description_chars)).description(Some("What it says about itself."));
    let opens_at = or_null(Timestamp::schema()).description(Some(
        "When it begins to take votes; at its publication, where it is null.",
    ));
    let closes_at: RefOr<Schema> = or_null(Timestamp::schema())
        .description(Some(
            "When it ends: in the future, and after its beginning; by hand, where it is null.",
        ))
        .into();
    let object = object
        .property("description", description)
        .property("opens_at", opens_at);
    let object = QUESTION.into_iter().fold(object, |object, name| {
        object.property(name, question.clone())
    });
    CLOSES_AT.into_iter().fold(object, |object, name| {
        object.property(name, closes_at.clone())
    })
}

fn options(limits: &PollLimits) -> ArrayBuilder {
    ArrayBuilder::new()
        .items(NewOption::schema())
        .min_items(Some(2))
        .max_items(Some(limits.options))
        .description(Some("Different texts, in order."))
}

fn new_option() -> AnyOfBuilder {
    let says = words(PollLimits::default().option_chars).build();
    let object = of_type(Type::Object)
        .property("text", says.clone())
        .required("text");
    AnyOfBuilder::new().item(says).item(object)
}

fn new_choice() -> ObjectBuilder {
    let most = PollLimits::default().options as u64;
    let bound = |says: &str| or_null(whole(1, most)).description(Some(says.to_owned()));
    let kinds = [ChoiceKind::Single, ChoiceKind::Multiple].map(|kind| match kind {
        ChoiceKind::Single => json!("single"),
        ChoiceKind::Multiple => json!("multiple"),
    });
    of_type(Type::Object)
        .description(Some("How many options a ballot selects."))
        .property("type", of_type(Type::String).enum_values(Some(kinds)))
        .property(
            "min",
            bound("Of several, at least so many; 1, where it is not said."),
        )
        .property(
            "max",
            bound("Of several, at most so many; all, where it is not said."),
        )
        .required("type")
}
