//! What is read in one pass is what is read field by field, and nothing else is.

use serde_json::json;

use super::*;

const POLL: &str = "0193a5b0-7c3e-7d52-8f5e-6f0d3a1c2b4d";

/// Values that a field may have, good and bad.
const VALUES: [&str; 16] = [
    "null",
    "true",
    "1",
    "-1.5e3",
    "1e999",
    r#""""#,
    r#""ada""#,
    r#""a\u0064\"a é\ud83d\ude80""#,
    r#""\ud800""#,
    r#""0193a5b0-7c3e-7d52-8f5e-6f0d3a1c2b4d""#,
    r#""0193A5B07C3E7D528F5E6F0D3A1C2B4D""#,
    r#""\u0030193a5b0-7c3e-7d52-8f5e-6f0d3a1c2b4d""#,
    "[]",
    r#"["0193a5b0-7c3e-7d52-8f5e-6f0d3a1c2b4d", "0193a5b0-7c3e-7d52-8f5e-6f0d3a1c2b4e"]"#,
    r#"["ada"]"#,
    "{}",
];

const NAMES: [&str; 10] = [
    "option_id",
    "optionId",
    "option_ids",
    "voter",
    "user_id",
    "userId",
    "ballot_id",
    r"ballot\u005fid",
    "optionIds",
    "poll_id",
];

/// Votes with each pair of fields, and texts that are no objects, or no JSON.
fn votes() -> Vec<String> {
    let mut votes: Vec<String> = VALUES.map(ToOwned::to_owned).into();
    for (at, first) in NAMES.iter().enumerate() {
        for value in VALUES {
            votes.push(format!(r#"{{"{first}":{value}}}"#));
            for second in &NAMES[at..] {
                let other = r#""0193a5b0-7c3e-7d52-8f5e-6f0d3a1c2b4d""#;
                votes.push(format!(r#"{{"{first}":{value},"{second}":{other}}}"#));
            }
        }
    }
    let good = json!({"option_id": POLL, "voter": "ada", "ballot_id": POLL}).to_string();
    votes.extend((1..good.len()).map(|at| good[..at].to_owned()));
    votes.extend((0..good.len()).map(|at| good[at + 1..].to_owned()));
    votes.extend([format!(" {good}\n"), format!("{good}x"), good]);
    // The fields in their order, which is what a list of them would mean.
    votes.push(json!([POLL, null, "ada", null]).to_string());
    votes
}

fn shown(body: &Result<VoteBody, ParseError>) -> String {
    format!("{body:?}")
}

#[test]
fn a_vote_is_the_same_by_both_ways() {
    let (mut plain, mut all) = (0, 0);
    for json in votes() {
        for unknown in [UnknownFields::Refuse, UnknownFields::PassOver] {
            let slow = parse::<VoteBody>(json.as_bytes(), unknown);
            let fast = VoteBody::parse(&json, unknown);
            assert_eq!(shown(&fast), shown(&slow), "{json} {unknown:?}");
        }
        // The one pass alone takes nothing that is refused, and gives nothing else.
        if let Some(vote) = read::<PlainVote>(&json) {
            let slow = parse::<VoteBody>(json.as_bytes(), UnknownFields::Refuse);
            assert_eq!(shown(&Ok(vote.into())), shown(&slow), "{json}");
            plain += 1;
        }
        all += 1;
    }
    assert!(plain > 100 && plain < all / 2, "{plain} of {all}");
}

#[test]
fn what_is_right_is_read_in_one_pass() {
    let good = json!({"option_ids": [POLL], "user_id": "ada", "ballot_id": null});
    assert!(read::<PlainVote>(&good.to_string()).is_some());
    let batch = json!({"ballots": [good, {}]}).to_string();
    assert!(matches!(
        BatchBody::parse(&batch, UnknownFields::Refuse),
        Ok(BatchBody(Votes::Plain(votes))) if votes.len() == 2
    ));
}

/// What a batch comes to, vote by vote, when no vote is read together with another.
fn one_by_one(json: &str) -> Result<Vec<Result<Ballot, VoteError>>, ParseError> {
    let batch: TextBatch = parse(json.as_bytes(), UnknownFields::Refuse)?;
    let ballot = |text: Box<RawValue>| {
        let slow = parse::<VoteBody>(text.get().as_bytes(), UnknownFields::Refuse);
        let body = slow.map_err(|error| match error {
            ParseError::Shape(field) => VoteError::Invalid(vec![field]),
            ParseError::Syntax(detail) => invalid("", &detail),
        });
        body?.into_ballot(POLL.parse().unwrap())
    };
    Ok(batch.ballots.into_iter().map(ballot).collect())
}

fn read_batch(json: &str) -> Result<Vec<Result<Ballot, VoteError>>, ParseError> {
    let batch = BatchBody::parse(json, UnknownFields::Refuse)?;
    Ok(batch.into_ballots(POLL.parse().unwrap(), 1000).unwrap())
}

/// Everything about them, also what their `Debug` keeps to itself.
fn told(read: Result<Vec<Result<Ballot, VoteError>>, ParseError>) -> String {
    let ballots = match read {
        Ok(ballots) => ballots,
        Err(error) => return format!("{error:?}"),
    };
    let ballot = |ballot: Result<Ballot, VoteError>| match ballot {
        Err(error) => format!("{error:?}"),
        Ok(Ballot {
            poll,
            voter,
            chosen,
            id,
        }) => {
            let chosen = match chosen {
                Chosen::Option(id) => vec![id],
                Chosen::Options(ids) => ids,
                Chosen::Positions(_) => unreachable!("no JSON holds positions"),
            };
            format!("{poll} {:?} {chosen:?} {id:?}", voter.text())
        }
    };
    ballots
        .into_iter()
        .map(ballot)
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn a_batch_is_the_same_by_both_ways() {
    let good = json!({"option_id": POLL, "voter": "ada"}).to_string();
    let mut batches = vec![
        r#"{"ballots":[]}"#.to_owned(),
        r#"{"ballots":null}"#.to_owned(),
        r#"{"ballots":{}}"#.to_owned(),
        format!(r#"{{"ballots":[{good}],"ballots":[]}}"#),
        format!(r#"{{"ballots":[{good}],"more":1}}"#),
        format!(r#"{{"ballots":[{good}]}} x"#),
        format!("[[{good}]]"),
        format!(r#"{{"ballots":[{good},["{POLL}"]]}}"#),
    ];
    for vote in votes() {
        batches.push(format!(r#"{{"ballots":[{good},{vote}, {good} ]}}"#));
    }
    for json in batches {
        assert_eq!(told(read_batch(&json)), told(one_by_one(&json)), "{json}");
    }
}

#[test]
fn a_list_without_end_is_not_held() {
    let batch = |votes: usize| format!(r#"{{"ballots":[{}]}}"#, vec!["{}"; votes].join(","));
    let parse = |json: &str| BatchBody::parse(json, UnknownFields::Refuse).is_ok();
    assert!(parse(&batch(MOST_BALLOTS)));
    assert!(!parse(&batch(MOST_BALLOTS + 1)));
    let many = BatchBody::parse(&batch(11), UnknownFields::Refuse).unwrap();
    let refused = many.into_ballots(POLL.parse().unwrap(), 10);
    assert!(matches!(refused, Err(VoteError::Invalid(_))));
}
