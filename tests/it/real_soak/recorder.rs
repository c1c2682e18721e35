//! Stands between the Alertmanagers and the service, and records what was asked and answered.
//!
//! What happens to one side happens to the other: where the service breaks the connection or
//! is not there, Alertmanager's is closed.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::ledger::{Answer, Shared, Tell, now};

/// Longer than any answer of the service takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// The place where Alertmanager sends to.
pub(super) struct Recorder {
    pub(super) address: SocketAddr,
    /// While it is set, answers are lost on their way back.
    losing: Arc<AtomicBool>,
}

impl Recorder {
    pub(super) fn start(service: SocketAddr, ledger: &Shared) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let losing = Arc::<AtomicBool>::default();
        let (ledger, lost) = (Arc::clone(ledger), Arc::clone(&losing));
        // It ends with the process of the test.
        std::thread::spawn(move || {
            while let Ok((client, _)) = listener.accept() {
                let (ledger, lost) = (Arc::clone(&ledger), Arc::clone(&lost));
                std::thread::spawn(move || {
                    // A broken connection is one of the things that are tried here.
                    let _ = pass_on(&client, service, &ledger, &lost);
                });
            }
        });
        Self { address, losing }
    }

    pub(super) fn lose_answers(&self, lose: bool) {
        self.losing.store(lose, Ordering::Relaxed);
    }
}

/// What Alertmanager sends.
struct Request {
    path: String,
    body: Vec<u8>,
}

fn pass_on(
    client: &TcpStream,
    service: SocketAddr,
    ledger: &Shared,
    losing: &AtomicBool,
) -> io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    while let Some(request) = read(&mut reader)? {
        let tell = Tell::of_notification(&request.body);
        let number = tell.map(|tell| ledger.lock().unwrap().arrived(tell));
        let (status, body) = exchange(service, "POST", &request.path, &request.body)?;
        let at = now();
        let listens = !losing.load(Ordering::Relaxed) && is_open(client)?;
        let taken = listens
            && {
                let length = body.len();
                let head = format!(
                    "HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
                );
                let mut client = client;
                client.write_all(&[head.as_bytes(), &body].concat()).is_ok()
            };
        if let Some(number) = number {
            let answer = Answer { at, status, taken };
            ledger.lock().unwrap().answered(number, answer);
        }
        if !taken {
            break;
        }
    }
    Ok(())
}

/// Whether the other side still waits. Alertmanager hangs up when its flush is over.
fn is_open(client: &TcpStream) -> io::Result<bool> {
    client.set_nonblocking(true)?;
    let seen = client.peek(&mut [0]);
    client.set_nonblocking(false)?;
    Ok(match seen {
        Ok(bytes) => bytes > 0,
        Err(error) => error.kind() == io::ErrorKind::WouldBlock,
    })
}

/// The next request on a connection, if there is one.
fn read(from: &mut BufReader<TcpStream>) -> io::Result<Option<Request>> {
    let mut line = String::new();
    if from.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let path = line.split(' ').nth(1).unwrap_or("/").to_owned();
    let mut length = 0;
    loop {
        line.clear();
        from.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().map_err(io::Error::other)?;
        }
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body)?;
    Ok(Some(Request { path, body }))
}

/// One request on a connection of its own: status and body.
pub(super) fn exchange(
    to: SocketAddr,
    method: &str,
    path: &str,
    body: &[u8],
) -> io::Result<(u16, Vec<u8>)> {
    let mut stream = TcpStream::connect_timeout(&to, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(&[head.as_bytes(), body].concat())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let broken = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let body = answer.split_off(end.ok_or_else(broken)? + 4);
    let head = String::from_utf8_lossy(&answer);
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    Ok((status.ok_or_else(broken)?, body))
}
