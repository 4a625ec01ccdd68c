//! Texts for people: bounded, trimmed, and without characters that nobody can see.

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, lines: $lines:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The text without the white space around it, if it has between 1 and `most` characters and none that
            /// people cannot see.
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
    let visible = |c: char| !c.is_control() || (lines && matches!(c, '\n' | '\r' | '\t'));
    if !text.chars().all(visible) {
        return Err("must not hold control characters".into());
    }
    Ok(text.to_owned())
}
