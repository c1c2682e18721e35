//! Keeps a template from hanging the process or eating its memory.
//!
//! Tera runs a template to its end and cannot be interrupted, so what can make one long is
//! bounded one by one:
//!
//! - **Steps.** A call is put behind the beginning of each loop and component (`guard`), which
//!   counts and looks at the clock. Loops within loops end after [`STEPS`] rounds.
//! - **Values.** A call is put behind each assignment that may grow a value; it refuses texts of
//!   more than [`VALUE_BYTES`]: one that doubles itself gets no further.
//! - **Output.** What is written ends after [`OUTPUT_BYTES`].
//! - **Time.** All of them look at the clock: [`TIME`] at most, of the processor: where a
//!   machine is busy with other things, that is no fault of the template.
//!
//! What remains is bounded by the template's own length: a single expression may join values
//! that each are within the limit. So a mistake harms nobody; a template that means harm can
//! still cost memory, and whoever may write templates is trusted so far.
//!
//! What does not belong here: what is done instead (`fallback`).

use std::cell::Cell;
use std::io::{self, Write};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tera::{Error, Kwargs, State, Tera, TeraResult, Value};

/// Rounds of all loops of a rendering: enough for each label of 10,000 alerts.
const STEPS: u32 = 500_000;

/// The largest text that may be assigned to a name, and the most items of a list.
const VALUE_BYTES: usize = 512 * 1024;
const VALUE_ITEMS: usize = 100_000;

/// The most that a rendering may write: ten messages, and 5,000 alerts besides, which are
/// counted then.
const OUTPUT_BYTES: usize = 16 * 1024 * 1024;

/// How long a rendering may take. Ten alerts take less than a thousandth of it. The tests of the
/// other bounds are to reach those, on a busy machine and without optimisation too; the fuzzer
/// is optimised, with assertions.
pub(super) const TIME: Duration =
    Duration::from_secs(if cfg!(debug_assertions) && !cfg!(fuzzing) {
        60
    } else {
        2
    });

/// So much memory a thread keeps for the next rendering.
const PAGE_BYTES: usize = 16 * 1024;

const TOO_LONG: &str = "it takes too long";

/// After how many steps the clock is looked at.
const STEPS_A_LOOK: u32 = 64;

/// Names of the calls that `guard` puts into templates.
pub(super) const STEP: &str = "__step";
pub(super) const ASSIGNED: &str = "__assigned";

/// What a rendering may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) steps: u32,
    pub(super) bytes: usize,
    pub(super) time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            steps: STEPS,
            bytes: OUTPUT_BYTES,
            time: TIME,
        }
    }
}

/// What a rendering has left.
#[derive(Debug, Clone, Copy)]
struct Left {
    steps: u32,
    deadline: Duration,
}

thread_local! {
    /// Of the rendering that runs on this thread. Tera passes nothing of ours to a function.
    static LEFT: Cell<Option<Left>> = const { Cell::new(None) };
    /// What renderings write into. Large blocks are what an allocator is slowest with.
    static PAGE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Lets a rendering write and count; ends with it.
pub(super) struct Meter {
    text: Vec<u8>,
    most: usize,
    deadline: Duration,
    breach: Option<String>,
}

impl Meter {
    pub(super) fn start(limits: Limits) -> Self {
        let deadline = spent() + limits.time;
        LEFT.set(Some(Left {
            steps: limits.steps,
            deadline,
        }));
        Self {
            text: PAGE.take(),
            most: limits.bytes,
            deadline,
            breach: None,
        }
    }

    /// Why writing was refused, if it was. Tera tells no more than that it was.
    pub(super) fn breach(&self) -> Option<&str> {
        self.breach.as_deref()
    }

    /// What was written.
    pub(super) fn finish(self) -> String {
        // Tera writes text, and whole pieces of it.
        str::from_utf8(&self.text).unwrap_or_default().to_owned()
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        LEFT.set(None);
        let mut page = std::mem::take(&mut self.text);
        if page.capacity() <= PAGE_BYTES {
            page.clear();
            PAGE.set(page);
        }
    }
}

impl Write for &mut Meter {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let grown = self.text.len() + piece.len();
        if grown > self.most {
            self.breach = Some(format!("it writes more than {} bytes", self.most));
        // Looking at the clock with each piece would cost as much as writing it.
        } else if grown >> 12 != self.text.len() >> 12 && spent() > self.deadline {
            self.breach = Some(TOO_LONG.to_owned());
        }
        if self.breach.is_some() {
            return Err(io::ErrorKind::Other.into());
        }
        self.text.extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Registers the calls that `guard` puts into templates.
pub(super) fn register(tera: &mut Tera) {
    tera.register_function(STEP, |_: Kwargs, _: &State<'_>| step());
    tera.register_function(ASSIGNED, |kwargs: Kwargs, _: &State<'_>| {
        assigned(kwargs.must_get::<&Value>("value")?)
    });
}

/// What this thread has had of the processor so far. A rendering stays on one thread.
fn spent() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    // Both are below zero for no thread.
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or_default(),
        u32::try_from(time.tv_nsec).unwrap_or_default(),
    )
}

fn step() -> TeraResult<Value> {
    let Some(left) = LEFT.get() else {
        return Ok(nothing());
    };
    let Some(steps) = left.steps.checked_sub(1) else {
        return Err(Error::message("its loops take too many rounds"));
    };
    if steps % STEPS_A_LOOK == 0 && spent() > left.deadline {
        return Err(Error::message(TOO_LONG));
    }
    LEFT.set(Some(Left { steps, ..left }));
    Ok(nothing())
}

fn assigned(value: &Value) -> TeraResult<Value> {
    let bytes = value.as_str().map_or(0, str::len);
    let items = value.as_array().map_or(0, <[Value]>::len);
    if bytes > VALUE_BYTES || items > VALUE_ITEMS {
        return Err(Error::message(format!(
            "a value takes more than {VALUE_BYTES} bytes or {VALUE_ITEMS} items"
        )));
    }
    step()
}

fn nothing() -> Value {
    Value::safe_string("")
}
