//! Access tokens as an attacker makes them, beside one as the engine makes it.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey};
use polling_core::Timestamp;
use polling_core::users::TokenKey;
use serde_json::{Value, json};

const KID: &str = "first";
const SECRET: [u8; 32] = [7; 32];
const ANOTHER: [u8; 32] = [8; 32];

/// The key of the server that these tokens are for.
pub(crate) fn key() -> TokenKey {
    TokenKey::new(KID, &SECRET).unwrap()
}

/// One that is good: what the forged ones differ from in one thing each.
pub(crate) fn good(user: &str, now: Timestamp) -> String {
    signed(&header(), &claims(user, now), &SECRET, Algorithm::HS256)
}

/// Tokens for this user, none of which is good, and what is wrong with each.
pub(crate) fn forged(user: &str, now: Timestamp) -> Vec<(&'static str, String)> {
    let (header, claims) = (header(), claims(user, now));
    let whole = |header: &Value, claims: &Value| signed(header, claims, &SECRET, Algorithm::HS256);
    let of_header = |name: &str, value: Value| whole(&with(&header, name, value), &claims);
    let of_claims = |name: &str, value: Value| whole(&header, &with(&claims, name, value));
    let algorithm = |name: &str, real| {
        let header = with(&header, "alg", json!(name));
        signed(&header, &claims, &SECRET, real)
    };
    let seconds = now.as_millis() / 1_000;
    let good = whole(&header, &claims);
    let (content, signature) = good.rsplit_once('.').unwrap();
    let none = |name: &str| unsigned(&with(&header, "alg", json!(name)), &claims);
    let mut forged = vec![
        ("HS384", algorithm("HS384", Algorithm::HS384)),
        ("HS512", algorithm("HS512", Algorithm::HS512)),
        // An RSA key's public part, taken for the secret of HMAC, is the classic; here every algorithm but one is another.
        ("RS256", algorithm("RS256", Algorithm::HS256)),
        ("ES256", algorithm("ES256", Algorithm::HS256)),
        ("an unknown algorithm", algorithm("HS257", Algorithm::HS256)),
        ("another case", algorithm("hs256", Algorithm::HS256)),
        ("over", of_claims("exp", json!(seconds))),
        ("without an end", of_claims("exp", Value::Null)),
        ("an end that is no number", of_claims("exp", json!("never"))),
        (
            "without the time it was made",
            of_claims("iat", Value::Null),
        ),
        (
            "made longer ago than tokens live",
            of_claims("iat", json!(seconds - 900)),
        ),
        ("another audience", of_claims("aud", json!("elsewhere"))),
        ("several audiences", of_claims("aud", json!(["elsewhere"]))),
        ("another issuer", of_claims("iss", json!("elsewhere"))),
        ("no issuer", of_claims("iss", Value::Null)),
        ("nobody", of_claims("sub", Value::Null)),
        ("no user's id", of_claims("sub", json!("1 OR 1=1"))),
        ("an unknown kid", of_header("kid", json!("second"))),
        ("the engine's own kid", of_header("kid", json!("own"))),
        (
            "a kid that is a file",
            of_header("kid", json!("../../dev/null")),
        ),
        (
            "a kid that is SQL",
            of_header("kid", json!("' UNION SELECT '")),
        ),
        ("no kid", of_header("kid", Value::Null)),
        (
            "another secret",
            signed(&header, &claims, &ANOTHER, Algorithm::HS256),
        ),
        (
            "the kid as secret",
            signed(&header, &claims, KID.as_bytes(), Algorithm::HS256),
        ),
        ("no secret", signed(&header, &claims, &[], Algorithm::HS256)),
        ("no signature", format!("{content}.")),
        ("two parts", content.to_owned()),
        ("four parts", format!("{good}.{signature}")),
        ("a signature cut off", good[..good.len() - 2].to_owned()),
        ("a signature of something else", {
            let other = of_claims("iat", json!(seconds - 1));
            format!("{content}.{}", other.rsplit_once('.').unwrap().1)
        }),
        ("garbage", "a.b.c".to_owned()),
        ("dots", "..".to_owned()),
        ("long garbage", "A".repeat(4_000)),
    ];
    forged.extend(["none", "None", "NONE", "nOnE", ""].map(|name| ("unsigned", none(name))));
    forged
}

fn header() -> Value {
    json!({"typ": "JWT", "alg": "HS256", "kid": KID})
}

fn claims(user: &str, now: Timestamp) -> Value {
    let now = now.as_millis() / 1_000;
    json!({"sub": user, "aud": "polling", "iss": "polling", "iat": now, "exp": now + 900})
}

/// The same with another value of this field, or without it.
fn with(object: &Value, name: &str, value: Value) -> Value {
    let mut object = object.clone();
    let fields = object.as_object_mut().unwrap();
    match value {
        Value::Null => drop(fields.remove(name)),
        value => drop(fields.insert(name.to_owned(), value)),
    }
    object
}

fn unsigned(header: &Value, claims: &Value) -> String {
    let encode = |part: &Value| BASE64_URL_SAFE_NO_PAD.encode(part.to_string());
    format!("{}.{}.", encode(header), encode(claims))
}

fn signed(header: &Value, claims: &Value, secret: &[u8], real: Algorithm) -> String {
    let unsigned = unsigned(header, claims);
    let content = unsigned.trim_end_matches('.');
    let key = EncodingKey::from_secret(secret);
    let signature = jsonwebtoken::crypto::sign(content.as_bytes(), &key, real).unwrap();
    format!("{content}.{signature}")
}
