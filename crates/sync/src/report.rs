//! What one exchange may do, and what it did.

use replica::DeviceId;
use store::MOST_LOST;
use wire::RefusedPart;

/// What an exchange did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    pub requests: u32,
    /// Changes that went out and came in, and the bytes of the bodies.
    pub sent: u64,
    pub received: u64,
    pub bytes_up: u64,
    pub bytes_down: u64,
    /// How many of the requests were cut, up or down.
    pub cuts: u32,
    /// The city's clock minus this computer's, in milliseconds, if that had to be put right.
    pub clock_off: Option<i64>,
    /// What the city turned away.
    pub refused: Vec<RefusedPart>,
    /// The city's time of the last receipt.
    pub receipt_at: Option<i64>,
    /// Seconds after which the city wants to hear from us again.
    pub retry_after: Option<u32>,
    /// The identity that this computer took because its chain had two ends, or a row of its log was damaged.
    pub renewed: Option<DeviceId>,
    /// Changes that were issued again because a row of the log was damaged.
    pub issued_again: u64,
    /// The address that the city announced and that is used from now on.
    pub moved_to: Option<String>,
}

/// How many records one exchange may take away without a further question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Consent {
    /// Here, by what the city sends.
    pub incoming: u64,
    /// At the city, by what is sent from here.
    pub outgoing: u64,
}

impl Default for Consent {
    fn default() -> Self {
        Self { incoming: MOST_LOST, outgoing: MOST_LOST }
    }
}
