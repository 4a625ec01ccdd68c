//! Polls: create, list, read, change, publish, close, delete.

use http::{HeaderValue, Method, StatusCode, header};
use polling_core::limits::Rule;
use polling_core::polls::{PageRequest, PollPatch};
use polling_core::{NewPoll, PollView};

use crate::limits;
use crate::problem::Problem;
use crate::request::Call;
use crate::response::{self, Answer};
use crate::router::{Checked, Route, Takes};

pub(super) fn routes() -> [Route; 4] {
    [
        Route::at("/api/v1/polls")
            .get(list)
            .many()
            .post(Takes::Json, create)
            .checked(may_create),
        Route::at("/api/v1/polls/{id}")
            .get(read)
            .on(Method::PATCH, Takes::Json, edit)
            .checked(may_edit)
            .on(Method::DELETE, Takes::Nothing, delete),
        Route::at("/api/v1/polls/{id}/publish").post(Takes::Nothing, publish),
        Route::at("/api/v1/polls/{id}/close").post(Takes::Nothing, close),
    ]
}

pub(super) fn may_create(call: &Call) -> Checked<'_> {
    Box::pin(async {
        call.engine.polls().may_create(&call.actor).await?;
        Ok(())
    })
}

pub(super) fn may_edit(call: &Call) -> Checked<'_> {
    Box::pin(async {
        let id = call.poll_id()?;
        call.engine.polls().may_edit(&call.actor, id).await?;
        Ok(())
    })
}

async fn create(call: Box<Call>) -> Answer {
    let new: NewPoll = call.json()?;
    let poll = call.engine.polls().create(&call.actor, new).await?;
    created(&call, &poll).await
}

pub(super) async fn created(call: &Call, poll: &PollView) -> Answer {
    let mut response = response::json(StatusCode::CREATED, poll)?;
    let location = location(call, "polls", &poll.id)?;
    response.headers_mut().insert(header::LOCATION, location);
    Ok(limits::tell(call, Rule::CreatePoll, response).await)
}

/// Where a new thing is found.
pub(super) fn location(
    call: &Call,
    room: &str,
    id: &impl std::fmt::Display,
) -> Result<HeaderValue, Problem> {
    let path = format!("{}/api/v1/{room}/{id}", call.settings.mounted_at);
    HeaderValue::try_from(path).map_err(|error| polling_core::StoreError::internal(error).into())
}

pub(super) async fn list(call: Box<Call>) -> Answer {
    let limit = call.query().parsed("limit", "must be a number from 1 on")?;
    let cursor = call
        .query()
        .parsed("cursor", "must be the next_cursor of a page")?;
    let project = call
        .query()
        .parsed("project_id", "must be the id of a project")?;
    let page = PageRequest::new(limit, cursor).of_project(project);
    let page = call.engine.polls().list(&call.actor, page).await?;
    response::json(StatusCode::OK, &page)
}

pub(super) async fn read(call: Box<Call>) -> Answer {
    let (id, viewer) = (call.poll_id()?, call.viewer()?);
    let poll = call.engine.polls().read(&call.actor, id, viewer).await?;
    response::json(StatusCode::OK, &poll)
}

pub(super) async fn edit(call: Box<Call>) -> Answer {
    let id = call.poll_id()?;
    let patch: PollPatch = call.json()?;
    let poll = call.engine.polls().edit(&call.actor, id, patch).await?;
    response::json(StatusCode::OK, &poll)
}

pub(super) async fn delete(call: Box<Call>) -> Answer {
    let id = call.poll_id()?;
    call.engine.polls().delete(&call.actor, id).await?;
    Ok(response::empty(StatusCode::NO_CONTENT))
}

async fn publish(call: Box<Call>) -> Answer {
    let id = call.poll_id()?;
    let poll = call.engine.polls().publish(&call.actor, id).await?;
    response::json(StatusCode::OK, &poll)
}

async fn close(call: Box<Call>) -> Answer {
    let id = call.poll_id()?;
    let poll = call.engine.polls().close(&call.actor, id).await?;
    response::json(StatusCode::OK, &poll)
}
