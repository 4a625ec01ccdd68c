use super::*;

fn read(flags: &[&str], environment: &[(&str, &str)]) -> Result<Settings, clap::Error> {
    let variable = |name: &str| {
        let found = environment.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let arguments = Arguments::try_parse_from(["server"].iter().chain(flags)).unwrap();
    Settings::of(arguments, variable)
}

fn printed(url: &str, environment: &[(&str, &str)]) -> String {
    let settings = read(&["--database-url", url], environment);
    settings.unwrap().database.to_string()
}

#[test]
fn what_follows_the_slashes_is_the_path_as_it_stands() {
    assert_eq!(printed("sqlite::memory:", &[]), "sqlite::memory:");
    for url in ["sqlite://polling.db", "sqlite:///var/lib/a b?.db"] {
        let log = " database-log=134217728 database-log-limit=4294967296";
        assert_eq!(printed(url, &[]), format!("{url}{log}"));
    }
    for bad in ["", "sqlite:", "sqlite://", "sqlite:polling.db", "mysql://x"] {
        assert!(read(&["--database-url", bad], &[]).is_err(), "{bad}");
    }
}

#[test]
fn a_postgresql_is_named_in_every_form_of_libpq() {
    let variables = [("PGHOST", "db.example.org"), ("PGUSER", "ada")];
    for url in [
        "postgres://ada@db.example.org:5432/polls",
        "postgresql:///polls",
        "dbname=polls",
        "host=db.example.org dbname=polls user=ada",
    ] {
        let printed = printed(url, &variables);
        let place = "\"PostgreSQL, db.example.org:5432/polls as ada\"";
        assert!(printed.starts_with(place), "{printed}");
        let rest = " database-schema=polling database-connections=8 database-wait=60s";
        assert!(printed.ends_with(rest), "{printed}");
    }
}

#[test]
fn the_platforms_port_is_honoured_where_no_address_is_given() {
    let listen = |flags| read(flags, &[]).unwrap().listen.to_string();
    assert_eq!(listen(&["--port", "9000"]), "0.0.0.0:9000");
    assert_eq!(
        listen(&["--port", "9000", "--listen", "127.0.0.1:1"]),
        "127.0.0.1:1"
    );
}

#[test]
fn there_is_a_thread_for_every_two_cores_unless_somebody_says_otherwise() {
    for (cores, threads) in [(1, 1), (2, 1), (3, 1), (4, 2), (64, 32)] {
        let cores = NonZeroUsize::new(cores).unwrap();
        assert_eq!(threads_for(Ok(cores)).get(), threads, "{cores}");
    }
    let unknown = std::io::Error::other("nobody counted them");
    assert_eq!(threads_for(Err(unknown)).get(), 1);
    assert_eq!(read(&["--threads", "3"], &[]).unwrap().threads.get(), 3);
    assert!(Arguments::try_parse_from(["server", "--threads", "0"]).is_err());
}

#[test]
fn an_empty_list_of_origins_is_none() {
    assert_eq!(origins(&[String::new()]), Vec::<String>::new());
    assert_eq!(
        origins(&[" https://a.example/".into(), "*".into()]),
        ["https://a.example", "*"]
    );
}

#[test]
fn secrets_are_never_printed() {
    let secret = "correct horse battery staple, 2026";
    let secret = secret.replace(',', "");
    let keys = format!("new:{secret},old:{secret}");
    let url = "postgres://ada:horse@db.example.org/polls";
    let settings = read(&["--jwt-keys", &keys, "--database-url", url], &[]).unwrap();
    assert_eq!(settings.token_keys.len(), 2);
    assert!(!format!("{settings} {:?}", settings.token_keys).contains("horse"));
    for wrong in [
        ["--jwt-keys", "horse"],
        ["--database-url", "horse"],
        ["--database-url", "postgres://ada:horse/battery@db/polls"],
        ["--database-url", "postgres://ada:horse@db/polls?sslmode=x"],
    ] {
        let told = read(&wrong, &[]).err().unwrap().to_string();
        assert!(told.contains(wrong[0]) && !told.contains("horse"), "{told}");
    }
}

#[test]
fn limits_are_named_and_what_is_not_stays_as_it_is() {
    let settings = read(
        &[
            "--limits",
            "login=3/60, vote=600/60,sign_up=off,invitation_mail=2/60",
        ],
        &[],
    )
    .unwrap();
    let printed = settings.to_string();
    for part in [
        "login=3/60,",
        "vote=600/60 ",
        "=sign_up=off,",
        "create_poll=60/60,",
        "invite=100/3600,",
        "invitation_mail=2/60,",
    ] {
        assert!(printed.contains(part), "{part}: {printed}");
    }
    for wrong in ["login", "login=x", "login=0/60", "login=10", "logins=10/60"] {
        let told = read(&["--limits", wrong], &[]).err().unwrap().to_string();
        assert!(told.contains("--limits"), "{told}");
    }
    assert!(read(&["--limits", ""], &[]).is_ok());
}

#[test]
fn what_visitors_may_do_is_switched_on_and_off() {
    let settings = read(&["--sign-up", "false", "--docs", "false"], &[]).unwrap();
    let features = &settings.visitors.features;
    assert!(!features.sign_up && features.import && features.anonymous_polls);
    assert!(!settings.visitors.docs);
    let printed = settings.to_string();
    assert!(printed.contains("sign-up=false anonymous-polls=true import=true docs=false"));
}

#[test]
fn trusted_proxies_are_networks() {
    let printed = |list| read(&["--trusted-proxies", list], &[]).map(|read| read.to_string());
    let printed_all = printed("10.0.0.0/8, ::1").ok().unwrap();
    assert!(printed_all.contains("trusted-proxies=\"10.0.0.0/8,::1/128\""));
    let told = printed("proxy.example.org").err().unwrap().to_string();
    assert!(told.contains("--trusted-proxies"), "{told}");
}

#[test]
fn an_administrator_is_named_by_an_address() {
    let settings = read(&["--admin-email", "root@example.org"], &[]).unwrap();
    let administrator = settings.administrator.as_ref().unwrap();
    assert_eq!(administrator.as_str(), "root@example.org");
    assert!(!settings.to_string().contains("root@"));
    assert!(read(&["--admin-email", "root"], &[]).is_err());
    assert!(
        read(&["--admin-email", " "], &[])
            .unwrap()
            .administrator
            .is_none()
    );
}

#[test]
fn the_database_of_a_command_is_named_before_it_or_behind_it() {
    let (database, memory) = ("--database-url", "sqlite::memory:");
    for flags in [
        [database, memory, "admin", "grant", "ada@example.org"],
        ["admin", "grant", "ada@example.org", database, memory],
    ] {
        let settings = read(&flags, &[]).unwrap();
        assert!(settings.command.is_some());
        assert_eq!(settings.database.to_string(), memory);
    }
    assert!(read(&[], &[]).unwrap().command.is_none());
}
