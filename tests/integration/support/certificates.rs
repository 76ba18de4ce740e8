//! Certificates for a server of a test's own, made by `openssl`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// An authority, and what it gave to a server on 127.0.0.1.
pub struct Certificates {
    /// Who signed; what a client trusts.
    pub ca: PathBuf,
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Certificates {
    /// Makes them in a folder.
    pub fn new(folder: &Path) -> Self {
        std::fs::create_dir_all(folder).expect("a folder");
        let path = |name: &str| folder.join(name);
        let text = |name: &str| path(name).display().to_string();
        let key = ["-newkey", "rsa:2048", "-nodes"];
        openssl(
            &[
                &["req", "-x509", "-days", "2", "-subj", "/CN=Test CA", "-keyout", &text("ca.key"), "-out", &text("ca.pem")],
                &key[..],
            ]
            .concat(),
        );
        openssl(
            &[&["req", "-subj", "/CN=server", "-keyout", &text("server.key"), "-out", &text("server.csr")], &key[..]].concat(),
        );
        std::fs::write(path("names"), "subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n").expect("a file");
        let (request, names) = (text("server.csr"), text("names"));
        let signer = [text("ca.pem"), text("ca.key")];
        openssl(&[
            "x509",
            "-req",
            "-in",
            &request,
            "-CA",
            &signer[0],
            "-CAkey",
            &signer[1],
            "-CAcreateserial",
            "-days",
            "2",
            "-extfile",
            &names,
            "-out",
            &text("server.pem"),
        ]);
        Self { ca: path("ca.pem"), certificate: path("server.pem"), key: path("server.key") }
    }

    /// The three as texts, for a command line.
    pub fn texts(&self) -> [String; 3] {
        [&self.ca, &self.certificate, &self.key].map(|path| path.display().to_string())
    }
}

fn openssl(words: &[&str]) {
    let done = Command::new("openssl").args(words).stderr(Stdio::null()).stdout(Stdio::null()).status();
    assert!(done.expect("openssl").success(), "{words:?}");
}
