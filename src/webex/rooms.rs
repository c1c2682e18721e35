//! The rooms that a bot is in, page by page.

use bytes::Bytes;
use http::header::LINK;
use http::{HeaderMap, Request, Uri};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::client::{Client, read};
use super::error::Error;
use super::types::{Room, Rooms};

/// How many rooms a page has. Webex takes up to 1,000, but an answer is read up to 64 KiB.
const PAGE: usize = 50;
/// No bot is in more rooms than this many pages hold, so a longer list goes round in circles.
const MAX_PAGES: usize = 2_000;

impl Client {
    /// One room: `GET /rooms/{id}`.
    ///
    /// # Errors
    /// 404 where the room is unknown, and where the bot is not in it: Webex tells both alike.
    pub async fn room(&self, token: &SecretString, id: &str) -> Result<Room, Error> {
        let id = percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC);
        self.get(token, &format!("{}/{id}", self.rooms)).await
    }

    /// All rooms that the bot is in: `GET /rooms`, following `Link: …; rel="next"` until
    /// there is none. A page may be empty and have a next one
    /// (`public-spec/webex-messaging.json` of webex/webex-openapi-specs).
    ///
    /// # Errors
    /// When a page cannot be had; [`Error::Paging`] where the next one is on another host,
    /// which must not get the token, or where the pages have no end.
    pub async fn rooms(&self, token: &SecretString) -> Result<Vec<Room>, Error> {
        let first = format!("{}?max={PAGE}", self.rooms);
        let here = Url::parse(&first).map_err(|_| Error::Paging("it has no first page"))?;
        let mut rooms = Vec::new();
        let mut page = here.clone();
        for _ in 0..MAX_PAGES {
            let answer = self.send(request(page.as_str())?, token).await?;
            let Rooms { items } = read(&answer, &[token.expose_secret()])?;
            rooms.extend(items);
            match next(answer.headers(), &page) {
                None => return Ok(rooms),
                Some(next) if next.origin() != here.origin() => {
                    return Err(Error::Paging("its next page is on another host"));
                }
                Some(next) if next == page => {
                    return Err(Error::Paging("a page is followed by itself"));
                }
                Some(next) => page = next,
            }
        }
        Err(Error::Paging("it has no end"))
    }

    async fn get<T: serde::de::DeserializeOwned>(
        &self,
        token: &SecretString,
        uri: &str,
    ) -> Result<T, Error> {
        self.ask(request(uri)?, token).await
    }
}

fn request(uri: &str) -> Result<Request<Bytes>, Error> {
    let mut request = Request::new(Bytes::new());
    *request.uri_mut() = uri
        .parse::<Uri>()
        .map_err(|_| Error::Paging("a page has no address"))?;
    Ok(request)
}

/// Where the next page is. Some of Webex's documents leave out the `;` before `rel`.
fn next(headers: &HeaderMap, page: &Url) -> Option<Url> {
    headers
        .get_all(LINK)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        // Commas part links, but also stand in addresses; `<` stands in none.
        .flat_map(|value| value.split('<'))
        .filter_map(|link| link.split_once('>'))
        .find(|(_, parameters)| {
            let parameters = parameters.to_ascii_lowercase().replace(['"', ' '], "");
            parameters
                .split([';', ','])
                .any(|parameter| parameter == "rel=next")
        })
        .and_then(|(address, _)| page.join(address).ok())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(
        r#"<https://h/v1/rooms?cursor=a>; rel="next""#,
        Some("https://h/v1/rooms?cursor=a")
    )]
    #[case(
        r#"<https://h/v1/rooms?cursor=a> rel="next""#,
        Some("https://h/v1/rooms?cursor=a")
    )]
    #[case(
        "</v1/rooms?cursor=a,b>; rel=next",
        Some("https://h/v1/rooms?cursor=a,b")
    )]
    #[case(
        r#"<https://h/v1/rooms?x=1>; rel="first", <https://h/v1/rooms?x=2>; rel="next""#,
        Some("https://h/v1/rooms?x=2")
    )]
    #[case(r#"<https://h/v1/rooms>; rel="prev""#, None)]
    #[case("next", None)]
    fn the_next_page_is_found(#[case] link: &'static str, #[case] found: Option<&str>) {
        let mut headers = HeaderMap::new();
        headers.insert(LINK, HeaderValue::from_static(link));
        let page = Url::parse("https://h/v1/rooms?max=50").unwrap();
        let next = next(&headers, &page);
        assert_eq!(next.as_ref().map(Url::as_str), found);
    }
}
