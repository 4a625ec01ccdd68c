//! The forms of libpq. Each reads as `host:port/database as user`, several hosts with commas.

use crate::{ConnectOptions, ConnectOptionsError};

fn parse(text: &str) -> Result<ConnectOptions, ConnectOptionsError> {
    ConnectOptions::parse_with(text, |name| (name == "USER").then(|| "os".to_owned()))
}

/// What the variables make of what a text leaves out.
fn filled(text: &str, variables: &[(&str, &str)]) -> Result<ConnectOptions, ConnectOptionsError> {
    ConnectOptions::parse_with(text, |name| {
        let mut variables = variables.iter();
        let found = variables.find(|(variable, _)| *variable == name);
        found.map(|(_, value)| (*value).to_owned())
    })
}

fn password(options: &ConnectOptions) -> String {
    let config = options.config_for(&options.hosts[0]).unwrap();
    String::from_utf8(config.get_password().unwrap_or_default().to_vec()).unwrap()
}

const SOCKETS: &str = "/var/run/postgresql/.s.PGSQL.5432,/tmp/.s.PGSQL.5432";

#[test]
fn every_form_of_a_url_is_read() {
    let cases = [
        ("postgres://u@h/d", "h:5432/d as u"),
        ("postgresql://u:p@h:6000/d", "h:6000/d as u"),
        ("postgresql://h/d", "h:5432/d as os"),
        ("postgresql://h", "h:5432/os as os"),
        ("postgresql://u@h", "h:5432/u as u"),
        ("postgresql://u@h/", "h:5432/u as u"),
        ("postgresql://u@h:/d", "h:5432/d as u"),
        ("postgresql://u@[::1]:6000/d", "[::1]:6000/d as u"),
        (
            "postgresql://[2001:db8::1]/d?user=u",
            "[2001:db8::1]:5432/d as u",
        ),
        (
            "postgresql://u@a:1,b,[::1]:3/d",
            "a:1,b:5432,[::1]:3/d as u",
        ),
        ("postgresql://u@a,b:/d?port=7000", "a:7000,b:7000/d as u"),
        (
            "postgresql://%2Frun%2Fpg:6000/d",
            "/run/pg/.s.PGSQL.6000/d as os",
        ),
        (
            "postgresql:///d?host=/run/pg&port=6000",
            "/run/pg/.s.PGSQL.6000/d as os",
        ),
        ("postgresql:///d?host=a,b&port=1,2", "a:1,b:2/d as os"),
        ("postgresql://h/d?hostaddr=10.0.0.1", "h:5432/d as os"),
        ("postgresql:///d?hostaddr=10.0.0.1", "10.0.0.1:5432/d as os"),
        ("postgresql://h/d?dbname=e&user=w", "h:5432/e as w"),
        (
            "postgresql://%75ser:p%40ss@h/a%20b%2Fc",
            "h:5432/a b/c as user",
        ),
        (" postgres://u@h/d\n", "h:5432/d as u"),
    ];
    for (text, read) in cases {
        assert_eq!(
            parse(text).map(|options| options.to_string()).as_deref(),
            Ok(read),
            "{text}"
        );
    }
}

#[test]
fn every_form_of_keywords_is_read() {
    let cases = [
        ("host=h port=6000 dbname=d user=u", "h:6000/d as u"),
        ("host = h  port= 6000\tdbname =d\nuser=u", "h:6000/d as u"),
        (
            r"host=h dbname='a \'quoted\' one' user=back\\slash",
            r"h:5432/a 'quoted' one as back\slash",
        ),
        ("host=h dbname='' user=u", "h:5432/u as u"),
        (
            "host=/run/pg user=u dbname=d",
            "/run/pg/.s.PGSQL.5432/d as u",
        ),
        ("host=a,b port=1,2 user=u", "a:1,b:2/u as u"),
        ("host=a,b port=,2 user=u", "a:5432,b:2/u as u"),
        (
            "hostaddr=10.0.0.1,::1 host=a,b user=u",
            "a:5432,b:5432/u as u",
        ),
    ];
    for (text, read) in cases {
        assert_eq!(
            parse(text).map(|options| options.to_string()).as_deref(),
            Ok(read),
            "{text}"
        );
    }
}

#[cfg(unix)]
#[test]
fn the_usual_sockets_are_where_nothing_says_otherwise() {
    for text in ["", "postgres://", "postgresql:///", "host=''"] {
        let read = parse(text).unwrap().to_string();
        assert_eq!(read, format!("{SOCKETS}/os as os"), "{text}");
    }
}

#[test]
fn the_environment_fills_in_what_the_text_leaves_out() {
    let variables = [
        ("PGHOST", "envhost"),
        ("PGPORT", "6000"),
        ("PGUSER", "envuser"),
        ("PGPASSWORD", "envpassword"),
        ("PGDATABASE", "envdatabase"),
        ("USER", "os"),
    ];
    let cases = [
        ("", "envhost:6000/envdatabase as envuser", "envpassword"),
        (
            "postgres://",
            "envhost:6000/envdatabase as envuser",
            "envpassword",
        ),
        ("postgres:///d", "envhost:6000/d as envuser", "envpassword"),
        ("postgres://u@h/d", "h:6000/d as u", "envpassword"),
        ("postgres://u:p@h:1/d", "h:1/d as u", "p"),
        (
            "user=u password='a b'",
            "envhost:6000/envdatabase as u",
            "a b",
        ),
        (
            "dbname='' host=h",
            "h:6000/envuser as envuser",
            "envpassword",
        ),
    ];
    for (text, read, secret) in cases {
        let options = filled(text, &variables).unwrap();
        assert_eq!(options.to_string(), read, "{text}");
        assert_eq!(password(&options), secret, "{text}");
    }
    let nobody = ConnectOptions::parse("postgres://h/d");
    assert_eq!(nobody.unwrap_err(), ConnectOptionsError::NoUser);
}

