//! What a node does with a pod: volumes from `ConfigMap`s and Secrets, containers that see them
//! where the template says, a name for each Service.
//!
//! A container has a root file system of its own, read-only if its template says so, without
//! capabilities and under the template's user, all of which a user namespace gives to everybody.
//! It shares the network, so that a pod's address is one of loopback; addresses to listen on are
//! the only thing that it is told beyond its template.

mod container;
mod volumes;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;
use tempfile::TempDir;

use super::address;
use super::control_plane::ControlPlane;
use crate::programs::{Program, until};
pub(super) use container::Image;

/// A pod on this machine.
pub(super) struct Pod<'a> {
    cluster: &'a ControlPlane,
    namespace: String,
    name: String,
    spec: Value,
    address: Ipv4Addr,
    folder: TempDir,
}

impl<'a> Pod<'a> {
    /// The first pod of the one Deployment or `StatefulSet` that a namespace has, or will have soon.
    /// `number` tells pods apart.
    pub(super) fn of(cluster: &'a ControlPlane, kind: &str, namespace: &str, number: u8) -> Self {
        let workload = until(&format!("a {kind} in {namespace}"), || {
            let mut list = cluster.get(&[kind, "-n", namespace]);
            let workloads = list["items"].as_array_mut().unwrap();
            assert!(workloads.len() <= 1, "{workloads:?}");
            workloads.pop()
        });
        let name = workload["metadata"]["name"].as_str().unwrap();
        let spec = workload["spec"]["template"]["spec"].clone();
        Self::new(cluster, namespace, &format!("{name}-0"), spec, number)
    }

    /// A pod with this specification.
    pub(super) fn new(
        cluster: &'a ControlPlane,
        namespace: &str,
        name: &str,
        spec: Value,
        number: u8,
    ) -> Self {
        let pod = Self {
            cluster,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            spec,
            address: address(number),
            folder: tempfile::tempdir().unwrap(),
        };
        pod.sync();
        pod
    }

    pub(super) fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// Brings the volumes up to date, as the kubelet does every minute or so.
    pub(super) fn sync(&self) {
        for volume in list(&self.spec["volumes"]) {
            volumes::sync(self, volume);
        }
    }

    /// Where a volume's files are, outside of any container.
    pub(super) fn volume(&self, name: &str) -> PathBuf {
        self.folder.path().join("volumes").join(name)
    }

    /// Names of the containers, in their order; those that run first and end, or the others.
    pub(super) fn containers(&self, list_of: &str) -> Vec<String> {
        let containers = list(&self.spec[list_of]);
        let names = containers.map(|container| container["name"].as_str().unwrap().to_owned());
        names.collect()
    }

    /// Whether a container has a port of that name.
    pub(super) fn has_port(&self, container: &str, port: &str) -> bool {
        let mut containers = list(&self.spec["containers"]);
        let container = containers.find(|other| other["name"] == container);
        list(&container.unwrap()["ports"]).any(|other| other["name"] == port)
    }

    /// Changes an argument of a container.
    pub(super) fn replace_argument(&mut self, old: &str, new: &str) {
        let containers = self.spec["containers"].as_array_mut().unwrap();
        let mut arguments = containers
            .iter_mut()
            .filter_map(|container| container["args"].as_array_mut())
            .flatten();
        let argument = arguments.find(|argument| **argument == old);
        *argument.unwrap_or_else(|| panic!("no container has the argument {old}")) = new.into();
    }

    /// Starts a container from an image. `hosts` are Services and where they lead, `more` are
    /// variables beyond the template's.
    pub(super) fn start(
        &self,
        name: &str,
        image: &Image,
        hosts: &[(String, Ipv4Addr)],
        more: &[(&str, String)],
    ) -> Program {
        let mut all = list(&self.spec["initContainers"]).chain(list(&self.spec["containers"]));
        let container = all.find(|container| container["name"] == name);
        let container = container.unwrap_or_else(|| panic!("no container {name}: {}", self.spec));
        let mut command = container::command(self, container, image, hosts, more);
        Program::start(&mut command)
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The data of a Secret or `ConfigMap`, decoded; `None` if there is no such object.
    fn data(&self, kind: &str, name: &str) -> Option<BTreeMap<String, Vec<u8>>> {
        let get = [
            "get",
            kind,
            name,
            "-n",
            &self.namespace,
            "-o",
            "json",
            "--ignore-not-found",
        ];
        let printed = self.cluster.kubectl(&get);
        if printed.is_empty() {
            return None;
        }
        let object: Value = serde_json::from_str(&printed).unwrap();
        let mut data = BTreeMap::new();
        for (key, value) in object["data"].as_object().into_iter().flatten() {
            let value = value.as_str().unwrap();
            let value = match kind {
                "secret" => BASE64.decode(value).unwrap(),
                _ => value.as_bytes().to_vec(),
            };
            data.insert(key.clone(), value);
        }
        Some(data)
    }
}

/// An array that may be left out.
fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
