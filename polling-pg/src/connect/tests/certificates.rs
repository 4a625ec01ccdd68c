//! Certificates of one's own.

use std::path::{Path, PathBuf};

use pg_cluster::{Cluster, ClusterOptions, Version};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use x509_cert::der::pem::LineEnding;
use x509_cert::der::{DecodePem, EncodePem};

/// A root that signs certificates, in a file.
pub(in crate::connect) struct Root {
    directory: tempfile::TempDir,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key, in PEM.
pub(in crate::connect) struct Signed {
    pub(in crate::connect) certificate: String,
    pub(in crate::connect) key: String,
}

impl Root {
    pub(in crate::connect) fn new(name: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let key = KeyPair::generate().unwrap();
        let params = authority(name);
        let certificate = params.self_signed(&key).unwrap();
        std::fs::write(directory.path().join("root.pem"), certificate.pem()).unwrap();
        Self {
            directory,
            issuer: Issuer::new(params, key),
        }
    }

    pub(in crate::connect) fn file(&self) -> PathBuf {
        self.directory.path().join("root.pem")
    }

    /// A certificate for a server of these names, or for a client of this common name.
    pub(in crate::connect) fn sign(&self, names: &[&str], common_name: &str) -> Signed {
        let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params
            .distinguished_name
            .push(DnType::CommonName, common_name);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Signed {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        }
    }
}

/// What makes a certificate of its own, as `openssl req -x509` does: it is its own root.
pub(in crate::connect) fn self_signed(name: &str) -> Signed {
    let mut params = authority(name);
    params.subject_alt_names = CertificateParams::new([name.to_owned()])
        .unwrap()
        .subject_alt_names;
    let key = KeyPair::generate().unwrap();
    Signed {
        certificate: params.self_signed(&key).unwrap().pem(),
        key: key.serialize_pem(),
    }
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new([]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

impl Signed {
    /// The same without what came with version 3, as a bare `openssl x509 -req` makes it. Its signature does not fit any
    /// more, which only those see who ask for a root.
    pub(in crate::connect) fn of_version_1(mut self) -> Self {
        let mut certificate = x509_cert::Certificate::from_pem(&self.certificate).unwrap();
        certificate.tbs_certificate.version = x509_cert::Version::V1;
        certificate.tbs_certificate.extensions = None;
        self.certificate = certificate.to_pem(LineEnding::LF).unwrap();
        self
    }

    /// A server with this certificate. Clients that have one of their own must have it from `clients`.
    pub(in crate::connect) fn server(&self, clients: Option<&Path>) -> Cluster {
        let mut options = ClusterOptions::new(Version::Installed)
            .file("server.crt", self.certificate.as_bytes())
            .file("server.key", self.key.as_bytes())
            .config("ssl = on");
        if let Some(root) = clients {
            options = options
                .file("clients.crt", std::fs::read(root).unwrap())
                .config("ssl_ca_file = 'clients.crt'")
                .hba("hostssl all all 127.0.0.1/32 cert");
        }
        Cluster::start(&options).unwrap()
    }
}
