//! The rounds of an exchange, one request each. What needs the city and what needs this computer go on at the same time:
//! while a body travels the next one is written, and while an answer is taken in the next one is asked for.

use crate::asked::Asked;
use crate::came::{Came, Opened};
use crate::engine::{Course, Engine, theirs};
use crate::error::SyncError;
use crate::http::{Carrier, NoReply, Reply};
use crate::outgoing::{Told, Written};
use crate::plan::{Next, Sides, Stall};
use replica::{RootKey, planted};
use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread;
use store::{Sources, Store};
use wire::enrol::{EXCHANGE_PATH, EXCHANGE_TYPE, Refusal};
use wire::{RequestHead, StreamAsk, Target, after_cut, after_success};

/// Cuts in a row without progress after which the exchange gives up for now.
const MOST_CUTS: u32 = 4;

/// A request that is ready to go.
pub(crate) struct Ready {
    pub asked: Asked,
    pub asks: Vec<StreamAsk>,
    pub head: RequestHead,
    framed: Vec<u8>,
    pub sent: usize,
    /// Not everything fitted.
    more: bool,
    told: Told,
}

/// What was done ahead of its time.
#[derive(Default)]
pub(crate) struct Ahead {
    /// The body of the next request.
    written: Option<(Asked, Written)>,
    /// The next request, when it went out already, and its answer.
    sent: Option<(Ready, Came)>,
}

/// What a request is signed with.
struct Pen {
    root: RootKey,
    skew: i64,
    sources: Arc<dyn Sources>,
}

impl Pen {
    fn sign(&self, store: &Store, asked: Asked, written: Written) -> Result<Ready, SyncError> {
        let Written { body, sent, more, told } = written;
        let mut nonce = [0; 16];
        self.sources.fill(&mut nonce);
        let at = self.sources.now() + self.skew;
        let mut head = RequestHead { device: store.device()?, nonce, at, signature: [0; 64] };
        let target = Target { method: "POST", path: EXCHANGE_PATH, query: "", encoding: "", city: self.root };
        head.signature = store.sign(&head.signature_input(&target, &body))?;
        let framed = head.frame(&body);
        Ok(Ready { asks: asked.asks(), asked, head, framed, sent, more, told })
    }
}

impl Engine {
    pub(crate) fn rounds(&mut self, store: &Store, course: &mut Course) -> Result<(), SyncError> {
        course.stall = Stall::default();
        let mut ahead = Ahead::default();
        loop {
            let asked = self.asked(store, course)?;
            let (ready, came) = match sent_already(&mut ahead, store, &asked)? {
                Some((ready, came)) => (ready, Ok(came)),
                None => {
                    let ready = self.prepare(store, asked, &mut ahead)?;
                    let replied = self.send(store, &ready, course, &mut ahead);
                    let came = replied.map(|reply| Came::read(&ready, &reply));
                    (ready, came)
                }
            };
            match came {
                Ok(came) => match self.take(store, &ready, came, course, &mut ahead)? {
                    Next::Done => return Ok(()),
                    Next::Again { wants } => course.wants = wants && course.halted.is_none(),
                },
                Err(NoReply::Refused(refusal))
                    if refusal.code == "clock" && course.report.clock_off.is_none() =>
                {
                    self.skew = refusal.time - self.sources.now();
                    course.report.clock_off = Some(self.skew);
                }
                Err(NoReply::Refused(refusal)) => {
                    if refusal.code == "not_enrolled" {
                        // It was set back: what it once said that it holds is worth nothing.
                        store.forget_city_blobs()?;
                    }
                    self.tell_on(&ready, refusal, course)?;
                }
                Err(NoReply::Other(SyncError::CutOff)) => self.cut(course)?,
                Err(other) => return Err(other.into()),
            }
        }
    }

    /// A city that does not know this device, or no longer wants to, keeps what it was told by this request without saying
    /// so. It is told the rest, in as many requests as that takes: what lets this device in may be among it.
    fn tell_on(&mut self, ready: &Ready, refusal: Refusal, course: &mut Course) -> Result<(), SyncError> {
        let stranger = refusal.code == "not_enrolled";
        if stranger && !course.anew && !planted!(NotToldAnew) {
            course.anew = true;
            return Ok(());
        }
        let went_on = ready.more && ready.told != course.told;
        if !went_on || !stranger {
            return Err(NoReply::Refused(refusal).into());
        }
        course.told.clone_from(&ready.told);
        self.budget = after_success(self.budget);
        Ok(())
    }

    pub(crate) fn cut(&mut self, course: &mut Course) -> Result<(), SyncError> {
        self.budget = after_cut(self.budget);
        course.report.cuts += 1;
        course.cuts += 1;
        match course.cuts > MOST_CUTS {
            true => Err(SyncError::CutOff),
            false => Ok(()),
        }
    }

