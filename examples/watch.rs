//! Follows a poll and draws its live results, over a real WebSocket:
//!
//! ```console
//! $ cargo run --release --example watch -- 0193a5b0-7c3e-7d52-8f5e-6f0d3a1c2b4d
//! Tea or coffee?                                       open, 37 ballots
//!   Tea     ██████████████████████▋                      24   64.9 %
//!   Coffee  ████████████▎                                13   35.1 %
//! ```
//!
//! It comes back by itself after a drop, resumes after the revision that it holds, and ends with the final result.

use std::collections::HashMap;
use std::io::{IsTerminal, Write};
use std::time::Duration;

use clap::Parser;
use futures_util::{SinkExt, StreamExt};
use http::Uri;
use http::uri::Authority;
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Error, Message};

type Failure = Box<dyn std::error::Error>;

/// Follow a poll, and draw its results as they change.
#[derive(Parser)]
struct Args {
    /// The poll: its id, or a URL that ends with it
    poll: String,
    /// The WebSocket; where the poll is a URL, that of the same server
    #[arg(long)]
    url: Option<String>,
    /// Watch as this voter, where a poll shows its results to who has voted
    #[arg(long)]
    voter: Option<String>,
    /// An access token, or a poll's manage token
    #[arg(long)]
    token: Option<String>,
    /// Characters in a line
    #[arg(long, env = "COLUMNS", default_value_t = 80)]
    columns: usize,
}

/// How long a drop is waited out at first, then twice as long each time, and at last.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let mut watch = Watch::new(Args::parse())?;
    if let Err(error) = watch.learn_texts().await {
        watch.note(&format!("the texts are not known: {error}"))?;
    }
    let mut pause = PAUSES.0;
    loop {
        let held = watch.revision;
        match watch.follow().await? {
            true => return Ok(()),
            false if watch.revision != held => pause = PAUSES.0,
            false => pause = (2 * pause).min(PAUSES.1),
        }
        watch.note(&format!("no connection: trying again in {pause:?}"))?;
        tokio::time::sleep(pause).await;
    }
}

struct Watch {
    args: Args,
    poll: String,
    socket: Uri,
    question: String,
    /// By option id.
    texts: HashMap<String, String>,
    revision: Option<u64>,
    /// Lines to go over when drawing again.
    drawn: usize,
}

impl Watch {
    fn new(args: Args) -> Result<Self, Failure> {
        let (base, poll) = match args.poll.rsplit_once('/') {
            Some((base, poll)) => (base, poll),
            None => ("http://127.0.0.1:8080", args.poll.as_str()),
        };
        let base: Uri = base.parse()?;
        let host = base.authority().ok_or("the poll's URL names no host")?;
        let beside = format!("ws://{host}/api/v1/ws");
        let socket: Uri = args.url.as_ref().unwrap_or(&beside).parse()?;
        if base.scheme_str() != Some("http") || socket.scheme_str() != Some("ws") {
            return Err("this example speaks ws:// and http:// only".into());
        }
        Ok(Self {
            poll: poll.to_owned(),
            question: format!("Poll {poll}"),
            socket,
            args,
            texts: HashMap::new(),
            revision: None,
            drawn: 0,
        })
    }

    /// Asks the HTTP face beside the WebSocket what the question and the options say.
    async fn learn_texts(&mut self) -> Result<(), Failure> {
        let host = self.socket.authority().map_or("", Authority::as_str);
        let path = self.socket.path().trim_end_matches("/ws");
        let path = format!("{path}/polls/{}", self.poll);
        let mut request = http::Request::get(path).header("host", host);
        if let Some(token) = &self.args.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.body(Empty::<Bytes>::new())?;
        let port = self.socket.port().map_or(":80", |_| "");
        let io = TokioIo::new(TcpStream::connect(format!("{host}{port}")).await?);
        let (mut http, connection) = hyper::client::conn::http1::handshake(io).await?;
        let body = async move {
            let answer = http.send_request(request).await?;
            let is_poll = answer.status().is_success();
            let body = answer.into_body().collect().await?.to_bytes();
            Ok::<_, hyper::Error>(if is_poll { body } else { Bytes::new() })
        };
        // The one drives the other.
        let (body, _) = tokio::join!(body, connection);
        let poll = serde_json::from_slice::<Value>(&body?);
        let poll = poll.map_err(|_| "the server shows no such poll")?;
        self.question = printable(&poll["question"]);
        for option in poll["options"].as_array().into_iter().flatten() {
            let id = option["id"].as_str().unwrap_or_default();
            self.texts.insert(id.to_owned(), printable(&option["text"]));
        }
        Ok(())
    }

