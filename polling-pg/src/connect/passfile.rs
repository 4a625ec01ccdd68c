//! The password file, which keeps passwords out of URLs and variables: lines of `host:port:database:user:password`.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use polling_core::log_each_second;

use super::ConnectError;
use super::hosts::Host;

/// The password for this place, where the file has one. Most people have no such file, which is not an error.
pub(super) fn password(
    path: &Path,
    host: &Host,
    database: &str,
    user: &str,
) -> Result<Option<String>, ConnectError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(ConnectError::file(path, error)),
    };
    if others_may_read(path) {
        log_each_second!(
            warn,
            "the password file is left aside, as others may read it: take that away with chmod 0600",
            path = %path.display()
        );
        return Ok(None);
    }
    Ok(find(&text, host, database, user))
}

#[cfg(unix)]
fn others_may_read(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(path).is_ok_and(|file| file.mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn others_may_read(_: &Path) -> bool {
    false
}

fn find(text: &str, host: &Host, database: &str, user: &str) -> Option<String> {
    // As libpq has it: the usual socket goes by the name of localhost.
    let name = match host.is_usual_socket() {
        true => "localhost",
        false => &host.name,
    };
    let port = host.port.to_string();
    let wanted = [name, &port, database, user];
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(fields).find_map(|mut fields| {
        let fits = fields.len() == 5
            && (fields.iter().zip(wanted)).all(|(field, wanted)| {
                matches!(field, Field::Any) || matches!(field, Field::Text(text) if text == wanted)
            });
        match fields.pop() {
            Some(Field::Text(password)) if fits => Some(password),
            _ => None,
        }
    })
}

enum Field {
    Any,
    Text(String),
}

/// The five fields of a line. A backslash takes a colon or a backslash as it stands; what is left is the password.
fn fields(line: &str) -> Vec<Field> {
    let mut fields = Vec::new();
    let mut field = String::new();
    let mut escaped = false;
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => {
                escaped = true;
                field.extend(characters.next());
            }
            ':' if fields.len() < 4 => {
                let any = field == "*" && !escaped;
                let text = std::mem::take(&mut field);
                fields.push(if any { Field::Any } else { Field::Text(text) });
                escaped = false;
            }
            other => field.push(other),
        }
    }
    fields.push(Field::Text(field));
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
# host:port:database:user:password
db:5432:polls:ann:first
db:*:*:ann:any port and database
localhost:5432:polls:*:by the socket
\\*:5432:polls:ann:a host named asterisk
*:*:*:bob:c\\:o\\\\l:on
";

    fn found(name: &str, port: u16, database: &str, user: &str) -> Option<String> {
        let host = Host {
            name: name.to_owned(),
            address: None,
            port,
        };
        find(FILE, &host, database, user)
    }

    #[test]
    fn the_first_line_that_fits_has_the_password() {
        assert_eq!(found("db", 5432, "polls", "ann").unwrap(), "first");
        assert_eq!(
            found("db", 5433, "polls", "ann").unwrap(),
            "any port and database"
        );
        assert_eq!(found("other", 5432, "polls", "ann"), None);
    }

    #[test]
    fn the_usual_socket_goes_by_the_name_of_localhost() {
        let usual = found("/var/run/postgresql", 5432, "polls", "ann");
        assert_eq!(usual.unwrap(), "by the socket");
        assert_eq!(found("/elsewhere", 5432, "polls", "ann"), None);
    }

    #[test]
    fn a_backslash_takes_a_colon_as_it_stands() {
        assert_eq!(found("db", 5432, "polls", "bob").unwrap(), "c:o\\l:on");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_may_read_is_left_aside() {
        use std::os::unix::fs::PermissionsExt;
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "*:*:*:*:secret\n").unwrap();
        let host = Host {
            name: "db".to_owned(),
            address: None,
            port: 5432,
        };
        let with_mode = |mode| {
            fs::set_permissions(file.path(), fs::Permissions::from_mode(mode)).unwrap();
            password(file.path(), &host, "polls", "ann").unwrap()
        };
        assert_eq!(with_mode(0o600).as_deref(), Some("secret"));
        assert_eq!(with_mode(0o640), None);
    }
}
