//! `multipart/form-data` (RFC 7578): how Webex takes local files.
//!
//! The body is in memory and small, so it is cut apart in place. Of a file, name, type and
//! size are kept and the content is not.

use super::draft::Draft;
use super::model::Upload;
use super::refusal::Refusal;

/// How many parts are looked at: there are ten fields.
const MOST_PARTS: usize = 32;

/// Longest name of a file that is kept, in bytes.
const LONGEST_NAME: usize = 255;

struct Part<'a> {
    name: String,
    file_name: Option<String>,
    content_type: Option<String>,
    content: &'a [u8],
}

/// The draft that a form holds; `content_type` names the boundary.
pub(super) fn draft(content_type: &str, body: &[u8]) -> Result<Draft, Refusal> {
    let boundary = parameter(content_type, "boundary")
        .filter(|boundary| (1..=70).contains(&boundary.len()))
        .ok_or(Refusal::Syntax)?;
    let mut draft = Draft::default();
    for part in parts(boundary.as_bytes(), body).ok_or(Refusal::Syntax)? {
        if part.name == "files" {
            take_file(&mut draft, part)?;
            continue;
        }
        let text = std::str::from_utf8(part.content)
            .map_err(|_| Refusal::Syntax)?
            .to_owned();
        let field = match part.name.as_str() {
            "roomId" => &mut draft.room_id,
            "parentId" => &mut draft.parent_id,
            "toPersonId" => &mut draft.to_person_id,
            "toPersonEmail" => &mut draft.to_person_email,
            "text" => &mut draft.text,
            "markdown" => &mut draft.markdown,
            "html" => &mut draft.html,
            "attachments" => {
                // As JSON: a form knows no objects (U).
                draft.attachments = Some(cards(&text)?);
                continue;
            }
            // What Webex does not know is ignored (U).
            _ => continue,
        };
        *field = Some(text);
    }
    Ok(draft)
}

fn cards(text: &str) -> Result<Vec<serde_json::Value>, Refusal> {
    match serde_json::from_str(text) {
        Ok(serde_json::Value::Array(cards)) => Ok(cards),
        Ok(card @ serde_json::Value::Object(_)) => Ok(vec![card]),
        _ => Err(Refusal::InvalidParameter("attachments")),
    }
}

fn take_file(draft: &mut Draft, part: Part<'_>) -> Result<(), Refusal> {
    let Some(name) = part.file_name else {
        // Without a file name it is a text: the address of a file, as in JSON.
        let address = std::str::from_utf8(part.content).map_err(|_| Refusal::Syntax)?;
        draft.files.get_or_insert_default().push(address.to_owned());
        return Ok(());
    };
    if draft.upload.is_some() {
        return Err(Refusal::ManyFiles);
    }
    draft.upload = Some(Upload {
        name: super::requests::cut(&name, LONGEST_NAME).to_owned(),
        content_type: part
            .content_type
            .map(|given| super::requests::cut(&given, LONGEST_NAME).to_owned()),
        bytes: part.content.len(),
    });
    Ok(())
}

/// Cuts a body apart; nothing where it is not of the shape.
fn parts<'a>(boundary: &[u8], body: &'a [u8]) -> Option<Vec<Part<'a>>> {
    let mut delimiter = b"\r\n--".to_vec();
    delimiter.extend_from_slice(boundary);
    // The first delimiter has no line break before it.
    let mut rest = body.strip_prefix(&delimiter[2..]).or_else(|| {
        let at = find(body, &delimiter)?;
        Some(&body[at + delimiter.len()..])
    })?;
    let mut parts = Vec::new();
    loop {
        if rest.starts_with(b"--") {
            return Some(parts);
        }
        if parts.len() >= MOST_PARTS {
            return None;
        }
        rest = rest.strip_prefix(b"\r\n")?;
        let end = find(rest, &delimiter)?;
        parts.push(part(&rest[..end])?);
        rest = &rest[end + delimiter.len()..];
    }
}

fn part(bytes: &[u8]) -> Option<Part<'_>> {
    let end = find(bytes, b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let (mut name, mut file_name, mut content_type) = (None, None, None);
    for line in head.split("\r\n") {
        let (key, value) = line.split_once(':')?;
        if key.eq_ignore_ascii_case("content-disposition") {
            name = parameter(value, "name");
            file_name = parameter(value, "filename");
        } else if key.eq_ignore_ascii_case("content-type") {
            content_type = Some(value.trim().to_owned());
        }
    }
    Some(Part {
        name: name?,
        file_name,
        content_type,
        content: &bytes[end + 4..],
    })
}

/// The parameter of a header, such as `name` in `form-data; name="text"`.
fn parameter(header: &str, wanted: &str) -> Option<String> {
    let mut rest = header.split_once(';')?.1;
    loop {
        let (name, after) = rest.split_once('=')?;
        let (value, next) = if let Some(quoted) = after.strip_prefix('"') {
            // Browsers write `%22` for a quote; a backslash stands for itself there.
            let (value, next) = quoted.split_once('"')?;
            (value, next.trim_start().strip_prefix(';').unwrap_or(""))
        } else {
            after.split_once(';').unwrap_or((after, ""))
        };
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(value.trim().to_owned());
        }
        rest = next;
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    let first = *wanted.first()?;
    let mut from = 0;
    while let Some(at) = bytes[from..].iter().position(|byte| *byte == first) {
        if bytes[from + at..].starts_with(wanted) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &str = "--B\r\nContent-Disposition: form-data; name=\"roomId\"\r\n\r\nroom\r\n\
        --B\r\ncontent-disposition: form-data; name=\"text\"\r\n\r\na\r\n--C\r\n\r\n\
        --B\r\nContent-Disposition: form-data; name=\"files\"; filename=\"a;b.txt\"\r\n\
        Content-Type: text/plain\r\n\r\n12345\r\n--B--\r\n";

    #[test]
    fn fields_and_a_file_are_read() {
        let draft = draft("multipart/form-data; boundary=\"B\"", FORM.as_bytes()).unwrap();
        assert_eq!(draft.room_id.as_deref(), Some("room"));
        assert_eq!(draft.text.as_deref(), Some("a\r\n--C\r\n"));
        let upload = draft.upload.unwrap();
        assert_eq!((upload.name.as_str(), upload.bytes), ("a;b.txt", 5));
        assert_eq!(upload.content_type.as_deref(), Some("text/plain"));
    }

    #[test]
    fn what_is_no_form_is_refused() {
        for (content_type, body) in [
            ("multipart/form-data", FORM),
            ("multipart/form-data; boundary=", FORM),
            ("multipart/form-data; boundary=X", FORM),
            ("multipart/form-data; boundary=B", ""),
            ("multipart/form-data; boundary=B", &FORM[..FORM.len() - 6]),
            (
                "multipart/form-data; boundary=B",
                "--B\r\nx\r\n\r\ny\r\n--B--",
            ),
            ("multipart/form-data; boundary=B", "--B\r\n\r\n\r\n--B--"),
        ] {
            assert_eq!(
                draft(content_type, body.as_bytes()).unwrap_err(),
                Refusal::Syntax,
                "{content_type} {body:?}"
            );
        }
    }

    #[test]
    fn two_files_are_too_many() {
        let file =
            "--B\r\nContent-Disposition: form-data; name=\"files\"; filename=\"a\"\r\n\r\nx\r\n";
        let body = format!("{file}{file}--B--");
        assert_eq!(
            draft("multipart/form-data; boundary=B", body.as_bytes()).unwrap_err(),
            Refusal::ManyFiles
        );
    }
}
