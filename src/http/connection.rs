//! A connection: plain or TLS, and never without a deadline.
//!
//! actix-http gives the first head of a connection a deadline and answers 408. What it leaves
//! out is here: the heads after the first, which a client could send a byte an hour; bodies in
//! chunks that go on after they were refused; and answers that nobody reads. A request that is being answered has no deadline here; its body
//! and its answer have their own.

use std::cell::Cell;
use std::future::Future as _;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until, timeout};
use tokio_rustls::server::TlsStream;

use super::tls::{ServerTls, names};

/// Alertmanager keeps idle connections for 5 minutes; closing earlier than it does makes a
/// request race with the close.
pub(super) const KEEP_ALIVE: Duration = Duration::from_secs(330);
/// So much later than actix-http's own deadlines, which come with an answer.
const MARGIN: Duration = Duration::from_secs(1);
/// How long a client that was refused may go on sending, so that it can read why.
pub(super) const LINGER: Duration = Duration::from_secs(1);
/// How long a client may take to read some of an answer.
const WRITE_TIME: Duration = Duration::from_secs(30);

/// The longest that parts of a request may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    /// From the first byte of a head to its last.
    pub(super) head: Duration,
    /// From a request's end to the next.
    pub(super) keep_alive: Duration,
}

/// Who is at the other end. Stands beside each request of the connection.
pub(super) struct Peer {
    certificates: Vec<CertificateDer<'static>>,
    names: Vec<String>,
    requests: Rc<Requests>,
}

impl Peer {
    /// Whether its certificate holds one of these names, and is as good now as when the
    /// connection began: CAs are replaced, and certificates expire.
    pub(super) fn is_one_of(&self, wanted: &[String], now: Option<&ServerTls>) -> bool {
        let holds = |wanted: &String| self.names.iter().any(|name| name == wanted);
        wanted.iter().any(holds) && now.is_some_and(|tls| tls.knows_client(&self.certificates))
    }

    /// The last answer said that the connection ends.
    pub(super) fn close(&self) {
        self.requests.closing.set(Some(Instant::now() + LINGER));
        // The server does not look at the connection again before something comes.
        if let Some(waker) = self.requests.reader.take() {
            waker.wake();
        }
    }

    /// A request has begun; it ends when this is dropped.
    pub(super) fn begin(&self) -> UnderWay {
        let requests = Rc::clone(&self.requests);
        requests.under_way.set(requests.under_way.get() + 1);
        requests.heard.set(None);
        UnderWay(requests)
    }
}

/// A request that is being answered.
pub(super) struct UnderWay(Rc<Requests>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0
            .under_way
            .set(self.0.under_way.get().saturating_sub(1));
        self.0.ended.set(Instant::now());
    }
}

/// What a connection is busy with.
struct Requests {
    under_way: Cell<u32>,
    /// When the last one ended, or the connection began.
    ended: Cell<Instant>,
    /// When the first byte came after that.
    heard: Cell<Option<Instant>>,
    /// When the connection ends, whatever comes.
    closing: Cell<Option<Instant>>,
    /// Who waits for something to come.
    reader: Cell<Option<Waker>>,
}

/// What bytes go through.
enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// A connection that is ready for requests.
pub(super) struct Connection {
    stream: Stream,
    times: Times,
    requests: Rc<Requests>,
    reading: Option<Pin<Box<Sleep>>>,
    writing: Option<Pin<Box<Sleep>>>,
    peer: Rc<Peer>,
}

impl Connection {
    /// Takes a connection, through TLS where that is configured.
    pub(super) async fn accept(
        stream: TcpStream,
        tls: Option<Arc<ServerTls>>,
        times: Times,
    ) -> io::Result<(Self, Option<SocketAddr>)> {
        let address = stream.peer_addr().ok();
        // Answers are one small write; without this the last of a kept connection would wait.
        stream.set_nodelay(true)?;
        let (stream, certificates) = match &tls {
            None => (Stream::Plain(stream), Vec::new()),
            Some(tls) => {
                let handshake = timeout(times.head, tls.acceptor().accept(stream));
                let stream = handshake.await.map_err(|_| io::ErrorKind::TimedOut)??;
                let shown = stream.get_ref().1.peer_certificates().unwrap_or_default();
                let certificates = shown.iter().map(|one| one.clone().into_owned()).collect();
                (Stream::Tls(Box::new(stream)), certificates)
            }
        };
        let requests = Rc::new(Requests {
            under_way: Cell::new(0),
            ended: Cell::new(Instant::now()),
            heard: Cell::new(None),
            closing: Cell::new(None),
            reader: Cell::new(None),
        });
        let peer = Rc::new(Peer {
            names: certificates.first().map(names).unwrap_or_default(),
            certificates,
            requests: Rc::clone(&requests),
        });
        let connection = Self {
            stream,
            times,
            requests,
            reading: None,
            writing: None,
            peer,
        };
        Ok((connection, address))
    }

