//! Rows are the same wherever the body is cut.

use super::*;

/// Name, e-mail and password of a row, or what is wrong with it.
type Read = Result<(String, String, Option<String>), String>;

fn read(format: ImportFormat, body: &[u8], piece: usize) -> Result<Vec<Read>, String> {
    use secrecy::ExposeSecret;

    let mut rows = Rows::new(format);
    let mut all = Vec::new();
    for mut piece in body.chunks(piece) {
        rows.begin(&mut piece).map_err(|error| error.detail)?;
        while let Some(row) = rows.next(&mut piece) {
            all.push(row);
        }
    }
    all.extend(rows.end().map_err(|error| error.detail)?);
    let said = |row: Row| {
        let password = |raw: &Raw| Some(raw.password.as_ref()?.expose_secret().to_owned());
        row.map(|raw| (raw.name.clone(), raw.email.clone(), password(&raw)))
            .map_err(|error| format!("{} {}", error.pointer, error.detail))
    };
    Ok(all.into_iter().map(said).collect())
}

fn in_all_pieces(format: ImportFormat, body: &[u8]) -> Result<Vec<Read>, String> {
    let whole = read(format, body, body.len().max(1));
    for piece in [1, 2, 3, 7] {
        assert_eq!(read(format, body, piece), whole, "in pieces of {piece}");
    }
    whole
}

fn row(name: &str, email: &str, password: Option<&str>) -> Read {
    Ok((name.into(), email.into(), password.map(Into::into)))
}

#[test]
fn a_table_is_read_with_its_quotes_and_in_any_order_of_columns() {
    let body = "\u{feff}Email , NAME,password\r\n\
        a@x.org,\"Lovelace, \"\"Ada\"\"\",\r\n\
        \r\n\
        b@x.org,\"two\nlines\",\" pass word\"\n\
        c@x.org,C,p";
    let read = in_all_pieces(ImportFormat::Csv, body.as_bytes());
    let expected = vec![
        row("Lovelace, \"Ada\"", "a@x.org", None),
        row("two\nlines", "b@x.org", Some(" pass word")),
        row("C", "c@x.org", Some("p")),
    ];
    assert_eq!(read, Ok(expected));
}

#[test]
fn a_table_without_its_columns_is_refused() {
    for body in [
        "",
        "\n",
        "name",
        "Ada,ada@x.org\n",
        "name,email,name\n",
        "name,email,age\nA,a@x.org,7\n",
        "name;email\n",
    ] {
        let refused = in_all_pieces(ImportFormat::Csv, body.as_bytes());
        assert!(
            refused.unwrap_err().contains("must name the columns"),
            "{body}"
        );
    }
    assert_eq!(in_all_pieces(ImportFormat::Csv, b"name,email"), Ok(vec![]));
}

#[test]
fn a_row_that_cannot_be_read_does_not_spoil_the_next() {
    let long = "x".repeat(MOST_ROW_BYTES + 1);
    let many = ",".repeat(MOST_FIELDS + 5);
    let body = format!("name,email\nA\nB,b@x.org,more\n{long},l@x.org\n{many}\nC,c@x.org\n");
    let read = in_all_pieces(ImportFormat::Csv, body.as_bytes()).unwrap();
    let failed: Vec<_> = read.iter().map(Result::is_err).collect();
    assert_eq!(failed, [true, true, true, true, false]);
    let bad = in_all_pieces(ImportFormat::Csv, b"name,email\n\xff,a@x.org\nC,c@x.org\n").unwrap();
    assert!(bad[0].is_err() && bad[1].is_ok());
}

#[test]
fn lines_of_json_are_read_one_by_one() {
    let long = "x".repeat(MOST_ROW_BYTES + 1);
    let body = format!(
        "{{\"name\":\"A\",\"email\":\"a@x.org\"}}\r\n\n \n\
         {{\"name\":\"B\",\"email\":\"b@x.org\",\"password\":\"p\"}}\n\
         {{\"name\":\"C\",\"email\":\"c@x.org\",\"password\":null}}\n\
         {{\"name\":\"D\"}}\n{{\n{long}\n\
         {{\"name\":\"E\",\"email\":\"e@x.org\",\"age\":7}}\n\
         [\"F\",\"f@x.org\"]\n\
         {{\"name\":\"G\",\"email\":\"g@x.org\"}}"
    );
    let read = in_all_pieces(ImportFormat::JsonLines, body.as_bytes()).unwrap();
    assert_eq!(read[0], row("A", "a@x.org", None));
    assert_eq!(read[1], row("B", "b@x.org", Some("p")));
    assert_eq!(read[2], row("C", "c@x.org", None));
    let wrong = |at: usize| read[at].clone().unwrap_err();
    assert!(wrong(3).starts_with("/email "), "{}", wrong(3));
    assert!(wrong(4).contains("no JSON"), "{}", wrong(4));
    assert!(wrong(5).contains("16384 bytes"), "{}", wrong(5));
    assert!(wrong(6).starts_with("/age "), "{}", wrong(6));
    assert!(wrong(7).contains("an object"), "{}", wrong(7));
    assert_eq!(read[8..], [row("G", "g@x.org", None)]);
}
