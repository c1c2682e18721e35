use rstest::rstest;

use super::*;

fn rendered(markdown: &str) -> Rendered {
    render(markdown, |mention| {
        let (id, name) = match mention {
            Mention::Email("anna_b@example.org") => ("anna-id", "Anna"),
            Mention::Id("some-id") => ("some-id", "Somebody"),
            _ => return None,
        };
        Some(Person {
            id: id.to_owned(),
            email: String::new(),
            name: name.to_owned(),
        })
    })
}

#[rstest]
#[case("plain", "<p>plain</p>", "plain")]
#[case(
    "**b** *i* `c`",
    "<p><strong>b</strong> <em>i</em> <code>c</code></p>",
    "b i c"
)]
#[case("a & b \\<c>", "<p>a &amp; b &lt;c&gt;</p>", "a & b <c>")]
#[case("- one\n- two", "<ul>\n<li>one</li>\n<li>two</li>\n</ul>", "one\ntwo")]
#[case("# h\n\ntext", "<h1>h</h1>\n<p>text</p>", "h\ntext")]
#[case("a  \nb", "<p>a<br />\nb</p>", "a\nb")]
#[case(
    "[t](https://a.test/?x=1&y)",
    "<p><a href=\"https://a.test/?x=1&amp;y\">t</a></p>",
    "t"
)]
#[case("```\n<@all>\n```", "<pre><code>&lt;@all&gt;\n</code></pre>", "<@all>")]
#[case("![alt](https://a.test/i.png)", "<p>alt</p>", "alt")]
#[case(
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "<p>| a | b |\n|---|---|\n| 1 | 2 |</p>",
    "| a | b |\n|---|---|\n| 1 | 2 |"
)]
#[case("a<br>x", "<p>a<br>x</p>", "a\nx")]
fn markdown_becomes_html_and_text(#[case] markdown: &str, #[case] html: &str, #[case] text: &str) {
    let rendered = rendered(markdown);
    assert_eq!(
        (rendered.html.as_str(), rendered.text.as_str()),
        (html, text)
    );
}

#[rstest]
#[case(
    "<blockquote class=\"danger\">Down</blockquote>",
    "<blockquote class=\"danger\">Down</blockquote>"
)]
#[case(
    "<blockquote class=\"evil\">x</blockquote>",
    "<blockquote class=\"\">x</blockquote>"
)]
#[case("<img src=x onerror=alert(1)>", "")]
#[case("<a href=\"javascript:x\">t</a>", "<p><a>t</a></p>")]
#[case("[t](javascript:alert)", "<p><a>t</a></p>")]
#[case("[t](data:text/html,x)", "<p><a>t</a></p>")]
#[case("<script>alert(1)</script>", "")]
fn html_is_kept_only_where_it_is_harmless(#[case] markdown: &str, #[case] html: &str) {
    assert_eq!(rendered(markdown).html, html);
}

#[test]
fn a_mention_becomes_an_element_and_is_noted_once() {
    let rendered = rendered(
        "hi <@all> <@personEmail:anna_b@example.org|A<b> & co> \
         <@personEmail:anna_b@example.org> **<@personId:some-id>**",
    );
    assert_eq!(rendered.people, ["anna-id", "some-id"]);
    assert_eq!(rendered.groups, ["all"]);
    assert!(rendered.html.contains(
        "<spark-mention data-object-type=\"person\" data-object-id=\"anna-id\">Anna</spark-mention>"
    ));
    assert!(rendered.text.starts_with("hi All "), "{}", rendered.text);
    assert!(for_page(&rendered.html).contains("data-object-id=\"anna-id\""));
}

#[rstest]
#[case("\\<@all>")]
#[case("\\\\\\<@all>")]
#[case("&lt;@all>")]
#[case("`<@all>`")]
#[case("    <@all>")]
#[case("<@ all>")]
#[case("<@personEmail:nobody@example.org>")]
fn what_is_escaped_or_code_or_nobody_mentions_nobody(#[case] markdown: &str) {
    let rendered = rendered(markdown);
    assert_eq!((rendered.people.len(), rendered.groups.len()), (0, 0));
    assert!(
        rendered.text.contains('@'),
        "it is shown as written: {}",
        rendered.text
    );
}

#[test]
fn an_escaped_backslash_escapes_no_mention() {
    assert_eq!(rendered("\\\\<@all>").groups, ["all"]);
}
