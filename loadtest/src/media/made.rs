//! Loops made once per site and process.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::codec::CodecError;

/// One cell per site, filled by whoever comes first; others wait for it.
type Cell<T> = Arc<OnceLock<Result<Arc<T>, CodecError>>>;

#[derive(Debug)]
pub(super) struct Made<T>(Mutex<BTreeMap<u16, Cell<T>>>);

impl<T> Made<T> {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    pub(super) fn get(
        &self,
        index: u16,
        make: impl FnOnce(u16) -> Result<T, CodecError>,
    ) -> Result<Arc<T>, CodecError> {
        let cell = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(index)
            .or_default()
            .clone();
        // Not under the lock of the map: different sites are made side by side.
        cell.get_or_init(|| make(index).map(Arc::new)).clone()
    }
}
