//! What is wrong with a file, as codes that the page has words for.

use crate::error::{CallError, Code};
use crate::reporting;
use sync::SyncError;
use sync::file::FileError;

pub fn refused(error: SyncError) -> CallError {
    match error {
        SyncError::File(FileError::NotOurs) => CallError::new(Code::UsbNotOurs),
        SyncError::File(FileError::Newer) => CallError::new(Code::UsbNewer),
        SyncError::File(FileError::Damaged(_) | FileError::WrongBlob(_)) => CallError::new(Code::UsbDamaged),
        SyncError::File(FileError::TooLarge) => CallError::new(Code::UsbTooLarge),
        SyncError::File(FileError::Io(error)) => {
            CallError::new(Code::UsbUnreadable).with("cause", error.to_string())
        }
        SyncError::WrongWay => CallError::new(Code::UsbWrongWay),
        SyncError::OtherComputer => CallError::new(Code::UsbOtherComputer),
        SyncError::OtherCity => CallError::new(Code::UsbOtherCity),
        SyncError::BadSignature => CallError::new(Code::UsbBadSignature),
        other => reporting::refused(other),
    }
}

#[cfg(test)]
mod tests {
    use super::refused;
    use crate::error::Code;
    use sync::SyncError;
    use sync::file::FileError;

    #[test]
    fn every_file_that_cannot_be_used_has_its_code() {
        let cases = [
            (SyncError::File(FileError::NotOurs), Code::UsbNotOurs),
            (SyncError::File(FileError::Newer), Code::UsbNewer),
            (SyncError::File(FileError::Damaged(None)), Code::UsbDamaged),
            (SyncError::File(FileError::TooLarge), Code::UsbTooLarge),
            (SyncError::from(FileError::NotForUs), Code::UsbOtherComputer),
            (SyncError::from(FileError::BadSignature), Code::UsbBadSignature),
            (SyncError::WrongWay, Code::UsbWrongWay),
            (SyncError::OtherCity, Code::UsbOtherCity),
            (SyncError::NotEnrolled, Code::NotEnrolled),
        ];
        for (error, code) in cases {
            let words = error.to_string();
            assert_eq!(refused(error).code, code, "{words}");
        }
    }
}
