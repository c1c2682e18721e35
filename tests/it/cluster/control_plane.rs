//! etcd and kube-apiserver, on an address of their own.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::{address, installed, step};
use crate::programs::{Program, until};

/// A Kubernetes API without nodes. Dropping it ends it.
pub(super) struct ControlPlane {
    // Ended in this order.
    apiserver: Program,
    _etcd: Program,
    folder: TempDir,
}

impl ControlPlane {
    pub(super) fn start() -> Self {
        step("start etcd and kube-apiserver", || {
            let folder = tempfile::tempdir().unwrap();
            let etcd = etcd(folder.path());
            let apiserver = apiserver(folder.path());
            let this = Self {
                apiserver,
                _etcd: etcd,
                folder,
            };
            this.await_ready();
            this
        })
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn kubeconfig(&self) -> PathBuf {
        self.folder().join("kubeconfig")
    }

    /// What the API server's certificate is checked against, and its key: it has made both.
    pub(super) fn certificate(&self) -> (PathBuf, PathBuf) {
        let folder = self.folder().join("certificates");
        (folder.join("apiserver.crt"), folder.join("apiserver.key"))
    }

    fn await_ready(&self) {
        until("kube-apiserver is ready", || {
            assert!(
                runs(&self.apiserver),
                "kube-apiserver has ended:\n{}",
                self.apiserver.printed()
            );
            // It writes its certificate first.
            let ready = self.certificate().0.exists()
                && self.try_kubectl(&["get", "--raw", "/readyz"], "").done;
            ready.then_some(())
        });
    }

    /// A namespace that takes only pods of the strictest standard, as a careful platform has them.
    pub(super) fn namespace(&self, name: &str) {
        let standard = ["enforce", "warn", "audit"]
            .map(|mode| format!("    pod-security.kubernetes.io/{mode}: restricted\n"))
            .concat();
        let object = format!(
            "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {name}\n  labels:\n{standard}"
        );
        self.apply("default", &object);
        // A controller would make it.
        self.kubectl(&["create", "serviceaccount", "default", "-n", name]);
    }
}

fn etcd(folder: &Path) -> Program {
    let client = format!("http://{}:2379", address(1));
    let peer = format!("http://{}:2380", address(1));
    Program::start(
        Command::new(installed("ETCD_BIN"))
            .env_clear()
            .current_dir(folder)
            .args(["--name=default", "--data-dir=etcd", "--unsafe-no-fsync"])
            .arg(format!("--listen-client-urls={client}"))
            .arg(format!("--advertise-client-urls={client}"))
            .arg(format!("--listen-peer-urls={peer}"))
            .arg(format!("--initial-advertise-peer-urls={peer}"))
            .arg(format!("--initial-cluster=default={peer}")),
    )
}

fn apiserver(folder: &Path) -> Program {
    let address = address(1);
    let server = format!("https://{address}:6443");
    // Who can guess it has the cluster, and loopback is everybody's.
    let token = uuid::Uuid::new_v4().to_string();
    let tokens = format!("{token},admin,admin,system:masters\n");
    let key = rcgen::KeyPair::generate().unwrap();
    let kubeconfig = serde_json::json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": {
            "server": server,
            "certificate-authority": folder.join("certificates/apiserver.crt"),
        }}],
        "users": [{"name": "admin", "user": {"token": token}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
        "current-context": "test",
    });
    write_secret(&folder.join("kubeconfig"), &kubeconfig.to_string());
    write_secret(&folder.join("tokens.csv"), &tokens);
    write_secret(&folder.join("accounts.key"), &key.serialize_pem());
    std::fs::write(folder.join("accounts.pub"), key.public_key_pem()).unwrap();
    Program::start(
        Command::new(installed("KUBE_APISERVER_BIN"))
            .env_clear()
            .current_dir(folder)
            .arg(format!("--etcd-servers=http://{address}:2379"))
            .arg(format!("--bind-address={address}"))
            .arg(format!("--advertise-address={address}"))
            .args(["--secure-port=6443", "--cert-dir=certificates"])
            .arg(format!("--service-account-issuer={server}"))
            .args([
                "--service-account-key-file=accounts.pub",
                "--service-account-signing-key-file=accounts.key",
                "--token-auth-file=tokens.csv",
                "--authorization-mode=RBAC",
                // Both families, since a chart may ask for either.
                "--service-cluster-ip-range=10.0.0.0/24,fd00:10::/108",
                // There is nobody to whom the API's own Service could lead.
                "--endpoint-reconciler-type=none",
            ]),
    )
}

fn write_secret(path: &Path, text: &str) {
    std::fs::write(path, "").unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(path, text).unwrap();
}

/// Whether a process has not ended.
fn runs(program: &Program) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{}/stat", program.id())).unwrap();
    // The state comes after the name, which stands in brackets.
    let (_, state) = status.rsplit_once(") ").unwrap();
    !state.starts_with('Z')
}
