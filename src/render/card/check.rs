//! Whether a card is one that Webex takes.
//!
//! Sources: Adaptive Cards' schema of version 1.3, and docs/facts/webex-api.md §7 for what
//! Webex takes of it. What the two leave open is refused.
//!
//! What does not belong here: size, and JSON as such.

use serde_json::{Map, Value};

/// The newest version that Webex takes.
const VERSIONS: [&str; 4] = ["1.0", "1.1", "1.2", "1.3"];

/// The most buttons, and the most images.
const MOST_ACTIONS: usize = 5;
const MOST_IMAGES: usize = 10;

/// Deeper cards are mistakes.
const DEEPEST: usize = 16;

/// Elements that Webex shows.
const ELEMENTS: [&str; 14] = [
    "TextBlock",
    "RichTextBlock",
    "Image",
    "ImageSet",
    "Container",
    "ColumnSet",
    "FactSet",
    "ActionSet",
    "Input.Text",
    "Input.Number",
    "Input.Date",
    "Input.Time",
    "Input.Toggle",
    "Input.ChoiceSet",
];

/// Actions that Webex knows.
const ACTIONS: [&str; 4] = [
    "Action.OpenUrl",
    "Action.ShowCard",
    "Action.Submit",
    "Action.ToggleVisibility",
];

/// Keys of a card that Webex refuses.
const NOT_IN_CARDS: [&str; 4] = [
    "speak",
    "verticalContentAlignment",
    "refresh",
    "authentication",
];

/// Says what is wrong and where, in one line.
pub(super) fn check(card: &Value) -> Result<(), String> {
    let card = object(card, "the card")?;
    if card.contains_key("contentType") {
        return Err(
            "it holds `contentType`; write the card alone, which begins with \
             `\"type\": \"AdaptiveCard\"`"
                .to_owned(),
        );
    }
    Checker::default().card(card, "", 0)
}

#[derive(Default)]
struct Checker {
    actions: usize,
    images: usize,
}

type Checked = Result<(), String>;

impl Checker {
    fn card(&mut self, card: &Map<String, Value>, path: &str, depth: usize) -> Checked {
        let here = |key: &str| join(path, key);
        if card.get("type").and_then(Value::as_str) != Some("AdaptiveCard") {
            return Err(format!("`{}` must be `AdaptiveCard`", here("type")));
        }
        let version = card.get("version").and_then(Value::as_str);
        // A card within a card takes the version of the outer one.
        let is_known = version.map_or(depth > 0, |version| VERSIONS.contains(&version));
        if !is_known {
            return Err(format!(
                "`{}` must be \"1.0\" to \"1.3\"; Webex knows no newer ones",
                here("version")
            ));
        }
        if let Some(key) = NOT_IN_CARDS.iter().find(|key| card.contains_key(**key)) {
            return Err(format!(
                "`{}` is not supported by Webex; remove it",
                here(key)
            ));
        }
        if depth == 0 && !has_items(card.get("body")) && !has_items(card.get("actions")) {
            return Err("`body` is missing or empty, so it shows nothing".to_owned());
        }
        self.elements(card.get("body"), &here("body"), depth)?;
        self.all_actions(card.get("actions"), &here("actions"), depth)
    }

    fn elements(&mut self, elements: Option<&Value>, path: &str, depth: usize) -> Checked {
        each(elements, path, |element, path| {
            self.element(object(element, path)?, path, depth + 1)
        })
    }

    fn element(&mut self, element: &Map<String, Value>, path: &str, depth: usize) -> Checked {
        if depth > DEEPEST {
            return Err(format!("`{path}` is nested too deep"));
        }
        let here = |key: &str| join(path, key);
        let kind = one_of(element, path, "element", &ELEMENTS)?;
        self.action(
            element.get("selectAction"),
            &here("selectAction"),
            depth,
            false,
        )?;
        match kind {
            "TextBlock" => text(element, path, "text"),
            "RichTextBlock" => {
                each(
                    element.get("inlines"),
                    &here("inlines"),
                    |inline, path| match inline {
                        Value::String(_) => Ok(()),
                        _ => text(object(inline, path)?, path, "text"),
                    },
                )
            }
            "Image" => self.image(element, path),
            "ImageSet" => each(element.get("images"), &here("images"), |image, path| {
                self.image(object(image, path)?, path)
            }),
            "Container" => self.elements(required(element, path, "items")?, &here("items"), depth),
            "ColumnSet" => {
                if element.contains_key("height") {
                    return Err(format!(
                        "`{}` is not supported by Webex; remove it",
                        here("height")
                    ));
                }
                each(
                    required(element, path, "columns")?,
                    &here("columns"),
                    |column, path| {
                        let column = object(column, path)?;
                        if column.get("type").is_some_and(|kind| kind != "Column") {
                            return Err(format!("`{}` must be `Column`", join(path, "type")));
                        }
                        let select = join(path, "selectAction");
                        self.action(column.get("selectAction"), &select, depth, false)?;
                        self.elements(column.get("items"), &join(path, "items"), depth)
                    },
                )
            }
            "FactSet" => each(
                required(element, path, "facts")?,
                &here("facts"),
                |fact, path| {
                    let fact = object(fact, path)?;
                    text(fact, path, "title")?;
                    text(fact, path, "value")
                },
            ),
            "ActionSet" => {
                self.all_actions(required(element, path, "actions")?, &here("actions"), depth)
            }
            _ => text(element, path, "id"),
        }
    }

