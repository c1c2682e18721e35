//! Templates that would hang the process or eat its memory.

use super::super::*;
use super::{render_with, renderer_with};

fn failure(template: &str) -> String {
    let (_directory, renderer) = renderer_with(&[
        ("team.md", template),
        (
            "loop.md",
            "{% component A() %}{{ <A/> }}{{ <A/> }}{% endcomponent A %}{{ <A/> }}",
        ),
    ]);
    let outcome = render_with(&renderer, "team", &samples::firing(1));
    assert!(outcome.messages[0].markdown.starts_with("🔴 **Firing: "));
    outcome.fallback.unwrap().to_string()
}

#[test]
fn loops_without_end_end() {
    for template in [
        "{% for a in range(end=1000) %}{% for b in range(end=1000) %}{% for c in range(end=1000) %}{% endfor %}{% endfor %}{% endfor %}",
        "{% set x %}{% for a in range(end=100000) %}{% for b in range(end=100000) %}x{% endfor %}{% endfor %}{% endset %}",
    ] {
        let told = failure(template);
        assert!(told.contains("its loops take too many rounds"), "{told}");
    }
    let told = failure("{% for a in range(end=1000000000) %}{% endfor %}");
    assert!(told.contains("exceeds the limit of 100000"), "{told}");
}

#[test]
fn components_that_call_themselves_end() {
    let told = failure("{% include \"loop.md\" %}");
    assert!(
        told.contains("too many rounds") || told.contains("recursion depth"),
        "{told}"
    );
}

#[test]
fn a_text_that_doubles_itself_ends() {
    let told = failure(
        "{% set x = \"xxxxxxxx\" %}{% for a in range(end=64) %}\n{% set_global x = x ~ x %}{% endfor %}{{ x }}",
    );
    assert!(told.contains("at team.md:2:"), "{told}");
    assert!(told.contains("a value takes more than"), "{told}");
    let straight = "{% set x = x ~ x %}".repeat(64);
    let told = failure(&format!("{{% set x = \"x\" %}}{straight}{{{{ x }}}}"));
    assert!(told.contains("a value takes more than"), "{told}");
}

#[test]
fn an_output_without_end_ends() {
    let told = failure(
        "{% set x = \"0123456789\" %}{% for a in range(end=14) %}{% set_global x = x ~ x %}{% endfor %}\
         {% for a in range(end=100000) %}{{ x }}{% endfor %}",
    );
    assert!(
        told.contains("it writes more than 16777216 bytes"),
        "{told}"
    );
}

#[test]
fn the_place_of_an_error_is_the_authors_behind_loops_too() {
    let told = failure("{% for a in alerts %}{% set b = 1 %}{{ nothing }}{% endfor %}");
    assert!(told.contains("at team.md:1:40: "), "{told}");
}

#[test]
fn a_child_template_is_bounded_like_any_other() {
    let (_directory, renderer) = renderer_with(&[
        ("base.md", "{% set a = 1 %}a{% block body %}{% endblock %}"),
        (
            "team.md",
            "{% extends \"base.md\" %}{% block body %}{% for a in range(end=100000) %}{% for b in range(end=100000) %}{% endfor %}{% endfor %}{% endblock %}",
        ),
        (
            "fine.md",
            "{% extends \"base.md\" %}{% block body %}{% for a in alerts %}b{% endfor %}{% endblock %}",
        ),
    ]);
    let outcome = render_with(&renderer, "fine", &samples::firing(3));
    assert_eq!(outcome.messages[0].markdown, "abbb");
    let outcome = render_with(&renderer, "team", &samples::firing(1));
    let told = outcome.fallback.unwrap().to_string();
    assert!(told.contains("too many rounds"), "{told}");
}
