//! Taking a device's right to write, and giving it back: rulings of the city's in the stream, which every holder carries
//! on.

use crate::accounts::OPERATOR;
use crate::city::{City, CityError};
use crate::pen::Write;
use crate::{accept, audit, fold, log};
use replica::{ChangeId, DeviceId, Ruling, STREAM_KIND, STREAM_RECORD, StreamId, Verdicts, ruling_path};
use rusqlite::Connection;

impl City {
    /// From now on the device counts only up to what is held of it. Gives the ruling.
    pub fn revoke(&self, stream: &StreamId, device: &DeviceId) -> Result<ChangeId, CityError> {
        self.revoke_by(OPERATOR, stream, device)
    }

    /// One that is revoked already is refused: revoking it again would let count what it wrote since.
    pub fn revoke_by(&self, who: &str, stream: &StreamId, device: &DeviceId) -> Result<ChangeId, CityError> {
        self.db.write(|t| {
            let verdicts = verdicts(self, t, stream)?;
            if fold::signers(&verdicts).get(device) != Some(&false) || verdicts.city.contains(device) {
                return Err(CityError::NotInUse(*device));
            }
            let ends = log::frontier(t, stream)?.ends(device).collect();
            let ruling = Ruling::Revoke { device: *device, ends };
            self.rule(t, who, stream, path_of(device), &ruling, "device revoked")
        })
    }

    /// The revocation no longer holds: everything that the device ever wrote counts.
    pub fn reinstate(&self, who: &str, stream: &StreamId, device: &DeviceId) -> Result<ChangeId, CityError> {
        self.db.write(|t| {
            if !verdicts(self, t, stream)?.revoked.contains_key(device) {
                return Err(CityError::NotRevoked(*device));
            }
            self.rule(t, who, stream, path_of(device), &Ruling::Lift, "device reinstated")
        })
    }

    /// A ruling no longer holds: what it voided counts again.
    pub fn lift(&self, who: &str, stream: &StreamId, path: &str) -> Result<ChangeId, CityError> {
        self.db.write(|t| self.rule(t, who, stream, path.to_owned(), &Ruling::Lift, "ruling lifted"))
    }

    fn rule(
        &self,
        t: &Connection,
        who: &str,
        stream: &StreamId,
        path: String,
        ruling: &Ruling,
        action: &str,
    ) -> Result<ChangeId, CityError> {
        let now = self.world.now();
        let record = fold::state(t, &self.root, stream, STREAM_KIND, STREAM_RECORD)?;
        let over = record.map(|record| record.heads(&path)).unwrap_or_default();
        audit::note(t, now, who, action, &format!("{stream} {path}"))?;
        let writes = [Write::to_stream(path, ruling.to_value(), over)];
        let change = accept::write(self, t, stream, "rule", &writes, now)?;
        Ok(change.id)
    }
}

/// One ruling for each device, which writes over itself.
fn path_of(device: &DeviceId) -> String {
    ruling_path(&device.to_string()[..32])
}

pub fn verdicts(city: &City, t: &Connection, stream: &StreamId) -> Result<Verdicts, CityError> {
    let founder = fold::founder(t, stream)?.ok_or(CityError::NoStream(*stream))?;
    Ok(fold::verdicts(t, &city.root, stream, founder, None)?)
}
