use polling_core::votes::Chosen;

use super::*;

const POLL: &str = "0193a5b0-7c3e-7d52-8f5e-6f0d3a1c2b4d";

fn good(text: &str) -> Frame {
    match Frame::parse(text, 32) {
        Ok(frame) => frame,
        Err(bad) => panic!("{text}: {bad:?}"),
    }
}

/// The pointer of the field that is wrong, or the message where it is about none; and the `ref`.
fn bad(text: &str) -> (String, Option<String>) {
    let Err(bad) = Frame::parse(text, 32) else {
        panic!("{text} is no good frame")
    };
    let what = match bad.fields.first() {
        Some(field) => field.pointer.clone(),
        None => bad.message,
    };
    (what, bad.reference.map(|reference| echoed(&reference)))
}

fn echoed(reference: &Ref) -> String {
    serde_json::to_string(reference).unwrap()
}

#[test]
fn every_frame_of_the_contract_is_understood() {
    let Ask::Subscribe(subscribe) = good(&format!(
        r#"{{"type":"subscribe","poll_id":"{POLL}","after_revision":7,"voter":"ada"}}"#
    ))
    .ask
    else {
        panic!()
    };
    assert_eq!(subscribe.poll.to_string(), POLL);
    assert_eq!(
        (subscribe.after, subscribe.voter.as_deref()),
        (Some(7), Some("ada"))
    );

    let text = format!(r#" {{"poll_id":"{POLL}","type":"unsubscribe"}}"#);
    assert!(matches!(good(&text).ask, Ask::Unsubscribe(poll) if poll.to_string() == POLL));

    let Ask::Vote(ballot) = good(&format!(
        r#"{{"type":"vote","poll_id":"{POLL}","option_id":"{POLL}","voter":"ada","ballot_id":"{POLL}"}}"#
    ))
    .ask
    else {
        panic!()
    };
    assert!(matches!(ballot.chosen, Chosen::Option(_)));
    assert_eq!(ballot.voter.text(), Some("ada"));
    assert_eq!(ballot.id.map(|id| id.to_string()).as_deref(), Some(POLL));

    let text = format!(r#"{{"type":"vote","poll_id":"{POLL}","option_ids":["{POLL}"]}}"#);
    assert!(
        matches!(good(&text).ask, Ask::Vote(ballot) if matches!(&ballot.chosen, Chosen::Options(ids) if ids.len() == 1))
    );

    let text = r#"{"type":"authenticate","token":"pm_x"}"#;
    assert!(matches!(good(text).ask, Ask::Authenticate(token) if token == "pm_x"));
    assert!(matches!(good(r#"{"type":"\u0070ing"}"#).ask, Ask::Ping));
}

#[test]
fn a_ref_is_kept_letter_by_letter() {
    for reference in [
        r#""a\u0062c""#,
        "1",
        "-1.50",
        "18446744073709551616",
        r#""""#,
    ] {
        let frame = good(&format!(r#"{{"type":"ping","ref":{reference}}}"#));
        assert_eq!(
            frame.reference.as_ref().map(echoed).as_deref(),
            Some(reference)
        );
    }
    assert!(good(r#"{"type":"ping","ref":null}"#).reference.is_none());
}

#[test]
fn a_ref_that_is_none_is_not_echoed() {
    for reference in ["{}", "[1]", "true", r#""0123456789012345678901234567890""#] {
        let text = format!(r#"{{"type":"ping","ref":{reference}}}"#);
        assert_eq!(bad(&text), ("/ref".into(), None), "{reference}");
    }
}

#[test]
fn what_is_wrong_is_named_and_the_ref_is_kept() {
    let kept = |text: &str, pointer: &str| {
        assert_eq!(bad(text), (pointer.into(), Some("1".into())), "{text}");
    };
    kept(r#"{"ref":1}"#, "/type");
    kept(r#"{"ref":1,"type":"shout"}"#, "/type");
    kept(r#"{"ref":1,"type":7}"#, "/type");
    kept(r#"{"ref":1,"type":null}"#, "/type");
    kept(r#"{"ref":1,"type":"subscribe"}"#, "/poll_id");
    kept(r#"{"ref":1,"type":"subscribe","poll_id":"x"}"#, "/poll_id");
    kept(r#"{"ref":1,"type":"unsubscribe","poll_id":3}"#, "/poll_id");
    kept(r#"{"ref":1,"type":"authenticate"}"#, "/token");
    kept(r#"{"ref":1,"type":"ping","more":{}}"#, "/more");
    let vote = |rest: &str| format!(r#"{{"ref":1,"type":"vote","poll_id":"{POLL}"{rest}}}"#);
    kept(&vote(""), "/option_id");
    kept(&vote(r#","option_id":"x""#), "/option_id");
    kept(&vote(r#","option_ids":["x"]"#), "/option_ids/0");
    kept(
        &vote(&format!(r#","option_id":"{POLL}","option_ids":[]"#)),
        "/option_ids",
    );
    kept(
        &vote(&format!(r#","option_id":"{POLL}","voter":1"#)),
        "/voter",
    );
    kept(
        &vote(&format!(r#","option_id":"{POLL}","ballot_id":"b""#)),
        "/ballot_id",
    );
    let subscribe =
        |rest: &str| format!(r#"{{"ref":1,"type":"subscribe","poll_id":"{POLL}"{rest}}}"#);
    kept(&subscribe(r#","after_revision":-1"#), "/after_revision");
    kept(&subscribe(r#","after_revision":"1""#), "/after_revision");
    kept(&subscribe(r#","voter":{}"#), "/voter");
}

#[test]
fn what_is_no_object_is_refused() {
    for text in ["", "nul", "{", r#"{"type":"ping"}x"#, "\u{feff}{}"] {
        assert!(bad(text).0.starts_with("this is no JSON"), "{text}");
    }
    for text in ["[]", r#"["ping"]"#, "1", r#""ping""#, "null"] {
        assert_eq!(bad(text).0, "", "{text}");
    }
    assert_eq!(bad(r#"{"type":"ping","type":"ping"}"#).0, "");
    assert_eq!(bad(r#"{"type":"ping","ref":1,"ref":2}"#).0, "");
}

#[test]
fn deep_nesting_is_no_danger() {
    let deep = "[".repeat(30_000) + &"]".repeat(30_000);
    assert_eq!(bad(&deep).0, "");
    assert_eq!(bad(&format!(r#"{{"type":"ping","ref":{deep}}}"#)).0, "/ref");
    let objects = r#"{"a":"#.repeat(10_000);
    assert!(bad(&objects).0.starts_with("this is no JSON"));
    // Deep inside a frame, the parser's own limit holds; the `ref` is known by then.
    for text in [
        format!(r#"{{"ref":1,"type":"ping","x":{deep}}}"#),
        format!(r#"{{"ref":1,"type":"authenticate","token":{deep}}}"#),
    ] {
        assert_eq!(bad(&text).1.as_deref(), Some("1"));
    }
}

/// All that there is to a frame.
fn told(frame: Result<Frame, BadFrame>) -> String {
    let Frame { reference, ask } = match frame {
        Ok(frame) => frame,
        Err(bad) => {
            let reference = bad.reference.as_ref().map(echoed);
            return format!("{reference:?} {} {:?}", bad.message, bad.fields);
        }
    };
    let reference = reference.as_ref().map(echoed);
    match ask {
        Ask::Vote(ballot) => {
            let (chosen, named) = match &ballot.chosen {
                Chosen::Option(id) => (vec![*id], "one"),
                Chosen::Options(ids) => (ids.clone(), "several"),
                Chosen::Positions(_) => unreachable!("no frame holds positions"),
            };
            let (poll, id, voter) = (ballot.poll, ballot.id, ballot.voter.text());
            format!("{reference:?} {poll} {named} {chosen:?} {id:?} {voter:?}")
        }
        _ => format!("{reference:?} no vote"),
    }
}

const ID: &str = r#""0193a5b0-7c3e-7d52-8f5e-6f0d3a1c2b4d""#;

const GOOD: [(&str, &str); 6] = [
    ("type", r#""vote""#),
    ("ref", "7"),
    ("poll_id", ID),
    ("option_id", ID),
    ("voter", r#""ada""#),
    ("ballot_id", ID),
];

fn written(fields: &[(&str, &str)]) -> String {
    let fields = fields.iter();
    let fields = fields.map(|(name, value)| format!("\"{name}\":{value}"));
    format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
}

/// A good vote, and what differs from it in one place.
fn votes() -> Vec<String> {
    let list = format!("[\"{POLL}\"]");
    let values = [
        "null",
        "true",
        "7",
        "-7",
        "007",
        "1e3",
        "1e999",
        "18446744073709551616",
        "\"\"",
        "\"ada\"",
        r#""a\u0064\"a""#,
        r#""\ud800""#,
        "\"\n\"",
        "\"a text of more than thirty-two bytes\"",
        "\"vote\"",
        r#""v\u006fte""#,
        "\"ping\"",
        "[]",
        "{}",
        "[1",
        ID,
        &list,
    ];
    let fields = [
        "type",
        "ref",
        "poll_id",
        "option_id",
        "option_ids",
        "voter",
        "ballot_id",
        r"r\u0065f",
        "userId",
    ];
    let mut texts = vec![
        written(&GOOD),
        // The fields in their order, which is what a list of them would mean.
        format!(r#"["vote",7,{ID},{ID},null,"ada",{ID}]"#),
        format!("{}]", written(&GOOD)),
    ];
    for field in fields {
        // Left out, with each value, and twice.
        let others: Vec<_> = GOOD
            .into_iter()
            .filter(|(name, _)| *name != field)
            .collect();
        texts.push(written(&others));
        for value in values {
            texts.push(written(&[&others[..], &[(field, value)]].concat()));
            texts.push(written(&[&[(field, value)], &GOOD[..]].concat()));
        }
    }
    let whole = written(&GOOD);
    texts.extend((0..whole.len()).map(|at| whole[at..].to_owned()));
    texts.extend((0..whole.len()).map(|at| whole[..at].to_owned()));
    texts
}

#[test]
fn a_vote_is_the_same_in_one_pass_and_in_steps() {
    let texts = votes();
    let mut plain = 0;
    for text in &texts {
        let steps = told(Frame::parse_in_steps(text, 32));
        assert_eq!(told(Frame::parse(text, 32)), steps, "{text}");
        if let Some(frame) = plain::vote(text, 32) {
            assert_eq!(told(Ok(frame)), steps, "{text}");
            plain += 1;
        }
    }
    assert!(plain > 10 && plain < texts.len() / 2, "{plain}");
    assert!(plain::vote(&written(&GOOD), 32).is_some());
}
