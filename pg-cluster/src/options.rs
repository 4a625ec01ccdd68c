//! What a cluster is to be like.

use crate::programs::Version;

/// What a cluster is to be like. Without more, it is quick, and would not survive a crash of the
/// machine.
#[derive(Clone, Debug)]
pub struct ClusterOptions {
    pub(crate) version: Version,
    max_connections: u16,
    is_durable: bool,
    config: Vec<String>,
    hba: Vec<String>,
    pub(crate) files: Vec<(String, Vec<u8>)>,
}

impl ClusterOptions {
    /// A quick cluster: trusts everyone on the loopback interface, and never syncs its files.
    pub fn new(version: Version) -> Self {
        Self {
            version,
            max_connections: 400,
            is_durable: false,
            config: Vec::new(),
            hba: Vec::new(),
            files: Vec::new(),
        }
    }

    /// Syncs what is committed, as a server in production does. Then a start after a crash takes
    /// seconds: it syncs every file there is.
    #[must_use]
    pub fn durable(mut self) -> Self {
        self.is_durable = true;
        self
    }

    /// How many clients it serves at once; 400 without.
    #[must_use]
    pub fn max_connections(mut self, clients: u16) -> Self {
        self.max_connections = clients;
        self
    }

    /// One more line of `postgresql.conf`; the last word on a setting wins.
    #[must_use]
    pub fn config(mut self, line: impl Into<String>) -> Self {
        self.config.push(line.into());
        self
    }

    /// One line of `pg_hba.conf`. With the first, nobody else is let in any more, but for the
    /// superuser over the socket, who makes the databases.
    #[must_use]
    pub fn hba(mut self, line: impl Into<String>) -> Self {
        self.hba.push(line.into());
        self
    }

    /// A file in the data directory that only the server can read: a key, say. The settings name
    /// it without a path.
    #[must_use]
    pub fn file(mut self, name: impl Into<String>, content: impl Into<Vec<u8>>) -> Self {
        self.files.push((name.into(), content.into()));
        self
    }

    /// What is added to `postgresql.conf`.
    pub(crate) fn config_text(&self, socket_directory: &str) -> String {
        let switch = if self.is_durable { "on" } else { "off" };
        let mut text = format!(
            "\nlisten_addresses = '127.0.0.1'\n\
             unix_socket_directories = '{}'\n\
             max_connections = {}\n\
             shared_buffers = '64MB'\n\
             fsync = {switch}\n\
             full_page_writes = {switch}\n\
             log_min_messages = warning\n\
             log_line_prefix = '%m [%p] %q%u@%d '\n",
            socket_directory.replace('\'', "''"),
            self.max_connections,
        );
        for line in &self.config {
            text += line;
            text.push('\n');
        }
        text
    }

    /// Copying files is quickest, above all for many at once, unless each has to be synced.
    pub(crate) fn copying_strategy(&self) -> &'static str {
        if self.is_durable {
            "WAL_LOG"
        } else {
            "FILE_COPY"
        }
    }

    pub(crate) fn hba_text(&self) -> String {
        let everybody = [
            "local all all trust".to_owned(),
            "host all all 127.0.0.1/32 trust".to_owned(),
        ];
        let lines = if self.hba.is_empty() {
            &everybody[..]
        } else {
            &self.hba
        };
        format!("local all postgres trust\n{}\n", lines.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_ones_own_comes_after_the_usual_ones() {
        let options = ClusterOptions::new(Version::V18).config("fsync = on");
        let text = options.config_text("/tmp/it's");
        let at = |line: &str| text.find(line).unwrap();
        assert!(at("fsync = off") < at("fsync = on"));
        assert!(text.contains("'/tmp/it''s'"));
    }

    #[test]
    fn lines_about_who_comes_in_replace_the_open_door() {
        let options = ClusterOptions::new(Version::V18);
        assert!(
            options
                .hba_text()
                .contains("host all all 127.0.0.1/32 trust")
        );
        let text = options.hba("host all all 127.0.0.1/32 md5").hba_text();
        assert!(!text.contains("all trust"), "{text}");
        assert!(text.starts_with("local all postgres trust\n"), "{text}");
    }
}
