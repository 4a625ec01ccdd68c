//! The schemas of votes.

use std::borrow::Cow;

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{
    AllOfBuilder, AnyOfBuilder, ArrayBuilder, ObjectBuilder, Schema, SchemaType, Type,
};
use utoipa::{PartialSchema, ToSchema};

use super::{named, of_type, or_null, text, with_one_of};
use crate::settings::Settings;
use crate::votes::{BatchBody, VoteBody};
use crate::{BallotId, OptionId};

named!(
    VoteBody,
    "VoteBody",
    vote_of(
        vote_fields(&["option_id"], &["voter"]),
        &["option_id", "option_ids"]
    )
);
named!(BatchBody, "BatchBody", batch());

/// A vote as clients of older systems send it: the same, under their names too.
#[derive(Debug)]
pub struct OldVoteBody;

named!(OldVoteBody, "OldVoteBody", old_vote());

/// A vote that names its poll, as clients of older systems send it.
#[derive(Debug)]
pub struct OldVoteInPoll;

named!(OldVoteInPoll, "OldVoteInPoll", {
    let in_poll = of_type(Type::Object)
        .property("poll_id", crate::openapi::id("The poll."))
        .property("pollId", crate::openapi::id("The same."));
    old_vote()
        .item(in_poll)
        .item(with_one_of(&["poll_id", "pollId"]))
});

fn old_vote() -> AllOfBuilder {
    vote_of(
        vote_fields(&["option_id", "optionId"], &["voter", "user_id", "userId"]),
        &["option_id", "optionId", "option_ids"],
    )
}

fn vote_of(fields: ObjectBuilder, needed: &[&str]) -> AllOfBuilder {
    AllOfBuilder::new().item(fields).item(with_one_of(needed))
}

fn vote_fields(option: &[&str], voter: &[&str]) -> ObjectBuilder {
    let object = of_type(Type::Object);
    let object = option.iter().fold(object, |object, name| {
        object.property(
            *name,
            or_null(OptionId::schema()).description(Some("The option.")),
        )
    });
    let object = voter.iter().fold(object, |object, name| {
        let who = "Who votes, in 1 to 200 bytes; absent where registered users vote.";
        object.property(*name, or_null(text(1, 200)).description(Some(who)))
    });
    let several = ArrayBuilder::new().items(OptionId::schema());
    object
        .property("option_ids", or_null(several).description(Some(
            "Instead of one option: several, each once.",
        )))
        .property("ballot_id", or_null(BallotId::schema()).description(Some(
            "By which a retry is told from a second vote; the same as the header Idempotency-Key.",
        )))
}

fn batch() -> ObjectBuilder {
    // One that is broken spoils no other: it is taken, and answered by itself.
    let vote = AnyOfBuilder::new()
        .item(VoteBody::schema())
        .item(ObjectBuilder::new().schema_type(SchemaType::AnyValue))
        .description(Some("A vote. What is none is answered 422 in its place."));
    let ballots = ArrayBuilder::new()
        .items(vote)
        .max_items(Some(Settings::default().request_ballots));
    of_type(Type::Object)
        .property("ballots", ballots)
        .required("ballots")
}
