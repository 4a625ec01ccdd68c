//! The WebSocket face of the polling engine, on tokio-tungstenite.
//!
//! [`WsApi`] is a `tower::Service` that answers the upgrade; mount it at `/api/v1/ws`. Clients send and get JSON text
//! frames with a `type`; a client may add a `ref`, a text or a number, and the answer to that frame echoes it.
//!
//! | client | server answers |
//! | --- | --- |
//! | `subscribe {poll_id, after_revision?, voter?}` | `results {…}` or `unchanged {poll_id, revision}`, then only newer `results`; `error` `results_hidden` while they are hidden; `poll_deleted {poll_id}` |
//! | `unsubscribe {poll_id}` | `ok` |
//! | `vote {poll_id, option_id or option_ids, voter?, ballot_id?}` | `ack {poll_id, receipt}`, once it is durable |
//! | `authenticate {token}` | `ok`; what tokens prove adds up; a refused one leaves nobody there |
//! | `ping` | `pong` |
//!
//! What fails is answered `error {poll_id?, code, message, errors?, retry_after?}`. Votes are answered as they are recorded, many side by
//! side and in any order; everything else is done in the order in which it comes.
//!
//! Close codes: 1001 the server is leaving, 1002 a broken protocol, 1007 no UTF-8, 1008 too many bad frames, 1009 too big,
//! 1012 the server is restarting, 1013 too slow.
//!
//! The road of a frame: `service` and `handshake` let a connection in, `registry` owns its task, `pump` is its loop, `frame`
//! parses, `session` decides, `work` is under way, `answer` renders, `parting` closes.

mod answer;
mod close;
mod counted;
mod frame;
mod handshake;
mod live;
mod log;
mod origin;
mod parting;
mod problem;
mod pump;
mod registry;
mod service;
mod session;
mod settings;
mod work;

pub use origin::Origins;
pub use service::{Goodbye, WsApi};
pub use settings::WsSettings;
