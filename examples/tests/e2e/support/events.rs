//! Reads server-sent events.

use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::Value;
use std::time::Duration;
use tokio::time::timeout;

/// More than any event takes to come, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Reads until final results come, and returns them.
pub(crate) async fn until_final(response: &mut http::Response<Incoming>) -> Value {
    let read = async {
        let mut text = String::new();
        loop {
            let frame = response
                .body_mut()
                .frame()
                .await
                .expect("the stream goes on")
                .expect("it can be read");
            text.push_str(
                std::str::from_utf8(frame.data_ref().expect("no trailers")).expect("it is text"),
            );
            while let Some((event, rest)) = text.split_once("\n\n") {
                let data = event.lines().find_map(|line| line.strip_prefix("data:"));
                let data: Option<Value> = data.and_then(|data| serde_json::from_str(data).ok());
                text = rest.to_owned();
                if let Some(results) = data.filter(|data| data["final"] == true) {
                    return results;
                }
            }
        }
    };
    timeout(PATIENCE, read)
        .await
        .expect("the final result comes")
}
