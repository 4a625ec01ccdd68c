//! The WebSocket face of the polling engine, on tokio-tungstenite.
