//! HTTP/1.1 as far as it is needed to send and answer requests with a length: a library would
//! cost the sender more than what is measured costs the relay.

use anyhow::{Context as _, Result, bail, ensure};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

/// No head is longer.
const HEAD_BYTES: usize = 16 * 1024;

/// A connection with what was read of it and not yet used.
pub(crate) struct Wire {
    pub(crate) stream: TcpStream,
    buffer: Vec<u8>,
    /// Where the message ends that was read last.
    used: usize,
}

/// A request or an answer.
pub(crate) struct Message<'a> {
    /// The first line: `POST /v1/messages HTTP/1.1`, `HTTP/1.1 200 OK`.
    pub(crate) line: &'a str,
    pub(crate) body: &'a [u8],
}

impl Message<'_> {
    /// The status of an answer.
    pub(crate) fn status(&self) -> Result<u16> {
        let status = self.line.split(' ').nth(1);
        status
            .and_then(|status| status.parse().ok())
            .with_context(|| format!("an answer that begins with {:?}", self.line))
    }
}

impl Wire {
    pub(crate) fn new(stream: TcpStream) -> Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(4096),
            used: 0,
        })
    }

    /// The next message; none where the other side has closed the connection in between.
    pub(crate) async fn read(&mut self) -> Result<Option<Message<'_>>> {
        self.buffer.drain(..self.used);
        self.used = 0;
        let mut head = None;
        loop {
            if head.is_none() {
                head = self.buffer.windows(4).position(|four| four == b"\r\n\r\n");
            }
            if let Some(end) = head {
                let text = std::str::from_utf8(&self.buffer[..end])?;
                let whole = end + 4 + length(text)?;
                if self.buffer.len() >= whole {
                    self.used = whole;
                    break;
                }
                self.buffer.reserve(whole - self.buffer.len());
            }
            ensure!(
                head.is_some() || self.buffer.len() < HEAD_BYTES,
                "a head without end"
            );
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                ensure!(self.buffer.is_empty(), "the connection broke off");
                return Ok(None);
            }
        }
        let head = head.unwrap_or_default();
        let text = std::str::from_utf8(&self.buffer[..head])?;
        Ok(Some(Message {
            line: text.lines().next().unwrap_or_default(),
            body: &self.buffer[head + 4..self.used],
        }))
    }
}

/// How long the body behind a head is.
fn length(head: &str) -> Result<usize> {
    for line in head.lines().skip(1) {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        if name.eq_ignore_ascii_case("content-length") {
            return Ok(value.trim().parse()?);
        }
        if name.eq_ignore_ascii_case("transfer-encoding") {
            bail!("a body in chunks, which nothing here sends");
        }
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_as_long_as_its_head_says() {
        assert_eq!(
            length("POST / HTTP/1.1\r\nHost: a\r\ncontent-length: 12").unwrap(),
            12
        );
        assert_eq!(length("GET / HTTP/1.1\r\nHost: a").unwrap(), 0);
        assert!(length("POST / HTTP/1.1\r\nTransfer-Encoding: chunked").is_err());
    }
}
