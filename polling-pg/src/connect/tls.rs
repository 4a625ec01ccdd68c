//! What `sslmode` and its sisters mean, as a connector.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::config::{SslMode, SslNegotiation};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::hosts::Host;
use super::settings::Settings;
use super::verifier::{Checks, Verifier};
use super::{ConnectError, ConnectOptionsError};

/// How connections are encrypted, and what is asked of the server's certificate.
#[derive(Clone, Debug)]
pub(super) struct TlsOptions {
    mode: Mode,
    /// The system's where there is none.
    roots: Option<PathBuf>,
    client: Option<(PathBuf, PathBuf)>,
    pub(super) negotiation: SslNegotiation,
    server_name: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Disable,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

impl TlsOptions {
    pub(super) fn new(settings: &Settings) -> Result<Self, ConnectOptionsError> {
        if settings.get("sslmode") == Some("allow") {
            return Err(ConnectOptionsError::SslModeAllow);
        }
        let modes = [
            ("disable", Mode::Disable),
            ("prefer", Mode::Prefer),
            ("require", Mode::Require),
            ("verify-ca", Mode::VerifyCa),
            ("verify-full", Mode::VerifyFull),
        ];
        let negotiations = [
            ("postgres", SslNegotiation::Postgres),
            ("direct", SslNegotiation::Direct),
        ];
        let system = settings.get("sslrootcert") == Some("system");
        let mode = settings.choice("sslmode", &modes)?;
        // Everybody has a certificate from a public root, so one that names another host proves nothing.
        let mode = match (mode, system) {
            (None, true) => Mode::VerifyFull,
            (Some(mode), true) if mode != Mode::VerifyFull => {
                return Err(
                    settings.wrong("sslmode", "verify-full where sslrootcert is \"system\"")
                );
            }
            (mode, _) => mode.unwrap_or(Mode::Prefer),
        };
        let negotiation = settings.choice("sslnegotiation", &negotiations)?;
        let negotiation = negotiation.unwrap_or(SslNegotiation::Postgres);
        if negotiation == SslNegotiation::Direct && matches!(mode, Mode::Disable | Mode::Prefer) {
            return Err(settings.wrong(
                "sslnegotiation",
                "postgres unless sslmode is require or more",
            ));
        }
        Ok(Self {
            mode,
            roots: settings
                .get("sslrootcert")
                .filter(|_| !system)
                .map(PathBuf::from),
            client: match (settings.get("sslcert"), settings.get("sslkey")) {
                (Some(certificate), Some(key)) => Some((certificate.into(), key.into())),
                (None, None) => None,
                (Some(_), None) => return Err(settings.wrong("sslcert", "given with sslkey")),
                (None, Some(_)) => return Err(settings.wrong("sslkey", "given with sslcert")),
            },
            negotiation,
            server_name: settings.number("sslsni")? != Some(0),
        })
    }

    /// A socket is not encrypted, whatever is asked for elsewhere: nobody is in between.
    pub(super) fn mode_for(&self, host: &Host) -> SslMode {
        match self.mode {
            _ if host.is_socket() => SslMode::Disable,
            Mode::Disable => SslMode::Disable,
            Mode::Prefer => SslMode::Prefer,
            Mode::Require | Mode::VerifyCa | Mode::VerifyFull => SslMode::Require,
        }
    }

    fn checks(&self) -> Checks {
        match self.mode {
            Mode::Disable | Mode::Prefer => Checks::Nothing,
            // As libpq has it: a root that was given is there to be looked at.
            Mode::Require if self.roots.is_some() => Checks::Chain,
            Mode::Require => Checks::Nothing,
            Mode::VerifyCa => Checks::Chain,
            Mode::VerifyFull => Checks::ChainAndName,
        }
    }

    /// Reads the certificates that are asked for.
    pub(super) fn connector(&self) -> Result<MakeRustlsConnect, ConnectError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let checks = self.checks();
        let roots = match (&self.roots, checks) {
            (_, Checks::Nothing) => Vec::new(),
            (Some(path), _) => certificates(path)?,
            (None, _) => system_roots()?,
        };
        let verifier = Verifier::new(checks, roots, provider.signature_verification_algorithms)
            .map_err(ConnectError::setup)?;
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(ConnectError::setup)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let mut config = match &self.client {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let chain = certificates(certificate)?;
                let key = PrivateKeyDer::from_pem_file(key)
                    .map_err(|source| ConnectError::file(key, source))?;
                builder
                    .with_client_auth_cert(chain, key)
                    .map_err(ConnectError::setup)?
            }
        };
        config.enable_sni = self.server_name;
        if self.negotiation == SslNegotiation::Direct {
            config.alpn_protocols = vec![b"postgresql".to_vec()];
        }
        Ok(MakeRustlsConnect::new(config))
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, ConnectError> {
    let read = || CertificateDer::pem_file_iter(path)?.collect::<Result<Vec<_>, _>>();
    match read() {
        Ok(found) if found.is_empty() => {
            Err(ConnectError::file(path, "there is no certificate in it"))
        }
        Ok(found) => Ok(found),
        Err(source) => Err(ConnectError::file(path, source)),
    }
}

fn system_roots() -> Result<Vec<CertificateDer<'static>>, ConnectError> {
    let found = rustls_native_certs::load_native_certs();
    match found.errors.into_iter().next() {
        Some(error) if found.certs.is_empty() => Err(ConnectError::setup(error)),
        None if found.certs.is_empty() => Err(ConnectError::setup(
            "the system has no root certificates: install them, or name a file with sslrootcert",
        )),
        _ => Ok(found.certs),
    }
}

/// Those of `certificates` that can be a root. A system has some that cannot be read, which is no reason to stop.
pub(super) fn root_store(certificates: &[CertificateDer<'static>]) -> RootCertStore {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(certificates.iter().cloned());
    store
}
