//! Enough of PostgreSQL's protocol to tell when a server has answered.

/// What a message means to someone who waits for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// The client asks for encryption; the server answers with a single byte.
    EncryptionRequest,
    /// The client waits from here on: for a `ReadyForQuery` to each.
    Request,
    /// The client ends a COPY: the `Sync` with which it asked for it was passed over, and is not answered.
    CopyEnd,
    /// The server has answered a request, `ReadyForQuery`.
    Ready,
    Other,
}

/// Which of the two speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speaker {
    Client,
    Server,
}

/// Cuts a stream into messages, in whatever pieces it comes.
#[derive(Debug)]
pub(crate) struct Frames {
    speaker: Speaker,
    pending: Vec<u8>,
    /// A client begins with messages that have no type.
    is_before_start: bool,
}

/// The codes that stand in place of a version where a client asks for TLS or for GSSAPI.
const ENCRYPTION_REQUESTS: [u32; 2] = [80_877_103, 80_877_104];

impl Frames {
    pub(crate) fn of(speaker: Speaker) -> Self {
        Self {
            speaker,
            pending: Vec::new(),
            is_before_start: speaker == Speaker::Client,
        }
    }

    /// The next bytes of the stream.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
    }

    /// Takes a byte that is no message: the answer to a request for encryption.
    pub(crate) fn byte(&mut self) -> Option<u8> {
        (!self.pending.is_empty()).then(|| self.pending.remove(0))
    }

    /// Whether there is nothing but whole messages.
    pub(crate) fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// The next message that is there as a whole.
    pub(crate) fn next(&mut self) -> Option<Frame> {
        let type_bytes = usize::from(!self.is_before_start);
        let length = u32::from_be_bytes(*self.pending.get(type_bytes..)?.first_chunk()?);
        let end = type_bytes + usize::try_from(length).ok()?;
        let message = self.pending.get(..end)?;
        let frame = if self.is_before_start {
            let code = message.get(4..).and_then(<[u8]>::first_chunk);
            let code = code.map(|code| u32::from_be_bytes(*code));
            if code.is_some_and(|code| ENCRYPTION_REQUESTS.contains(&code)) {
                Frame::EncryptionRequest
            } else {
                self.is_before_start = false;
                Frame::Request
            }
        } else {
            match (self.speaker, message.first()) {
                // Query, Sync and FunctionCall.
                (Speaker::Client, Some(b'Q' | b'S' | b'F')) => Frame::Request,
                // CopyDone and CopyFail.
                (Speaker::Client, Some(b'c' | b'f')) => Frame::CopyEnd,
                (Speaker::Server, Some(b'Z')) => Frame::Ready,
                _ => Frame::Other,
            }
        };
        self.pending.drain(..end);
        Some(frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: &[u8], body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap();
        [kind, &length.to_be_bytes(), body].concat()
    }

    fn frames(speaker: Speaker, pieces: &[&[u8]]) -> Vec<Frame> {
        let mut frames = Frames::of(speaker);
        let mut found = Vec::new();
        for piece in pieces {
            frames.push(piece);
            found.extend(std::iter::from_fn(|| frames.next()));
        }
        found
    }

    #[test]
    fn a_client_asks_at_the_start_and_with_every_query_and_sync() {
        let said = [
            message(b"", &80_877_103_u32.to_be_bytes()),
            message(b"", b"\0\x03\0\0user\0a\0\0"),
            message(b"p", b"secret"),
            message(b"P", b"\0BEGIN"),
            message(b"S", b""),
            message(b"d", b"a row"),
            message(b"c", b""),
            message(b"Q", b"COMMIT\0"),
        ];
        let expected = [
            Frame::EncryptionRequest,
            Frame::Request,
            Frame::Other,
            Frame::Other,
            Frame::Request,
            Frame::Other,
            Frame::CopyEnd,
            Frame::Request,
        ];
        let whole = said.concat();
        assert_eq!(frames(Speaker::Client, &[&whole]), expected);
        let bytes: Vec<_> = whole.chunks(1).collect();
        assert_eq!(frames(Speaker::Client, &bytes), expected);
    }

    #[test]
    fn a_server_has_answered_when_it_is_ready() {
        let said = [message(b"C", b"COMMIT\0"), message(b"Z", b"I")].concat();
        let (most, rest) = said.split_at(said.len() - 1);
        assert_eq!(frames(Speaker::Server, &[most]), [Frame::Other]);
        assert_eq!(
            frames(Speaker::Server, &[most, rest]),
            [Frame::Other, Frame::Ready]
        );
    }
}