    fn image(&mut self, image: &Map<String, Value>, path: &str) -> Checked {
        self.images += 1;
        if self.images > MOST_IMAGES {
            return Err(format!("it has more than {MOST_IMAGES} images"));
        }
        url(image, path)
    }

    fn all_actions(&mut self, actions: Option<&Value>, path: &str, depth: usize) -> Checked {
        each(actions, path, |action, path| {
            self.action(Some(action), path, depth, true)
        })
    }

    fn action(
        &mut self,
        action: Option<&Value>,
        path: &str,
        depth: usize,
        is_button: bool,
    ) -> Checked {
        let Some(action) = action else { return Ok(()) };
        let action = object(action, path)?;
        let kind = one_of(action, path, "action", &ACTIONS)?;
        if is_button {
            self.actions += 1;
            if self.actions > MOST_ACTIONS {
                return Err(format!(
                    "it has more than {MOST_ACTIONS} actions; Webex shows no more"
                ));
            }
            text(action, path, "title")?;
        }
        match kind {
            "Action.OpenUrl" => url(action, path),
            "Action.ShowCard" if depth >= DEEPEST => Err(format!("`{path}` is nested too deep")),
            "Action.ShowCard" => {
                let path = join(path, "card");
                let card = object(action.get("card").unwrap_or(&Value::Null), &path)?;
                self.card(card, &path, depth + 1)
            }
            _ => Ok(()),
        }
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

fn has_items(list: Option<&Value>) -> bool {
    list.and_then(Value::as_array)
        .is_some_and(|list| !list.is_empty())
}

fn object<'v>(value: &'v Value, path: &str) -> Result<&'v Map<String, Value>, String> {
    value
        .as_object()
        .ok_or_else(|| format!("`{path}` must be an object: {{…}}"))
}

fn required<'v>(
    element: &'v Map<String, Value>,
    path: &str,
    key: &str,
) -> Result<Option<&'v Value>, String> {
    match element.get(key) {
        Some(value) => Ok(Some(value)),
        None => Err(format!("`{}` is missing", join(path, key))),
    }
}

fn each(
    list: Option<&Value>,
    path: &str,
    mut check: impl FnMut(&Value, &str) -> Checked,
) -> Checked {
    let Some(list) = list else { return Ok(()) };
    let list = list
        .as_array()
        .ok_or_else(|| format!("`{path}` must be a list: […]"))?;
    for (index, item) in list.iter().enumerate() {
        check(item, &format!("{path}[{index}]"))?;
    }
    Ok(())
}

fn text(element: &Map<String, Value>, path: &str, key: &str) -> Checked {
    match element.get(key) {
        Some(Value::String(_)) => Ok(()),
        Some(_) => Err(format!("`{}` must be a text in quotes", join(path, key))),
        None => Err(format!("`{}` is missing", join(path, key))),
    }
}

fn url(element: &Map<String, Value>, path: &str) -> Checked {
    let url = element
        .get("url")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if super::super::links::url(url).is_some() {
        return Ok(());
    }
    Err(format!(
        "`{}` is no http or https URL; leave the element out with `{{% if … | url %}}`",
        join(path, "url")
    ))
}

fn one_of<'v>(
    element: &'v Map<String, Value>,
    path: &str,
    what: &str,
    known: &[&str],
) -> Result<&'v str, String> {
    let kind = element
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if known.contains(&kind) {
        return Ok(kind);
    }
    if kind.is_empty() {
        return Err(format!("`{}` is missing", join(path, "type")));
    }
    let nearest = known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(kind, name), name))
        .min()
        .filter(|(distance, _)| *distance <= 3);
    let hint = nearest.map_or_else(
        || format!("Webex takes {}", known.join(", ")),
        |(_, name)| format!("did you mean `{name}`?"),
    );
    Err(format!(
        "`{path}` is a `{kind}`, an {what} that Webex does not take; {hint}"
    ))
}
