//! Why a connection is closed: the one table of close codes.

use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::Utf8Bytes;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

/// Why the server closes a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Close {
    /// 1001: the server goes away.
    Leaving,
    /// 1002: the client breaks the WebSocket protocol itself.
    Protocol,
    /// 1007: a text that is not UTF-8.
    NotText,
    /// 1008: too many bad frames.
    BadFrames,
    /// 1009: a frame or message over its bound.
    TooBig,
    /// 1012: the server comes back soon.
    Restarting,
    /// 1013: the client does not read what it asked for.
    TooSlow,
}

impl Close {
    /// The frame that says so.
    pub(crate) fn frame(self) -> CloseFrame {
        let (code, reason) = match self {
            Close::Leaving => (CloseCode::Away, "the server is leaving"),
            Close::Protocol => (CloseCode::Protocol, "this breaks the WebSocket protocol"),
            Close::NotText => (CloseCode::Invalid, "the text is not UTF-8"),
            Close::BadFrames => (CloseCode::Policy, "too many bad frames"),
            Close::TooBig => (CloseCode::Size, "the message is too big"),
            Close::Restarting => (CloseCode::Restart, "the server is restarting"),
            Close::TooSlow => (CloseCode::Again, "too slow"),
        };
        CloseFrame {
            code,
            reason: Utf8Bytes::from_static(reason),
        }
    }

    /// Whether what the client sent last could not be read, so that nothing after it can be.
    pub(crate) fn is_unreadable(self) -> bool {
        matches!(self, Close::Protocol | Close::NotText | Close::TooBig)
    }

    /// What to tell the client about a failed read or write; `None` where nobody is there to be told.
    pub(crate) fn of(error: &Error) -> Option<Self> {
        match error {
            Error::Capacity(_) => Some(Close::TooBig),
            Error::Utf8(_) => Some(Close::NotText),
            Error::WriteBufferFull(_) => Some(Close::TooSlow),
            Error::Protocol(reset) if is_reset(reset) => None,
            Error::Protocol(_) => Some(Close::Protocol),
            _ => None,
        }
    }
}

fn is_reset(error: &tokio_tungstenite::tungstenite::error::ProtocolError) -> bool {
    use tokio_tungstenite::tungstenite::error::ProtocolError;
    matches!(error, ProtocolError::ResetWithoutClosingHandshake)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_the_documented_ones() {
        let codes = [
            (Close::Leaving, 1001),
            (Close::Protocol, 1002),
            (Close::NotText, 1007),
            (Close::BadFrames, 1008),
            (Close::TooBig, 1009),
            (Close::Restarting, 1012),
            (Close::TooSlow, 1013),
        ];
        for (close, code) in codes {
            assert_eq!(u16::from(close.frame().code), code);
            assert!(close.frame().code.is_allowed());
            // A control frame has room for 125 bytes.
            assert!(close.frame().reason.len() <= 123);
        }
    }
}
