//! Bugs that are planted on purpose, so that the simulator can prove that it would find them. With the feature `zoo`
//! one of them is switched on at run time; without it, as in every program, none is compiled in.

use std::sync::atomic::{AtomicU8, Ordering};

macro_rules! bugs {
    ($($(#[doc = $words:literal])* $name:ident),* $(,)?) => {
        /// What may be planted, each at one place that says `bug!(Name)`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Bug {
            $($(#[doc = $words])* $name),*
        }

        impl Bug {
            pub const ALL: &[(Bug, &str)] = &[$((Bug::$name, concat!($($words),*))),*];
        }
    };
}

bugs! {
    /// the laptop says that it is saved before it is
    AckBeforeCommit,
    /// the city answers before what it took is on disk
    AnswerBeforeSync,
    /// a full disk is passed over in silence
    FullDiskIgnored,
    /// a change is identified by its number
    NumberIsIdentity,
    /// a gap in a chain is accepted
    GapAccepted,
    /// the second end of a copied computer is forgotten
    SecondEndForgotten,
    /// an unknown end is guessed as held
    UnknownEndHeld,
    /// half a change is applied
    HalfChange,
    /// a ruling reaches no record that is stored already
    RulingReachesNothing,
    /// ~gone names only the birth of the record
    GoneNamesOneHead,
    /// 定稿 covers what arrives later
    FinalCoversLater,
    /// what arrives after 定稿 is dropped
    LateDropped,
    /// the clock decides which value wins
    ClockWins,
    /// a removal beats what it did not know of
    GoneWins,
    /// a removed record comes back with the next edit
    TombstoneForgotten,
    /// what a voided change was over is not inherited
    OverNotInherited,
    /// a redacted value comes back
    RedactionForgotten,
    /// fields of a newer program are dropped
    UnknownFieldDropped,
    /// a merged text loses what the other side added
    MergeLosesText,
    /// a reissue that was cut issues everything twice
    ReissuedTwice,
    /// everything counts as reported as soon as anything is
    ReportedTooEarly,
    /// that the city holds less than before is not noticed
    RestoreNotNoticed,
    /// a city that was set back is not told who is who
    NotToldAnew,
    /// the outbox stops behind a refusal
    OutboxStops,
    /// a ruling is made again at every request
    RulingTwice,
    /// a city that was set back judges again what it had accepted
    JudgedAgain,
    /// the city shows everybody what it refused
    RefusedShown,
    /// a revoked device is served
    RevokedServed,
    /// another organisation is served
    OtherServed,
    /// a request is answered twice
    AnsweredTwice,
    /// who may sign is not written down
    SignersStale,
}

static PLANTED: AtomicU8 = AtomicU8::new(u8::MAX);

/// Plants one bug in this process, or none.
pub fn plant(bug: Option<Bug>) {
    PLANTED.store(bug.map_or(u8::MAX, |bug| bug as u8), Ordering::SeqCst);
}

/// Whether this is the one that is planted.
pub fn on(bug: Bug) -> bool {
    PLANTED.load(Ordering::Relaxed) == bug as u8
}

/// Whether a planted bug is on.
#[macro_export]
macro_rules! planted {
    ($name:ident) => {
        $crate::zoo::on($crate::zoo::Bug::$name)
    };
}
