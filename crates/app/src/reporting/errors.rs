//! What went wrong with the city, as codes that the page has words for.

use crate::error::{CallError, Code};
use sync::{SyncError, Way};

pub fn refused(error: SyncError) -> CallError {
    match error {
        SyncError::BadAddress(address) => CallError::new(Code::BadAddress).with("address", address),
        SyncError::PlainHttp(address) => {
            CallError::new(Code::BadAddress).with("address", address).with("reason", "plain_http")
        }
        SyncError::Offline(cause) => CallError::new(Code::Offline).with("cause", cause),
        SyncError::Untrusted(cause) => CallError::new(Code::Untrusted).with("cause", cause),
        SyncError::NotOurServer => CallError::new(Code::NotOurServer),
        SyncError::WebPage => CallError::new(Code::WebPage),
        SyncError::ProxyAsks => CallError::new(Code::ProxyAsks),
        SyncError::Stopped => CallError::new(Code::Stopped),
        SyncError::CutOff => CallError::new(Code::CutOff),
        SyncError::Refused { code, detail } => by_city(&code, detail),
        SyncError::Busy(seconds) => CallError::new(Code::Busy).with("seconds", seconds),
        SyncError::OtherCity => CallError::new(Code::Refused).with("reason", "other_city"),
        SyncError::BadSignature => CallError::new(Code::Refused).with("reason", "bad_signature"),
        SyncError::BadCode(bad) => CallError::new(Code::CodeUnknown).with("reason", bad.to_string()),
        SyncError::TooManyLost { way: Way::Incoming, losses } => {
            CallError::new(Code::MassIncoming).with("count", losses.count)
        }
        SyncError::TooManyLost { way: Way::Outgoing, losses } => {
            CallError::new(Code::MassOutgoing).with("count", losses.count)
        }
        SyncError::NotEnrolled => CallError::new(Code::NotEnrolled),
        SyncError::File(_) | SyncError::WrongWay | SyncError::OtherComputer => CallError::internal(&error),
        SyncError::Store(error) => error.into(),
    }
}

/// The city's own word; one that this program does not know is shown as it is.
fn by_city(code: &str, detail: String) -> CallError {
    let known = match code {
        "code_unknown" => Code::CodeUnknown,
        "code_used" => Code::CodeUsed,
        "code_expired" => Code::CodeExpired,
        "code_too_many_tries" => Code::TooManyTries,
        "clock" => Code::ClockOff,
        "not_enrolled" => Code::NotEnrolled,
        "revoked" => Code::Revoked,
        "stream_full" => Code::StreamFull,
        "city_full" => Code::CityFull,
        _ => Code::Refused,
    };
    CallError::new(known).with("reason", code).with("detail", detail)
}

#[cfg(test)]
mod tests {
    use super::refused;
    use crate::error::Code;
    use sync::SyncError;

    #[test]
    fn every_refusal_has_its_code() {
        let by_city = |code: &str| SyncError::Refused { code: code.to_owned(), detail: String::new() };
        let cases = [
            (SyncError::BadAddress("x y".into()), Code::BadAddress),
            (SyncError::PlainHttp("http://x".into()), Code::BadAddress),
            (SyncError::Offline("no route".into()), Code::Offline),
            (SyncError::Untrusted("expired".into()), Code::Untrusted),
            (SyncError::NotOurServer, Code::NotOurServer),
            (SyncError::WebPage, Code::WebPage),
            (SyncError::ProxyAsks, Code::ProxyAsks),
            (SyncError::Stopped, Code::Stopped),
            (SyncError::CutOff, Code::CutOff),
            (SyncError::Busy(30), Code::Busy),
            (SyncError::NotEnrolled, Code::NotEnrolled),
            (by_city("code_unknown"), Code::CodeUnknown),
            (by_city("code_used"), Code::CodeUsed),
            (by_city("code_expired"), Code::CodeExpired),
            (by_city("code_too_many_tries"), Code::TooManyTries),
            (by_city("revoked"), Code::Revoked),
            (by_city("stream_full"), Code::StreamFull),
            (by_city("city_full"), Code::CityFull),
            (by_city("of_a_newer_city"), Code::Refused),
        ];
        for (error, code) in cases {
            let words = error.to_string();
            assert_eq!(refused(error).code, code, "{words}");
        }
    }
}
