//! What a client and a server have said to each other, and the answer that is to be lost.

use crate::frames::{Frame, Frames, Speaker};

/// Says of all that a client has said, since it was asked to listen, whether the answer to it is
/// to be lost.
pub(crate) type Predicate = Box<dyn Fn(&[u8]) -> bool + Send>;

/// One connection, seen from the middle.
#[derive(Debug)]
pub(crate) struct Conversation {
    client: Frames,
    server: Frames,
    requests: usize,
    answers: usize,
    /// How many answers of a single byte the server owes.
    bytes_owed: usize,
    /// From here on nobody in the middle understands a word.
    is_encrypted: bool,
    ended_with_request: bool,
    heard: Vec<u8>,
    /// For which predicate, counted, `heard` was collected.
    listening_for: usize,
    /// The answer, counted, with which the connection is to be lost.
    last_answer: Option<usize>,
}

/// What to do with something that the server has said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Forward,
    Swallow,
    /// It is swallowed, and it was the last.
    End,
}

impl Conversation {
    pub(crate) fn new() -> Self {
        Self {
            client: Frames::of(Speaker::Client),
            server: Frames::of(Speaker::Server),
            requests: 0,
            answers: 0,
            bytes_owed: 0,
            is_encrypted: false,
            ended_with_request: false,
            heard: Vec::new(),
            listening_for: 0,
            last_answer: None,
        }
    }

    pub(crate) fn client_said(&mut self, bytes: &[u8]) {
        if self.is_encrypted {
            return;
        }
        self.client.push(bytes);
        while let Some(frame) = self.client.next() {
            self.requests += usize::from(frame == Frame::Request);
            self.requests -= usize::from(frame == Frame::CopyEnd && self.requests > 0);
            self.bytes_owed += usize::from(frame == Frame::EncryptionRequest);
            self.ended_with_request = frame == Frame::Request;
        }
    }

    /// Whether the answer to what the client has said is to be lost. `number` tells one predicate
    /// from the next, which hears nothing of what was said before.
    pub(crate) fn loses(&mut self, number: usize, bytes: &[u8], predicate: &Predicate) -> bool {
        if self.listening_for != number {
            self.listening_for = number;
            self.heard.clear();
        }
        self.heard.extend_from_slice(bytes);
        if !predicate(&self.heard) {
            return false;
        }
        // What is not asked to the end yet is answered with the next request.
        let is_asked = self.ended_with_request && self.client.is_empty();
        self.last_answer = Some(self.requests + usize::from(!is_asked));
        true
    }

    pub(crate) fn server_said(&mut self, bytes: &[u8]) -> Fate {
        if self.is_encrypted {
            return Fate::Forward;
        }
        self.server.push(bytes);
        while self.bytes_owed > 0
            && let Some(byte) = self.server.byte()
        {
            self.bytes_owed -= 1;
            self.is_encrypted |= byte != b'N';
        }
        while let Some(frame) = self.server.next() {
            self.answers += usize::from(frame == Frame::Ready);
        }
        match self.last_answer {
            None => Fate::Forward,
            Some(last) if self.answers < last => Fate::Swallow,
            Some(_) => Fate::End,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: &[u8] = b"\0\0\0\x08\0\x03\0\0";
    const READY: &[u8] = b"Z\0\0\0\x05I";
    const BIND: &[u8] = b"B\0\0\0\x08mark";
    const SYNC: &[u8] = b"S\0\0\0\x04";

    fn marked() -> Predicate {
        Box::new(|heard| heard.windows(4).any(|four| four == b"mark"))
    }

    fn begun() -> Conversation {
        let mut conversation = Conversation::new();
        conversation.client_said(START);
        assert_eq!(conversation.server_said(READY), Fate::Forward);
        conversation
    }

    #[test]
    fn the_answer_that_is_lost_is_the_one_to_the_request_and_none_before() {
        let mut conversation = begun();
        conversation.client_said(SYNC);
        assert!(!conversation.loses(1, SYNC, &marked()));
        let said = [BIND, SYNC].concat();
        conversation.client_said(&said);
        assert!(conversation.loses(1, &said, &marked()));
        conversation.client_said(SYNC);

        assert_eq!(conversation.server_said(READY), Fate::Swallow);
        assert_eq!(conversation.server_said(&READY[..5]), Fate::Swallow);
        assert_eq!(conversation.server_said(&READY[5..]), Fate::End);
    }

    #[test]
    fn a_request_may_come_in_pieces() {
        let mut conversation = begun();
        for (piece, loses) in [(&BIND[..6], false), (&BIND[6..], true)] {
            conversation.client_said(piece);
            assert_eq!(conversation.loses(1, piece, &marked()), loses);
        }
        assert_eq!(conversation.server_said(b"2\0\0\0\x04"), Fate::Swallow);
        conversation.client_said(SYNC);
        assert_eq!(conversation.server_said(READY), Fate::End);
    }

    #[test]
    fn the_sync_before_a_copy_is_not_answered() {
        const COPY_DONE: &[u8] = b"c\0\0\0\x04";
        let mut conversation = begun();
        conversation.client_said(SYNC);
        let said = [COPY_DONE, SYNC, BIND, SYNC].concat();
        conversation.client_said(&said);
        assert!(conversation.loses(1, &said, &marked()));
        assert_eq!(conversation.server_said(READY), Fate::Swallow);
        assert_eq!(conversation.server_said(READY), Fate::End);
    }

    #[test]
    fn what_was_said_before_is_not_heard() {
        let mut conversation = begun();
        conversation.client_said(BIND);
        assert!(!conversation.loses(1, b"ma", &marked()));
        assert!(!conversation.loses(2, b"rk", &marked()));
    }

    #[test]
    fn a_refused_encryption_is_no_message() {
        let mut conversation = Conversation::new();
        conversation.client_said(b"\0\0\0\x08\x04\xd2\x16\x2f");
        assert_eq!(conversation.server_said(b"N"), Fate::Forward);
        conversation.client_said(START);
        conversation.server_said(READY);
        assert_eq!((conversation.requests, conversation.answers), (1, 1));
    }
}