    fn asked(&self, store: &Store, course: &Course) -> Result<Asked, SyncError> {
        Ok(Asked {
            sides: self.sides(store, course)?,
            wants: course.wants && course.halted.is_none(),
            budget: self.budget,
            silent: course.held.is_some(),
            refused: course.refused.clone(),
            wanted: course.wanted.iter().copied().filter(|id| !course.given.contains(id)).collect(),
            told: course.told.clone(),
        })
    }

    /// The streams that this city vouches for.
    pub(crate) fn sides(&self, store: &Store, course: &Course) -> Result<Vec<Sides>, SyncError> {
        let mut sides = Vec::new();
        for info in store.streams()?.iter().filter(|info| info.root == Some(self.enrolment.root)) {
            sides.push(Sides {
                stream: info.id,
                mine: store.frontier(&info.id)?,
                theirs: theirs(store, course, &info.id)?,
                traces: course.traces.get(&info.id).cloned().unwrap_or_default(),
            });
        }
        Ok(sides)
    }

    fn pen(&self) -> Pen {
        Pen { root: self.enrolment.root, skew: self.skew, sources: self.sources.clone() }
    }

    fn prepare(&self, store: &Store, asked: Asked, ahead: &mut Ahead) -> Result<Ready, SyncError> {
        let written = match ahead.written.take().filter(|(foreseen, _)| *foreseen == asked) {
            Some((_, written)) => written,
            None => asked.write(store)?,
        };
        self.pen().sign(store, asked, written)
    }

    /// Sends a request and waits for the answer. Meanwhile the next body is written, if there is more to say.
    fn send(
        &self,
        store: &Store,
        ready: &Ready,
        course: &mut Course,
        ahead: &mut Ahead,
    ) -> Result<Reply, NoReply> {
        course.report.requests += 1;
        course.report.bytes_up += ready.framed.len() as u64;
        let next = ready.asked.after_sending(ready.more, &ready.told);
        let write = next.map(|next| || next.write(store).ok().map(|written| (next, written)));
        let post = || self.carrier.post(EXCHANGE_PATH, EXCHANGE_TYPE, ready.framed.clone());
        let (replied, written) = at_once(&*self.carrier, post, write);
        ahead.written = written.flatten();
        replied
    }

    /// Takes an answer in. Meanwhile the city is asked for the rest of what it has, as if all of this answer were here, and
    /// what it says is verified. What comes of that counts only once it is so; until then nothing was promised, for the
    /// city keeps no account of what a laptop says that it holds.
    pub(crate) fn take_while_asking(
        &mut self,
        store: &Store,
        ready: &Ready,
        opened: Opened,
        course: &mut Course,
        ahead: &mut Ahead,
    ) -> Result<Next, SyncError> {
        let (carrier, pen) = (self.carrier.clone(), self.pen());
        let simple = course.halted.is_none() && course.handing_in.is_none() && !course.anew;
        let next = simple.then(|| ready.asked.after_answer(&opened.answer, &opened.changes)).flatten();
        let line = carrier.clone();
        let ask = next.map(|next| {
            move || {
                let written = next.write_nothing();
                let ready = pen.sign(store, next, written).ok()?;
                let reply = line.post(EXCHANGE_PATH, EXCHANGE_TYPE, ready.framed.clone()).ok()?;
                let came = Came::read(&ready, &reply);
                Some((ready, came))
            }
        });
        let take = || self.take_in(store, ready, opened, course);
        let (taken, sent) = at_once(&*carrier, take, ask);
        ahead.sent = sent.flatten();
        if let Some((ready, _)) = &ahead.sent {
            course.report.requests += 1;
            course.report.bytes_up += ready.framed.len() as u64;
        }
        taken
    }
}

/// The request that went out ahead, if it is the one to be sent now.
fn sent_already(ahead: &mut Ahead, store: &Store, asked: &Asked) -> Result<Option<(Ready, Came)>, SyncError> {
    match ahead.sent.take() {
        Some((ready, came)) if ready.asked == *asked && asked.outgoing(store)?.is_empty() => {
            Ok(Some((ready, came)))
        }
        Some(_) | None => Ok(None),
    }
}

/// Does both, the second on a thread of its own if the line is one that is waited for, and before the first if not.
fn at_once<A, B: Send>(
    line: &dyn Carrier,
    first: impl FnOnce() -> A,
    second: Option<impl FnOnce() -> B + Send>,
) -> (A, Option<B>) {
    match second {
        None => (first(), None),
        Some(second) if !line.is_waited_for() => {
            let second = second();
            (first(), Some(second))
        }
        Some(second) => thread::scope(|scope| {
            let other = scope.spawn(second);
            let first = first();
            (first, Some(other.join().unwrap_or_else(|panic| resume_unwind(panic))))
        }),
    }
}