    pub(super) fn peer(&self) -> Rc<Peer> {
        Rc::clone(&self.peer)
    }

    /// When the client must have sent something that makes a request.
    fn reading_until(&self) -> Option<Instant> {
        if self.requests.under_way.get() > 0 {
            return None;
        }
        let until = match (self.requests.closing.get(), self.requests.heard.get()) {
            (Some(closing), _) => closing,
            (None, Some(heard)) => heard + self.times.head,
            (None, None) => self.requests.ended.get() + self.times.keep_alive,
        };
        Some(until + MARGIN)
    }
}

/// Whether a deadline is over; else the task is woken when it is.
fn is_over(
    timer: &mut Option<Pin<Box<Sleep>>>,
    until: Option<Instant>,
    cx: &mut Context<'_>,
) -> bool {
    let Some(until) = until else {
        *timer = None;
        return false;
    };
    let timer = timer.get_or_insert_with(|| Box::pin(sleep_until(until)));
    if timer.deadline() != until {
        timer.as_mut().reset(until);
    }
    timer.as_mut().poll(cx).is_ready()
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        // Who sends without a pause would never be seen waiting.
        let closing = this.requests.closing.get();
        if closing.is_some_and(|closing| Instant::now() > closing + MARGIN) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let before = buffer.filled().len();
        let polled = match &mut this.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Stream::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        };
        if polled.is_pending() {
            let until = this.reading_until();
            if is_over(&mut this.reading, until, cx) {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            this.requests.reader.set(Some(cx.waker().clone()));
            return Poll::Pending;
        }
        let requests = &this.requests;
        let is_idle = requests.under_way.get() == 0 && requests.heard.get().is_none();
        if is_idle && buffer.filled().len() > before {
            requests.heard.set(Some(Instant::now()));
        }
        polled
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let polled = match &mut this.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        };
        this.written(polled, cx)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let polled = match &mut this.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(cx),
        };
        this.written(polled, cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let polled = match &mut this.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        };
        this.written(polled, cx)
    }
}

impl Connection {
    /// Something of an answer was written, or the client does not read.
    fn written<T>(
        &mut self,
        polled: Poll<io::Result<T>>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.writing = None;
            return polled;
        }
        let since = self.writing.as_ref().map(|timer| timer.deadline());
        let until = since.unwrap_or_else(|| Instant::now() + WRITE_TIME);
        if is_over(&mut self.writing, Some(until), cx) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::net::TcpListener;

    use super::*;

    const TIMES: Times = Times {
        head: Duration::from_secs(5),
        keep_alive: KEEP_ALIVE,
    };

    /// Both ends of a connection: ours, and that of a client which does nothing by itself.
    async fn connected() -> (Connection, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let (connection, address) = Connection::accept(stream, None, TIMES).await.unwrap();
        assert_eq!(address, client.local_addr().ok());
        (connection, client)
    }

    /// Reads until there is an end, and says which and after how long.
    async fn read_to_the_end(connection: &mut Connection) -> (io::ErrorKind, Duration) {
        let start = Instant::now();
        loop {
            let mut bytes = [0; 64];
            let read = poll_fn(|cx| {
                Pin::new(&mut *connection).poll_read(cx, &mut ReadBuf::new(&mut bytes))
            });
            if let Err(error) = read.await {
                return (error.kind(), start.elapsed());
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_of_a_head_has_to_become_one() {
        let (mut connection, client) = connected().await;
        client.writable().await.unwrap();
        assert_eq!(client.try_write(b"POST").unwrap(), 4);
        let (end, after) = read_to_the_end(&mut connection).await;
        assert_eq!((end, after), (io::ErrorKind::TimedOut, TIMES.head + MARGIN));
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_connection_is_kept_longer_than_alertmanager_keeps_it() {
        let (mut connection, _client) = connected().await;
        drop(connection.peer().begin());
        let (end, after) = read_to_the_end(&mut connection).await;
        assert_eq!((end, after), (io::ErrorKind::TimedOut, KEEP_ALIVE + MARGIN));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_client_may_read_the_answer_and_no_more() {
        let (mut connection, _client) = connected().await;
        let peer = connection.peer();
        drop(peer.begin());
        peer.close();
        let (end, after) = read_to_the_end(&mut connection).await;
        assert_eq!((end, after), (io::ErrorKind::TimedOut, LINGER + MARGIN));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_reads_no_answer_is_hung_up_on() {
        let (mut connection, _client) = connected().await;
        let start = Instant::now();
        let error = loop {
            let written = poll_fn(|cx| Pin::new(&mut connection).poll_write(cx, &[0; 16384]));
            if let Err(error) = written.await {
                break error;
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(start.elapsed(), WRITE_TIME);
    }
}
