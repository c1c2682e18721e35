//! One container: its root file system, its user, its command and its environment.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::{Pod, list};

/// What an image is to a test: the program, and what the image's own configuration says.
pub(in crate::cluster) struct Image {
    /// The program on this machine.
    pub(in crate::cluster) program: PathBuf,
    /// Its path in the image, which is the image's entry point.
    pub(in crate::cluster) entry_point: String,
    /// Arguments where the template has none.
    pub(in crate::cluster) arguments: Vec<String>,
    /// The user where the template names none.
    pub(in crate::cluster) user: u64,
}

/// What the program needs of this machine, because it is linked to its libraries and our image's
/// is not; and the authorities that the image brings along.
const OF_THE_MACHINE: [&str; 5] = ["/lib", "/lib64", "/usr/lib", "/etc/ssl/certs", "/proc"];

/// The command that runs a container of the pod.
pub(super) fn command(
    pod: &Pod,
    container: &Value,
    image: &Image,
    hosts: &[(String, Ipv4Addr)],
    more: &[(&str, String)],
) -> Command {
    let mut variables = environment(pod, container);
    variables.extend(
        more.iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone())),
    );
    let words = |key: &str| -> Vec<String> {
        list(&container[key])
            .map(|word| expand(word.as_str().unwrap(), &variables))
            .collect()
    };
    let (mut line, arguments) = (words("command"), words("args"));
    // A command of the template's own makes the image's arguments void as well.
    if line.is_empty() && arguments.is_empty() {
        line.push(image.entry_point.clone());
        line.extend(image.arguments.iter().cloned());
    } else {
        if line.is_empty() {
            line.push(image.entry_point.clone());
        }
        line.extend(arguments);
    }

    let name = container["name"].as_str().unwrap();
    let root = pod.path().join("roots").join(name);
    std::fs::create_dir_all(&root).unwrap();
    let script = script(pod, container, image, hosts, &root);
    let mut command = Command::new("unshare");
    command
        .args(["--user", "--map-root-user", "--mount"])
        .args(["--propagation=private", "--", "sh", "-c"])
        .arg(script)
        .arg(name)
        .args(line)
        .env_clear()
        .envs(variables);
    command
}

/// Makes the root file system, and becomes the program in it.
fn script(
    pod: &Pod,
    container: &Value,
    image: &Image,
    hosts: &[(String, Ipv4Addr)],
    root: &Path,
) -> String {
    let root = root.to_str().unwrap();
    let mut script = format!(
        "set -e\ncd /\n\
         bind() {{ if [ -d \"$1\" ]; then mkdir -p \"$2\"; else mkdir -p \"${{2%/*}}\"; touch \"$2\"; fi; mount --rbind \"$1\" \"$2\"; }}\n\
         mount -t tmpfs -o mode=755 tmpfs {root}\n\
         mkdir -p {root}/dev {root}/etc\n"
    );
    for device in ["null", "zero", "random", "urandom"] {
        writeln!(script, "bind /dev/{device} {root}/dev/{device}").unwrap();
    }
    for folder in OF_THE_MACHINE {
        writeln!(script, "[ ! -e {folder} ] || bind {folder} {root}{folder}").unwrap();
    }
    let mut names = "127.0.0.1 localhost\n".to_owned();
    for (name, address) in hosts {
        writeln!(names, "{address} {name}").unwrap();
    }
    writeln!(
        script,
        "cat >{root}/etc/hosts <<'END'\n{names}END\n\
         bind {program} {root}{entry_point}",
        program = image.program.display(),
        entry_point = image.entry_point,
    )
    .unwrap();
    for mount in list(&container["volumeMounts"]) {
        let place = mount["mountPath"].as_str().unwrap();
        let mut volume = pod.volume(mount["name"].as_str().unwrap());
        if let Some(part) = mount["subPath"].as_str() {
            volume.push(part);
        }
        writeln!(script, "bind {} {root}{place}", volume.display()).unwrap();
        if mount["readOnly"] == true {
            // What the file system below is not allowed stays so.
            writeln!(
                script,
                "mount -o remount,bind,ro,nosuid,nodev,noexec {root}{place}"
            )
            .unwrap();
        }
    }
    if security(pod, container, "readOnlyRootFilesystem") == true {
        writeln!(script, "mount -o remount,ro {root}").unwrap();
    }
    let number = |key: &str| security(pod, container, key).as_u64();
    let user = number("runAsUser").unwrap_or(image.user);
    let group = number("runAsGroup").unwrap_or(image.user);
    let folder = container["workingDir"].as_str().unwrap_or("/");
    writeln!(
        script,
        "exec unshare --user --map-user={user} --map-group={group} --root={root} --wd={folder} -- \"$@\""
    )
    .unwrap();
    script
}

/// The container's own security context goes before the pod's.
fn security<'a>(pod: &'a Pod, container: &'a Value, key: &str) -> &'a Value {
    let own = &container["securityContext"][key];
    match own {
        Value::Null => &pod.spec["securityContext"][key],
        own => own,
    }
}

fn environment(pod: &Pod, container: &Value) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::new();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    for source in list(&container["envFrom"]) {
        let prefix = source["prefix"].as_str().unwrap_or_default();
        for (kind, key) in [("secret", "secretRef"), ("configmap", "configMapRef")] {
            let Some(name) = source[key]["name"].as_str() else {
                continue;
            };
            let data = pod.data(kind, name);
            let data = data.unwrap_or_else(|| panic!("there is no {kind} {name}"));
            variables.extend(
                data.into_iter()
                    .map(|(key, bytes)| (format!("{prefix}{key}"), text(bytes))),
            );
        }
    }
    for variable in list(&container["env"]) {
        let value = match variable["value"].as_str() {
            Some(value) => Some(expand(value, &variables)),
            None => referred(pod, &variable["valueFrom"]).map(text),
        };
        if let Some(value) = value {
            variables.insert(variable["name"].as_str().unwrap().to_owned(), value);
        }
    }
    variables
}

/// What a variable's `valueFrom` leads to; `None` if that is optional and not there.
fn referred(pod: &Pod, from: &Value) -> Option<Vec<u8>> {
    if from.is_null() {
        return Some(Vec::new());
    }
    if let Some(path) = from["fieldRef"]["fieldPath"].as_str() {
        let field = match path {
            "metadata.name" => pod.name.clone(),
            "metadata.namespace" => pod.namespace.clone(),
            "status.podIP" => pod.address.to_string(),
            other => panic!("the field {other} is not known here"),
        };
        return Some(field.into_bytes());
    }
    for (kind, reference) in [("secret", "secretKeyRef"), ("configmap", "configMapKeyRef")] {
        let reference = &from[reference];
        let (Some(name), Some(key)) = (reference["name"].as_str(), reference["key"].as_str())
        else {
            continue;
        };
        let found = pod.data(kind, name).and_then(|mut data| data.remove(key));
        assert!(
            found.is_some() || reference["optional"] == true,
            "the container would not start: {kind} {name} has no key {key}"
        );
        return found;
    }
    panic!("not known here: {from}")
}

/// Puts variables where `$(NAME)` stands. What names none stays.
fn expand(text: &str, variables: &BTreeMap<String, String>) -> String {
    let mut expanded = text.to_owned();
    for (name, value) in variables {
        expanded = expanded.replace(&format!("$({name})"), value);
    }
    expanded
}
