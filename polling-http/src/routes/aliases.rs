//! The routes of older systems, so that their clients work unchanged. They pass over fields that we do not know, and a
//! new poll is published at once unless its creator says otherwise; all else is as under `/api/v1`.

use http::Method;
use polling_core::wire::UnknownFields;
use polling_core::{NewPoll, PollId};
use serde::Deserialize;

use super::{polls, votes};
use crate::request::Call;
use crate::response::Answer;
use crate::router::{Route, Takes};

pub(super) fn routes() -> [Route; 4] {
    [
        Route::alias("/polls")
            .get(polls::list)
            .many()
            .post(Takes::Json, create)
            .checked(polls::may_create),
        Route::alias("/polls/{id}")
            .get(polls::read)
            .on(Method::PATCH, Takes::Json, polls::edit)
            .checked(polls::may_edit)
            .on(Method::DELETE, Takes::Nothing, polls::delete),
        Route::alias("/polls/{id}/vote")
            .post(Takes::Json, votes::cast)
            .checked(votes::may_cast)
            .small(),
        Route::alias("/vote").post(Takes::Json, vote).small(),
    ]
}

async fn create(call: Box<Call>) -> Answer {
    let mut new: NewPoll = call.json()?;
    new.publish.get_or_insert(true);
    let poll = call.engine.polls().create(&call.actor, new).await?;
    polls::created(&call, &poll).await
}

/// The field that a vote has here beside those of every vote.
#[derive(Deserialize)]
struct InPoll {
    #[serde(alias = "pollId")]
    poll_id: PollId,
}

async fn vote(call: Box<Call>) -> Answer {
    let InPoll { poll_id } = call.json_with(UnknownFields::PassOver)?;
    let body = call.vote()?;
    votes::cast_in(&call, poll_id, body).await
}
