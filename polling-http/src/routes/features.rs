//! What this server lets people do: so that a page can leave out what would be refused.

use http::StatusCode;
use serde::Serialize;

use crate::request::Call;
use crate::response::{self, Answer};
use crate::router::Route;

pub(super) fn routes() -> [Route; 1] {
    [Route::at("/api/v1/features").get(read).small()]
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub(crate) struct Features {
    /// People may sign up.
    sign_up: bool,
    /// Polls may be created without an account.
    anonymous_polls: bool,
    /// Administrators may import users.
    import: bool,
    /// There are pages about the API.
    docs: bool,
}

async fn read(call: Box<Call>) -> Answer {
    let features = &call.engine.settings().features;
    // Without accounts there is nobody to sign up or to import.
    #[cfg(feature = "accounts")]
    let accounts = call.engine.users().is_some();
    #[cfg(not(feature = "accounts"))]
    let accounts = false;
    let features = Features {
        sign_up: features.sign_up && accounts,
        anonymous_polls: features.anonymous_polls,
        import: features.import && accounts,
        docs: call.settings.docs && cfg!(feature = "docs"),
    };
    response::json(StatusCode::OK, &features)
}
