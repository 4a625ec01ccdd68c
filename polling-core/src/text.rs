//! Texts for people: bounded, trimmed, and something that can be seen.

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, lines: $lines:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The text without the white space around it, if it has between 1 and `most` characters, at least one that
            /// people can see, and none that controls how the others are shown.
            ///
            /// # Errors
            /// What is wrong with it, in words.
            pub fn parse(text: &str, most: usize) -> Result<Self, String> {
                crate::text::parse(text, most, $lines).map(Self)
            }

            /// A text that was parsed before it was stored.
            #[must_use]
            pub fn from_store(text: String) -> Self {
                Self(text)
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    };
}

pub(crate) use text;

pub(crate) fn parse(text: &str, most: usize, lines: bool) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("must not be empty".into());
    }
    if text.chars().count() > most {
        return Err(format!("must not be longer than {most} characters"));
    }
    let allowed = |c: char| !is_control(c) || (lines && matches!(c, '\n' | '\r' | '\t'));
    if !text.chars().all(allowed) {
        return Err("must not hold control characters".into());
    }
    if text.chars().all(|c| c.is_whitespace() || is_invisible(c)) {
        return Err("must hold something that can be seen".into());
    }
    Ok(text.to_owned())
}

/// Control characters, those that turn the direction of what follows, and line separators.
pub(crate) fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Characters without width: some join emoji and shape scripts, and are fine beside what can be seen.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}' | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
            | '\u{FFA0}' | '\u{E0000}'..='\u{E0FFF}'
    )
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn texts_are_trimmed_bounded_and_can_be_seen() {
        assert_eq!(parse("  Tea\u{3000}", 3, false).as_deref(), Ok("Tea"));
        assert_eq!(
            parse("👩\u{200D}🚀", 3, false).as_deref(),
            Ok("👩\u{200D}🚀")
        );
        assert_eq!(parse("a\nb", 3, true).as_deref(), Ok("a\nb"));
        for bad in [
            "",
            " \t",
            "four",
            "a\nb",
            "a\0",
            "\u{202E}a",
            "\u{200B}",
            "\u{FEFF}\u{2060}",
            "\u{3164}",
        ] {
            assert!(parse(bad, 3, false).is_err(), "{bad:?}");
        }
    }
}