#[test]
fn passwords_are_decoded() {
    let cases = [
        ("postgres://u:p%40%3A%2F%3f%25@h", "p@:/?%"),
        ("postgres://u:a:b?c#d@h", "a:b?c#d"),
        ("postgres://u:g%C3%A9h%C3%A9im@h", "géhéim"),
        ("postgres://u@h?password=a%26b", "a&b"),
        (r"host=h user=u password='a b\'c\\d'", r"a b'c\d"),
        (r"host=h user=u password=a\ b", "a b"),
    ];
    for (text, secret) in cases {
        assert_eq!(password(&parse(text).unwrap()), secret, "{text}");
    }
}

#[test]
fn what_is_wrong_is_said() {
    let cases = [
        ("mysql://h/d", "postgres://"),
        ("polls", "no ="),
        ("host=h polls", "no ="),
        ("host=h some thing=1", "between two settings"),
        ("host='h", "does not end"),
        ("postgres://u@[::1/d", "IPv6"),
        ("postgres://u@[::1]5/d", "IPv6"),
        ("postgres://u@h/d?sslmode", "no = between"),
        ("postgres://u@h/%zz", "the database has a %"),
        ("postgres://u@h/%0", "the database has a %"),
        ("postgres://u@h/%00", "%00"),
        ("postgres://u@h/%ff", "UTF-8"),
        ("postgres://u@h:0/d", "between 1 and 65535"),
        ("postgres://u@h:65536/d", "between 1 and 65535"),
        ("postgres://u@h:http/d", "between 1 and 65535"),
        ("host=a,b,c port=1,2", "one port for all"),
        ("host=a,b hostaddr=10.0.0.1", "as many addresses"),
        ("hostaddr=localhost", "IP addresses"),
        (
            "postgres://u@h/d?colour=red",
            "\"colour\", which is no setting",
        ),
        (
            "host=h sslmode=on",
            "sslmode is \"on\"; it must be disable, prefer, require, verify-ca, verify-full",
        ),
        ("host=h sslmode=allow", "sslmode=allow is not supported"),
        (
            "host=h sslrootcert=system sslmode=require",
            "verify-full where",
        ),
        ("host=h sslcert=a.pem", "sslcert"),
        ("host=h sslnegotiation=direct", "sslmode is require"),
        ("host=h connect_timeout=soon", "connect_timeout is \"soon\""),
        (
            "host=h target_session_attrs=standby",
            "any, read-write, primary",
        ),
        ("host=h service=polls", "PGSERVICE"),
        ("host=h gssencmode=require", "gssencmode"),
        ("host=h require_auth=scram-sha-256", "require_auth"),
    ];
    for (text, said) in cases {
        let error = parse(text).map(|options| options.to_string()).unwrap_err();
        assert!(error.to_string().contains(said), "{text}: {error}");
    }
}

#[test]
fn no_message_repeats_a_password() {
    let texts = [
        "postgres://u:s3cret@h/d",
        "postgres://u:s3cret/x@h/d",
        "postgres://u:1/s3cret@h/d",
        "postgres://u:x@s3cret@h/d",
        "postgres://u:p?s3cret@h:x/d",
        "postgres://u:p/x?s3cret=@h/d",
        "postgres://u:s3cret%@h/d",
        "postgres://u:%ffs3cret@h/d",
        "host=h user=u password=a s3cret",
        "host=h user=u password=a s3cret=b",
        "host=h user=u password='s3cret",
        "host=h user=u password=s3cret port=x",
    ];
    for text in texts {
        let said = match parse(text) {
            Ok(options) => format!("{options} {options:?}"),
            Err(error) => format!("{error} {error:?}"),
        };
        assert!(!said.contains("s3cret"), "{text}: {said}");
    }
}

#[test]
fn timeouts_have_the_units_of_libpq() {
    let config = |text: &str| {
        let options = parse(text).unwrap();
        options.config_for(&options.hosts[0]).unwrap()
    };
    let usual = config("postgres://u@h");
    assert_eq!(usual.get_connect_timeout().unwrap().as_secs(), 5);
    assert_eq!(usual.get_keepalives_idle().as_secs(), 30);
    assert_eq!(usual.get_tcp_user_timeout().unwrap().as_secs(), 30);
    assert_eq!(usual.get_application_name(), Some("polling"));
    assert_eq!(usual.get_options(), None);
    let set = config(
        "postgres://u@h?connect_timeout=9&keepalives_idle=8&keepalives_interval=7&keepalives_count=6\
         &tcp_user_timeout=1500&application_name=mine&options=-c%20jit%3Doff",
    );
    assert_eq!(set.get_connect_timeout().unwrap().as_secs(), 9);
    assert_eq!(set.get_keepalives_idle().as_secs(), 8);
    assert_eq!(set.get_keepalives_interval().unwrap().as_secs(), 7);
    assert_eq!(set.get_keepalives_retries(), Some(6));
    assert_eq!(set.get_tcp_user_timeout().unwrap().as_millis(), 1_500);
    assert_eq!(set.get_application_name(), Some("mine"));
    assert_eq!(set.get_options(), Some("-c jit=off"));
    let off = config("postgres://u@h?connect_timeout=0&keepalives=0&tcp_user_timeout=0");
    assert_eq!(off.get_connect_timeout(), None);
    assert!(!off.get_keepalives());
    assert_eq!(off.get_tcp_user_timeout(), None);
}
