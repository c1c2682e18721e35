//! Volumes: files that are links through `..data`, which is swapped as one when they change.

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::Value;

use super::{Pod, list};

/// Files of a volume, by their paths in it.
type Files = BTreeMap<String, File>;

#[derive(PartialEq)]
struct File {
    bytes: Vec<u8>,
    mode: u32,
}

/// Brings a volume's files to what the API server has now.
pub(super) fn sync(pod: &Pod, volume: &Value) {
    let name = volume["name"].as_str().unwrap();
    let folder = pod.volume(name);
    std::fs::create_dir_all(&folder).unwrap();
    let kinds: Vec<&String> = volume.as_object().unwrap().keys().collect();
    let kind = kinds.iter().find(|key| **key != "name").copied();
    // Without a kind it is an `emptyDir`.
    let kind = kind.map_or("emptyDir", String::as_str);
    let source = &volume[kind];
    let mode = mode(pod, &source["defaultMode"]);
    let mut files = Files::new();
    match kind {
        "emptyDir" => return,
        "secret" => add(
            pod,
            &mut files,
            "secret",
            &source["secretName"],
            source,
            mode,
        ),
        "configMap" => add(pod, &mut files, "configmap", &source["name"], source, mode),
        "projected" => {
            for source in list(&source["sources"]) {
                let (kind, source) = source.as_object().unwrap().iter().next().unwrap();
                let kind = match kind.as_str() {
                    "secret" => "secret",
                    "configMap" => "configmap",
                    other => panic!("volume {name}: a source {other} is not known here"),
                };
                add(pod, &mut files, kind, &source["name"], source, mode);
            }
        }
        other => panic!("volume {name}: {other} is not known here"),
    }
    if files != published(&folder) {
        publish(&folder, &files);
    }
}

/// What the kubelet makes of a volume's mode: with `fsGroup`, the group may read.
fn mode(pod: &Pod, default_mode: &Value) -> u32 {
    let mode = default_mode.as_u64().map_or(0o644, |mode| {
        u32::try_from(mode).expect("twelve bits at most")
    });
    match pod.spec["securityContext"]["fsGroup"].as_u64() {
        Some(_) => mode | 0o440,
        None => mode,
    }
}

/// Adds the files of a Secret or `ConfigMap`: all of its keys, or those that are listed.
fn add(pod: &Pod, files: &mut Files, kind: &str, name: &Value, source: &Value, mode: u32) {
    let name = name.as_str().unwrap();
    let optional = source["optional"] == true;
    let Some(mut data) = pod.data(kind, name) else {
        assert!(
            optional,
            "the pod would not start: there is no {kind} {name}"
        );
        return;
    };
    if source["items"].is_null() {
        files.extend(
            data.into_iter()
                .map(|(key, bytes)| (key, File { bytes, mode })),
        );
        return;
    }
    for item in list(&source["items"]) {
        let (key, path) = (&item["key"], &item["path"]);
        let (key, path) = (key.as_str().unwrap(), path.as_str().unwrap());
        let Some(bytes) = data.remove(key) else {
            assert!(
                optional,
                "the pod would not start: {kind} {name} has no key {key}"
            );
            continue;
        };
        let mode = item["mode"]
            .as_u64()
            .map_or(mode, |mode| u32::try_from(mode).unwrap());
        files.insert(path.to_owned(), File { bytes, mode });
    }
}

fn published(folder: &Path) -> Files {
    let mut files = Files::new();
    let data = folder.join("..data");
    if data.exists() {
        read(&data, "", &mut files);
    }
    files
}

fn read(folder: &Path, prefix: &str, files: &mut Files) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        if entry.path().is_dir() {
            read(&entry.path(), &format!("{path}/"), files);
        } else {
            let bytes = std::fs::read(entry.path()).unwrap();
            let mode = entry.metadata().unwrap().permissions().mode() & 0o7777;
            files.insert(path, File { bytes, mode });
        }
    }
}

/// Swaps all files at once: a new folder, and `..data` becomes a link to it.
fn publish(folder: &Path, files: &Files) {
    let old = std::fs::read_link(folder.join("..data")).ok();
    let name = format!("..{}", uuid::Uuid::new_v4());
    let new = folder.join(&name);
    std::fs::create_dir(&new).unwrap();
    for (path, file) in files {
        let place = new.join(path);
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(&place, &file.bytes).unwrap();
        std::fs::set_permissions(&place, Permissions::from_mode(file.mode)).unwrap();
    }
    std::os::unix::fs::symlink(&name, folder.join("..data_tmp")).unwrap();
    std::fs::rename(folder.join("..data_tmp"), folder.join("..data")).unwrap();
    // What is visible are links by the first part of each path.
    let visible = |path: &String| path.split('/').next().unwrap().to_owned();
    for name in files.keys().map(visible) {
        if !folder.join(&name).is_symlink() {
            let target = Path::new("..data").join(&name);
            std::os::unix::fs::symlink(target, folder.join(&name)).unwrap();
        }
    }
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if !name.starts_with("..") && !path.exists() {
            std::fs::remove_file(path).unwrap();
        }
    }
    if let Some(old) = old {
        std::fs::remove_dir_all(folder.join(old)).unwrap();
    }
}