    /// One connection; `true` where nothing more is to come, `false` where it was lost.
    async fn follow(&mut self) -> Result<bool, Failure> {
        let mut socket = match tokio_tungstenite::connect_async(&self.socket).await {
            Ok((socket, _)) => socket,
            Err(Error::Http(answer)) if answer.status().is_client_error() => {
                return Err(format!("the server refuses: {}", answer.status()).into());
            }
            Err(_) => return Ok(false),
        };
        let mut frames = vec![json!({
            "type": "subscribe", "poll_id": self.poll, "voter": self.args.voter,
            "after_revision": self.revision,
        })];
        if let Some(token) = &self.args.token {
            frames.insert(0, json!({"type": "authenticate", "token": token}));
        }
        for frame in frames {
            if socket.send(Message::text(frame.to_string())).await.is_err() {
                return Ok(false);
            }
        }
        while let Some(Ok(message)) = socket.next().await {
            if let Message::Text(text) = message
                && self.show(&serde_json::from_str(&text)?)?
            {
                // Whether the server hears the good-bye makes no difference any more.
                let _ = socket.close(None).await;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Shows a frame; `true` where nothing more is to come.
    fn show(&mut self, frame: &Value) -> Result<bool, Failure> {
        match frame["type"].as_str() {
            Some("results") => {
                self.revision = frame["revision"].as_u64();
                self.draw(frame)?;
                Ok(frame["final"] == true)
            }
            Some("poll_deleted") => {
                self.note("the poll was deleted")?;
                Ok(true)
            }
            Some("error") if frame["code"] == "results_hidden" => {
                self.revision = None;
                self.note("the results are hidden: waiting until they may be seen")?;
                Ok(false)
            }
            Some("error") => Err(printable(&frame["message"]).into()),
            _ => Ok(false),
        }
    }

    /// A line of its own, below what was drawn.
    fn note(&mut self, text: &str) -> std::io::Result<()> {
        self.drawn = 0;
        writeln!(std::io::stderr(), "{text}")
    }

    fn draw(&mut self, results: &Value) -> std::io::Result<()> {
        let (ballots, columns) = (count(&results["ballots"]), self.args.columns);
        let options = results["options"].as_array().map_or(&[][..], Vec::as_slice);
        let text = |option: &Value| {
            let id = option["id"].as_str().unwrap_or_default();
            self.texts.get(id).map_or(id.to_owned(), Clone::clone)
        };
        let mut out = std::io::stdout().lock();
        // Moving the cursor is for people.
        if out.is_terminal() && self.drawn > 0 {
            write!(out, "\x1b[{}A\x1b[J", self.drawn)?;
        }
        let head = format!("{}, {ballots} ballots", printable(&results["status"]));
        let room = columns.saturating_sub(head.len() + 2);
        writeln!(out, "{:room$.room$}  {head}", self.question)?;
        let widest = options.iter().map(|option| text(option).chars().count());
        let label = widest.max().unwrap_or(0).min(columns / 3);
        let bar = columns.saturating_sub(label + 24);
        for option in options {
            let votes = count(&option["votes"]);
            let of = |whole: usize| votes * whole / ballots.max(1);
            let (text, bars, tenths) = (text(option), bars(of(8 * bar)), of(1000));
            let percent = format!("{}.{}", tenths / 10, tenths % 10);
            writeln!(
                out,
                "  {text:label$.label$}  {bars:bar$}  {votes:>8}  {percent:>5} %"
            )?;
        }
        self.drawn = options.len() + 1;
        out.flush()
    }
}

/// A bar, to the eighth of a character.
fn bars(eighths: usize) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    "█".repeat(eighths / 8) + PARTS[eighths % 8]
}

fn count(votes: &Value) -> usize {
    votes
        .as_u64()
        .and_then(|votes| votes.try_into().ok())
        .unwrap_or(0)
}

/// Other people's words, without what a terminal would obey.
fn printable(text: &Value) -> String {
    text.as_str()
        .unwrap_or_default()
        .replace(char::is_control, " ")
}
