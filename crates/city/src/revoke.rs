//! Taking a device's right to write: a ruling of the city's in the stream, which every holder carries on.

use crate::city::{City, CityError};
use crate::log::Appending;
use crate::pen::{self, PenError, Write};
use crate::{accept, audit, fold, log};
use replica::{ChangeId, DeviceId, Ruling, STREAM_KIND, STREAM_RECORD, StreamId, ruling_path};

impl City {
    /// From now on the device counts only up to what is held of it. Gives the ruling.
    pub fn revoke(&self, stream: &StreamId, device: &DeviceId) -> Result<ChangeId, CityError> {
        let now = self.world.now();
        self.db
            .write::<_, PenError>(|t| {
                let ends = log::frontier(t, stream)?.ends(device).collect();
                let record = fold::state(t, &self.root, stream, STREAM_KIND, STREAM_RECORD)?;
                let path = ruling_path(&device.to_string()[..32]);
                let over = record.map(|record| record.heads(&path)).unwrap_or_default();
                let value = Ruling::Revoke { device: *device, ends }.to_value();
                let appending = Appending::to(t, *stream, now)?;
                let writes = [Write::to_stream(path, value, over)];
                let change = pen::draft(self, &appending, stream, now, "revoke", &writes)?;
                let id = change.id;
                accept::take_in(self, t, vec![change], now)?;
                audit::note(t, now, "operator", "device revoked", &device.to_string())?;
                Ok(id)
            })
            .map_err(CityError::from)
    }
}
