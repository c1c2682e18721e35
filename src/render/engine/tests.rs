use std::io;

use super::*;

fn file(name: &str, content: &str) -> File {
    File {
        name: name.to_owned(),
        path: format!("/templates/{name}").into(),
        content: Ok(content.to_owned()),
    }
}

fn engine(files: &[File]) -> Result<Engine, Error> {
    let options = crate::render::Options::default();
    let locality = Locality {
        timezone: options.timezone,
        links: options.links,
    };
    Engine::new(files, &Arc::new(locality))
}

#[test]
fn every_name_that_hints_propose_is_known() {
    use super::super::names::{FILTERS, FUNCTIONS, TESTS};
    let calls = FILTERS
        .iter()
        .map(|name| (name, format!("{{{{ status | {name} }}}}")));
    let functions = FUNCTIONS
        .iter()
        .map(|name| (name, format!("{{{{ {name}() }}}}")));
    let tests = TESTS
        .iter()
        .map(|name| (name, format!("{{% if status is {name} %}}{{% endif %}}")));
    for (name, template) in calls.chain(functions).chain(tests) {
        let suffix = if *name == "severity_colour" {
            CARD_SUFFIX
        } else {
            SUFFIX
        };
        let known = engine(&[file(&format!("a{suffix}"), &template)]);
        assert!(known.is_ok(), "{name}: {}", known.unwrap_err());
    }
}

fn broken(files: &[File]) -> Vec<BrokenTemplate> {
    match engine(files).unwrap_err() {
        Error::Broken(broken) => broken,
        other @ Error::Directory { .. } => panic!("{other}"),
    }
}

#[test]
fn all_broken_templates_are_told_at_once_with_their_places() {
    let files = [
        file("syntax.md", "fine\n{% if status %}never ends"),
        file(
            "filter.md",
            "\n\n  {{ status | nosuch }} {{ nofunction() }}",
        ),
        file("fine.md", "{{ status }}"),
        file("include.md", "{% include \"gone.md\" %}"),
        file("parent.md", "{% extends \"gone.md\" %}"),
        File {
            content: Err(io::Error::from(io::ErrorKind::PermissionDenied)),
            ..file("secret.md", "")
        },
    ];
    insta::assert_snapshot!(engine(&files).unwrap_err());
}

#[test]
fn a_template_is_not_blamed_for_what_a_broken_one_would_define() {
    let files = [
        file("base.md", "{% block body %}{% endblock %}{{"),
        file(
            "child.md",
            "{% extends \"base.md\" %}{% block body %}x{% endblock %}",
        ),
    ];
    let broken = broken(&files);
    assert_eq!(broken.len(), 1, "{broken:?}");
    assert_eq!(broken[0].file, "/templates/base.md");
}

#[test]
fn templates_that_include_each_other_are_told_and_hide_no_other_error() {
    let files = [
        file("a.md", "{% include \"b.md\" %}"),
        file("b.md", "{% include \"a.md\" %}"),
        file("c.md", "{{ x | nosuch }}"),
    ];
    let broken = broken(&files);
    assert!(broken[0].message.contains("Circular include"), "{broken:?}");
    assert!(
        broken
            .iter()
            .any(|problem| problem.file == "/templates/c.md")
    );
}

#[test]
fn a_template_of_the_directory_overrides_the_built_in_one_but_not_the_fallback() {
    let engine = engine(&[file("default.md", "mine"), file("team.md", "ours")]).unwrap();
    let context = Context::new();
    assert_eq!(
        engine.names(),
        ["compact", "default", "detailed", "team", "thread"]
    );
    assert!(engine.contains("team") && !engine.contains("team.md"));
    assert_eq!(engine.render("default", &context).unwrap(), "mine");
    // Without data the built-in one fails, which shows that it is the one that ran.
    assert!(engine.render_built_in("default", &context).is_err());
}
