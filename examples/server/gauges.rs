//! What the server itself adds to the metrics.

use polling_http::server::ServerGauges;

/// Copies what waits for clients at the moment.
pub(crate) fn record(server: &ServerGauges) {
    let bytes = server.answer_bytes() as f64;
    metrics::gauge!("polling_http_answer_bytes").set(bytes);
    metrics::counter!("polling_http_streams_reset_total").absolute(server.streams_ended());
    metrics::counter!("polling_http_connections_closed_total")
        .absolute(server.connections_closed());
    metrics::counter!("polling_http_answers_refused_total").absolute(server.answers_refused());
}
