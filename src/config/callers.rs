//! Who may call: credentials of receivers, the doors of the service, TLS.

use std::collections::{BTreeMap, BTreeSet};

use super::judge::Judge;
use super::settings;
use crate::routing::Access;
use crate::secrets::SecretSource;

impl Judge<'_> {
    /// What a caller of this receiver may show.
    pub(super) fn access(&mut self, name: &str, receiver: &settings::Receiver) -> Access {
        if let Some(file) = &receiver.bearer_token_file {
            self.file(&["receivers", name, "bearer_token_file"], file);
        }
        Access {
            bearer_tokens: receiver.bearer_token_file.clone().map(SecretSource::File),
            logins: self.logins(name, &receiver.basic_auth),
            subjects: self.subjects(name, &receiver.client_subjects),
        }
    }

    fn logins(
        &mut self,
        name: &str,
        logins: &[settings::BasicAuth],
    ) -> Vec<(String, SecretSource)> {
        let mut known = BTreeSet::new();
        let mut found = Vec::new();
        for (index, login) in logins.iter().enumerate() {
            let index = index.to_string();
            let at = |key| ["receivers", name, "basic_auth", index.as_str(), key];
            let username = login.username.as_str();
            if username.is_empty() || username.contains(':') || username.contains(char::is_control)
            {
                if !self.noted(&at("username")) {
                    self.error(
                        &at("username"),
                        "this cannot be the name of a caller",
                        "write what stands in `http_config.basic_auth.username` of \
                         Alertmanager's webhook; a name has no colon",
                    );
                }
            } else if !known.insert(username) {
                self.error(
                    &at("username"),
                    "this name stands here twice",
                    "write its passwords into one file, one a line",
                );
            }
            match &login.password_file {
                Some(file) => {
                    self.file(&at("password_file"), file);
                    found.push((username.to_owned(), SecretSource::File(file.clone())));
                }
                None if self.noted(&at("password_file")) => {}
                None => self.error(
                    &["receivers", name, "basic_auth", &index],
                    "this name has no password",
                    "write `password_file` below it",
                ),
            }
        }
        found
    }

    fn subjects(&mut self, name: &str, subjects: &[String]) -> Vec<String> {
        for (index, subject) in subjects.iter().enumerate() {
            let strange = subject.is_empty()
                || subject.contains(['*', ',', '='])
                || subject.contains(|c: char| c.is_control() || c.is_whitespace());
            if strange {
                self.error(
                    &["receivers", name, "client_subjects", &index.to_string()],
                    "this is no name that a certificate is told by",
                    "write a DNS name or a URI of the certificate's subjectAltName, whole, \
                     such as `alertmanager.monitoring.svc`; its common name (CN=…) does not count",
                );
            }
        }
        // DNS names have no case, URIs have.
        let normal = |subject: &String| {
            if subject.contains(':') {
                subject.clone()
            } else {
                subject.to_ascii_lowercase()
            }
        };
        subjects.iter().map(normal).collect()
    }

    /// How the service is reached, and by whom.
    pub(super) fn doors(
        &mut self,
        server: &settings::Server,
        receivers: &BTreeMap<String, settings::Receiver>,
    ) {
        if let Some(file) = &server.admin_bearer_token_file {
            self.file(&["server", "admin_bearer_token_file"], file);
        }
        if server.admin_listen == Some(server.listen) && server.listen.port() != 0 {
            self.error(
                &["server", "admin_listen"],
                "this is the same as `server.listen`",
                "choose another port, or leave it out",
            );
        }
        self.prefix(&server.path_prefix);
        self.tls(&server.tls);
        for (name, receiver) in receivers {
            if !receiver.client_subjects.is_empty() && server.tls.client_ca_file.is_none() {
                self.error(
                    &["receivers", name, "client_subjects"],
                    "no certificate can be checked, since no CA is known",
                    "write `client_ca_file` below `[server.tls]`",
                );
            }
        }
        if !server.open {
            self.closed(server, receivers);
        }
    }

    /// With `open = false` nothing may be reached without credentials.
    fn closed(
        &mut self,
        server: &settings::Server,
        receivers: &BTreeMap<String, settings::Receiver>,
    ) {
        for (name, receiver) in receivers {
            let path = |key| ["receivers", name.as_str(), key];
            let wants = receiver.bearer_token_file.is_some()
                || !receiver.basic_auth.is_empty()
                || !receiver.client_subjects.is_empty();
            let was_told = ["bearer_token_file", "basic_auth", "client_subjects"]
                .iter()
                .any(|key| self.noted(&path(key)));
            if !wants && !was_told {
                self.error(
                    &["receivers", name],
                    "this receiver asks for no credentials, and `server.open` is false",
                    "write `bearer_token_file`, `basic_auth` or `client_subjects` below it",
                );
            }
        }
        let admin = ["server", "admin_listen"];
        let token = ["server", "admin_bearer_token_file"];
        let is_guarded = server.admin_listen.is_some() || server.admin_bearer_token_file.is_some();
        if !is_guarded && !self.noted(&admin) && !self.noted(&token) {
            self.error(
                &["server", "open"],
                "metrics would be open to everybody who reaches the port",
                "write `admin_listen` or `admin_bearer_token_file` below `[server]`",
            );
        }
    }

    /// What every path begins with: `/` and words, none of them empty.
    fn prefix(&mut self, prefix: &str) {
        let word = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let is_sound = prefix.is_empty()
            || prefix.strip_prefix('/').is_some_and(|rest| {
                rest.split('/').all(|part| {
                    !part.is_empty() && part.chars().all(word) && part != "." && part != ".."
                })
            });
        if !is_sound {
            self.error(
                &["server", "path_prefix"],
                "this cannot be the beginning of a path",
                "write it like `/webex`: a slash in front, none at the end",
            );
        }
    }

    fn tls(&mut self, tls: &settings::Tls) {
        let keys = [
            ("cert_file", &tls.cert_file),
            ("key_file", &tls.key_file),
            ("client_ca_file", &tls.client_ca_file),
        ];
        for (key, file) in keys {
            if let Some(file) = file {
                self.file(&["server", "tls", key], file);
            }
        }
        let missing = match (&tls.cert_file, &tls.key_file) {
            (Some(_), Some(_)) => return,
            (None, None) if tls.client_ca_file.is_none() => return,
            (None, _) => "cert_file",
            (Some(_), None) => "key_file",
        };
        if !self.noted(&["server", "tls", missing]) {
            self.error(
                &["server", "tls"],
                format!("`{missing}` is missing, without which there is no TLS"),
                "write `cert_file` and `key_file` below `[server.tls]`",
            );
        }
    }
}
