//! The links by which tokens are handed out.

use super::error::VoteTokenError;

/// Where a token goes.
const PLACE: &str = "{token}";

/// Bytes of a template, at most.
const TEMPLATE_BYTES: usize = 500;

/// The address of an application's page for voting, with a place for the token, as
/// `https://vote.example/poll#{token}`: behind a `#` it stays out of the logs of servers on the way.
///
/// It holds nothing but what an address can hold, so that a link needs no care in a table: no quote, no space, and at its
/// beginning nothing that a spreadsheet takes for a formula.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkTemplate {
    before: String,
    after: String,
}

impl LinkTemplate {
    /// An `http` or `https` address of at most 500 bytes, with `{token}` in it once, behind the name of the host.
    ///
    /// # Errors
    /// `Invalid`, which says what is wrong.
    pub fn parse(text: &str) -> Result<Self, VoteTokenError> {
        let invalid = |detail: &str| Err(VoteTokenError::invalid("/link_template", detail));
        if text.len() > TEMPLATE_BYTES {
            return invalid(&format!("must have at most {TEMPLATE_BYTES} bytes"));
        }
        let scheme = ["https://", "http://"].into_iter();
        let Some(rest) = scheme.filter_map(|it| text.strip_prefix(it)).next() else {
            return invalid("must begin with https:// or http://");
        };
        let Some((before, after)) = text.split_once(PLACE) else {
            return invalid("must hold {token}, where the token goes");
        };
        if !before.chars().chain(after.chars()).all(stands_in_addresses) {
            return invalid(
                "must hold {token} once, and else only what an address can hold: escape all other characters",
            );
        }
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if host.is_empty() || host.contains(['{', '@']) {
            return invalid("must name a host, before {token} and without a user");
        }
        Ok(Self {
            before: before.to_owned(),
            after: after.to_owned(),
        })
    }

    /// Appends the link with this token.
    pub fn write(&self, token: &str, out: &mut Vec<u8>) {
        for part in [&self.before, token, &self.after] {
            out.extend_from_slice(part.as_bytes());
        }
    }
}

/// RFC 3986: unreserved and reserved characters, and the sign of those that are escaped.
fn stands_in_addresses(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~:/?#[]@!$&'()*+,;=%".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_takes_its_place() {
        for (template, link) in [
            ("https://a.example/#{token}", "https://a.example/#pv_x"),
            (
                "http://[::1]:80/v?t={token}&l=en",
                "http://[::1]:80/v?t=pv_x&l=en",
            ),
            ("https://a/{token}/", "https://a/pv_x/"),
        ] {
            let mut written = Vec::new();
            LinkTemplate::parse(template)
                .unwrap()
                .write("pv_x", &mut written);
            assert_eq!(written, link.as_bytes());
        }
    }

    #[test]
    fn what_is_no_address_with_a_place_is_refused() {
        let long = format!("https://a/{}{{token}}", "x".repeat(500));
        for bad in [
            "",
            "https://a.example/",
            "ftp://a.example/{token}",
            "=HYPERLINK(\"https://a.example/{token}\")",
            "javascript:alert({token})",
            "https://{token}.example/",
            "https://ada@a.example/{token}",
            "https:///{token}",
            "https://a/{token}{token}",
            "https://a/{token}/{x}",
            "https://a/ {token}",
            "https://a/\"{token}",
            "https://a/{token}\r\n=1+1",
            "https://ä/{token}",
            &long,
        ] {
            assert!(LinkTemplate::parse(bad).is_err(), "{bad}");
        }
    }
}
