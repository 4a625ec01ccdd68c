//! What can be asked about the server itself.

use http::Method;

use super::operation::operation;
use super::{OK, Room};
use crate::routes::features::Features;

pub(super) fn room() -> Room {
    Room {
        name: "This server",
        says: "What it lets people do.",
        operations: vec![
            operation(
                Method::GET,
                "/api/v1/features",
                "readFeatures",
                "What is switched on",
            )
            .says("What is switched off is 403 `feature_off`; creating a poll without an account then is 401.")
            .answers::<Features>(OK, "What is switched on"),
        ],
    }
}
