//! Frames as such: what each is answered with, and what bad ones lead to.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::support::{Client, Server};

#[tokio::test]
async fn a_ref_is_echoed_as_it_was_sent() {
    let server = Server::start().await;
    let mut client = server.client().await;
    for reference in [r#""a""#, "7", "-1.50", r#""\u00e9""#] {
        let ping = format!(r#"{{"type":"ping","ref":{reference}}}"#);
        client.send_message(Message::text(ping)).await;
        let Message::Text(text) = client.message().await else {
            panic!("a text")
        };
        assert_eq!(
            text.as_str(),
            format!(r#"{{"type":"pong","ref":{reference}}}"#)
        );
    }
    assert_eq!(
        client.ask(json!({"type": "ping"})).await,
        json!({"type": "pong"})
    );
}

#[tokio::test]
async fn a_bad_frame_is_answered_with_the_field_that_is_wrong() {
    let server = Server::start().await;
    let (mut client, poll) = (server.client().await, server.poll().await);
    for (frame, pointer) in [
        (json!({"ref": 1}), "/type"),
        (json!({"ref": 1, "type": "shout"}), "/type"),
        (json!({"ref": 1, "type": "subscribe"}), "/poll_id"),
        (
            json!({"ref": 1, "type": "unsubscribe", "poll_id": 3}),
            "/poll_id",
        ),
        (
            json!({"ref": 1, "type": "authenticate", "token": null}),
            "/token",
        ),
        (
            json!({"ref": 1, "type": "vote", "poll_id": poll.id}),
            "/option_id",
        ),
        (
            json!({"ref": 1, "type": "vote", "poll_id": poll.id, "option_ids": ["x"]}),
            "/option_ids/0",
        ),
        (json!({"ref": 1, "type": "ping", "extra": true}), "/extra"),
    ] {
        let answer = client.ask(frame.clone()).await;
        assert_eq!(answer["type"], "error", "{frame}");
        assert_eq!(answer["ref"], 1, "{frame}");
        assert_eq!(answer["code"], "invalid", "{frame}");
        assert!(answer["message"].is_string(), "{frame}");
        assert_eq!(answer["errors"][0]["pointer"], pointer, "{answer}");
        assert_eq!(answer["errors"][0]["code"], "invalid");
        assert!(answer["errors"][0]["detail"].is_string());
    }
}

async fn invalid(client: &mut Client, message: Message) -> Value {
    client.send_message(message).await;
    let answer = client.next().await;
    assert_eq!(answer["code"], "invalid", "{answer}");
    answer
}

#[tokio::test]
async fn what_is_no_json_object_is_invalid_and_the_connection_goes_on() {
    let server = Server::start().await;
    let mut client = server.client().await;
    invalid(&mut client, Message::text("")).await;
    invalid(&mut client, Message::text("{\"type\":")).await;
    invalid(&mut client, Message::text("[\"ping\"]")).await;
    let deep = "[".repeat(60_000);
    invalid(&mut client, Message::text(deep)).await;
    let deep = format!(
        r#"{{"ref":"d","type":"ping","x":{}1{}}}"#,
        "[".repeat(9_000),
        "]".repeat(9_000)
    );
    assert_eq!(invalid(&mut client, Message::text(deep)).await["ref"], "d");
    invalid(&mut client, Message::binary(vec![1, 2, 3])).await;
    client.hears_nothing().await;
}

#[tokio::test]
async fn too_many_bad_frames_close_with_1008() {
    let server = Server::start().await;
    let mut client = server.client().await;
    for _ in 0..10 {
        invalid(&mut client, Message::text("nonsense")).await;
    }
    client.send_message(Message::text("nonsense")).await;
    assert_eq!(client.closed().await, 1008);
}

#[tokio::test]
async fn a_text_that_is_not_utf8_closes_with_1007() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let bytes = b"{\"type\":\"ping\",\"ref\":\"\xff\"}".to_vec();
    let frame = Frame::message(bytes, OpCode::Data(Data::Text), true);
    client.send_message(Message::Frame(frame)).await;
    assert_eq!(client.closed().await, 1007);
}

#[tokio::test]
async fn a_message_over_its_bound_closes_with_1009() {
    let server = Server::start().await;

    let mut client = server.client().await;
    let exactly = format!(r#"{{"type":"ping"{}}}"#, " ".repeat(64 * 1024 - 15));
    assert_eq!(exactly.len(), 64 * 1024);
    client.send_message(Message::text(exactly.clone())).await;
    assert_eq!(client.next().await["type"], "pong");
    client.send_message(Message::text(exactly + " ")).await;
    assert_eq!(client.closed().await, 1009);

    // Much more than is read of it: the close frame arrives all the same.
    let mut client = server.client().await;
    client
        .send_message(Message::text("x".repeat(4 * 1024 * 1024)))
        .await;
    assert_eq!(client.closed().await, 1009);

    // In pieces, of which none is too big.
    let mut client = server.client().await;
    let piece = |code, is_last| {
        Message::Frame(Frame::message(
            vec![b' '; 40_000],
            OpCode::Data(code),
            is_last,
        ))
    };
    client.send_message(piece(Data::Text, false)).await;
    client.send_message(piece(Data::Continue, true)).await;
    assert_eq!(client.closed().await, 1009);
}

#[tokio::test]
async fn a_message_in_pieces_is_understood_with_a_ping_between_them() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let piece = |text: &str, code, is_last| {
        Message::Frame(Frame::message(text.to_owned(), OpCode::Data(code), is_last))
    };
    client
        .send_message(piece(r#"{"type":"#, Data::Text, false))
        .await;
    client
        .send_message(Message::Ping(b"between".to_vec().into()))
        .await;
    client
        .send_message(piece(r#""ping"}"#, Data::Continue, true))
        .await;
    assert_eq!(client.next().await, json!({"type": "pong"}));
}

#[tokio::test]
async fn what_breaks_the_protocol_itself_closes_with_1002() {
    let server = Server::start().await;
    // A frame of a client must be masked.
    let mut client = server.client().await;
    client.send_bytes(b"\x81\x02{}").await;
    assert_eq!(client.closed().await, 1002);
    // A reserved opcode.
    let mut client = server.client().await;
    client.send_bytes(b"\x83\x80\0\0\0\0").await;
    assert_eq!(client.closed().await, 1002);
}

#[tokio::test]
async fn a_close_of_the_client_is_echoed() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.socket.close(None).await.unwrap();
    assert!(matches!(client.message().await, Message::Close(_)));
}
