//! What rendering costs: `cargo bench --bench render`.

mod body;

use std::hint::black_box;

use alertmanager_webex::alertmanager::Notification;
use alertmanager_webex::render::{DEFAULT_TEMPLATE, Options, Renderer, Subject, plain_text};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use serde_json::json;

use body::body;

fn render(c: &mut Criterion) {
    let renderer = Renderer::new(&Options::default()).expect("the built-in templates are whole");
    let now = "2026-03-04T14:05:30Z".parse().expect("this is a time");
    let mut group = c.benchmark_group("render");
    for count in [1, 10, 100, 5000] {
        let body = body(count);
        let notification = Notification::parse(body.as_bytes()).expect("this is a notification");
        let subject = Subject {
            notification: &notification,
            receiver: "default",
            template: DEFAULT_TEMPLATE,
            data: None,
            changed: None,
            conversation: None,
            now,
        };
        group.bench_function(BenchmarkId::from_parameter(count), |b| {
            b.iter(|| black_box(renderer.render(black_box(&subject))));
        });
        let with_card = Subject {
            template: "compact",
            ..subject
        };
        group.bench_function(BenchmarkId::new("compact with card", count), |b| {
            b.iter(|| black_box(renderer.render(black_box(&with_card))));
        });
        group.bench_function(BenchmarkId::new("entry of a digest", count), |b| {
            b.iter(|| black_box(renderer.entry(black_box(&subject))));
        });
        let markdown = &renderer.render(&subject).messages[0].markdown;
        group.bench_function(BenchmarkId::new("plain_text", count), |b| {
            b.iter(|| black_box(plain_text(black_box(markdown))));
        });
    }
    group.finish();
}

/// What is written into a message, and what becomes of more than one holds: by its length.
fn throughput(c: &mut Criterion) {
    let directory = std::env::temp_dir().join(format!("render-bench-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("the folder for temporary files can be written to");
    let templates = [
        ("escape.md", "{{ common_annotations.text }}"),
        ("safe.md", "{{ common_annotations.text | safe }}"),
    ];
    for (name, text) in templates {
        std::fs::write(directory.join(name), text).expect("as above");
    }
    let options = Options {
        directory: Some(directory.clone()),
        ..Options::default()
    };
    let renderer = Renderer::new(&options).expect("these templates are whole");
    let text =
        "some_metric_name{instance=\"node-1.example.org:9100\"} is *above* 90 %.\n".repeat(900);
    let body = json!({
        "version": "4", "groupKey": "k", "commonAnnotations": {"text": text}, "alerts": [{}],
    })
    .to_string();
    let notification = Notification::parse(body.as_bytes()).expect("this is a notification");
    let mut group = c.benchmark_group("throughput");
    group.throughput(Throughput::Bytes(text.len() as u64));
    for (name, template) in [("split", "safe"), ("escape and split", "escape")] {
        let subject = Subject {
            notification: &notification,
            receiver: "default",
            template,
            data: None,
            changed: None,
            conversation: None,
            now: "2026-03-04T14:05:30Z".parse().expect("this is a time"),
        };
        group.bench_function(name, |b| {
            b.iter(|| black_box(renderer.render(black_box(&subject))));
        });
    }
    group.finish();
    // Left behind, it would harm nobody.
    let _ = std::fs::remove_dir_all(&directory);
}

fn load(c: &mut Criterion) {
    c.bench_function("load the templates", |b| {
        b.iter(|| Renderer::new(black_box(&Options::default())));
    });
}

criterion_group!(benches, render, throughput, load);
criterion_main!(benches);
