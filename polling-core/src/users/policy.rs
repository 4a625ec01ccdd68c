//! Which passwords are good enough.

use zxcvbn::Score;

use super::model::{Email, UserName};
use super::passwords::{LEAST_CHARS, MOST_BYTES};
use crate::{Code, FieldError};

/// Characters that are estimated: what follows them makes a password no weaker, and costs the more the longer it is.
const ESTIMATED_CHARS: usize = 64;

/// Whether the length of a password will do.
///
/// # Errors
/// What is wrong with the field at `pointer`.
pub(super) fn length_fits(password: &str, pointer: &str) -> Result<(), FieldError> {
    let refused = |detail| Err(FieldError::invalid(pointer, detail));
    if password.chars().count() < LEAST_CHARS {
        refused(format!("must have at least {LEAST_CHARS} characters"))
    } else if password.len() > MOST_BYTES {
        refused(format!("must not have more than {MOST_BYTES} bytes"))
    } else {
        Ok(())
    }
}

/// What somebody who guesses the password of this user tries first.
pub(super) fn guesses(name: &UserName, email: &Email) -> Vec<String> {
    let (name, email) = (name.as_str(), email.as_str());
    let local = email.split('@').next().unwrap_or_default();
    let mut guesses = vec![
        name.to_owned(),
        name.split_whitespace().collect(),
        email.to_owned(),
        local.to_owned(),
    ];
    guesses.extend(name.split_whitespace().map(ToOwned::to_owned));
    let parts = email.split(['@', '.', '+', '-', '_']);
    guesses.extend(parts.map(ToOwned::to_owned));
    guesses
}

/// Whether a password would be found only after very many guesses, `guesses` first. It takes up to some milliseconds.
///
/// # Errors
/// What to do about it, in words.
pub(super) fn is_strong(password: &str, guesses: &[String]) -> Result<(), String> {
    let end = password.char_indices().nth(ESTIMATED_CHARS);
    let estimated = &password[..end.map_or(password.len(), |(at, _)| at)];
    let guesses: Vec<&str> = guesses.iter().map(String::as_str).collect();
    let estimate = zxcvbn::zxcvbn(estimated, &guesses);
    // Two: more than a million guesses, which takes from an attacker who has to ask us for each.
    if estimate.score() >= Score::Two {
        return Ok(());
    }
    let mut words = vec!["is too easy to guess.".to_owned()];
    if let Some(feedback) = estimate.feedback() {
        words.extend(feedback.warning().map(|warning| warning.to_string()));
        words.extend(feedback.suggestions().iter().map(ToString::to_string));
    }
    Err(words.join(" "))
}

/// The error of a password that is too weak, with what to do about it.
pub(super) fn weak(pointer: &str, advice: String) -> FieldError {
    FieldError::new(pointer, Code::PasswordWeak, advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strong(password: &str) -> Result<(), String> {
        let name = UserName::from_store("Ada Lovelace".into());
        let email = Email::from_store("countess.byron@example.org".into());
        is_strong(password, &guesses(&name, &email))
    }

    #[test]
    fn a_password_that_is_guessed_first_is_refused_with_advice() {
        for weak in [
            "password",
            "12345678",
            "qwertyuiop",
            "aaaaaaaaaaaa",
            "lovelace",
            "adalovelace",
            "countess.byron",
            "byron2001",
        ] {
            let advice = strong(weak).expect_err(weak);
            assert!(advice.len() > 30, "{advice}");
        }
        for good in ["correct horse", "bo!Kx82vQe", "ein Pferd frisst Gras"] {
            assert_eq!(strong(good), Ok(()));
        }
        // Good for everybody else.
        assert_eq!(is_strong("countess.byron", &[]), Ok(()));
    }

    #[test]
    fn a_password_has_from_8_characters_to_1000_bytes() {
        let fits = |password: &str| length_fits(password, "/password").is_ok();
        assert!(!fits("1234567") && fits("12345678") && fits("öäüöäüöä"));
        assert!(fits(&"x".repeat(1_000)) && !fits(&"x".repeat(1_001)));
    }

    #[test]
    fn no_more_is_estimated_than_must_be() {
        let long = "é".repeat(ESTIMATED_CHARS) + "bo!Kx82vQe";
        assert!(strong(&long).is_err());
    }
}
