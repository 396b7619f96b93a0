//! Reports of the same thing come from several people: those nearby in place
//! and time are shown to whoever verifies one.

use std::time::Duration;

use super::dossier::Incident;
use super::state::IncidentState;
use crate::directory::Place;

/// Further apart, two reports are of two things.
pub const NEARBY_METRES: f64 = 1_000.0;
pub const RECENT: Duration = Duration::from_secs(2 * 3_600);

/// Metres between two places on a sphere of the earth's mean radius
/// (haversine), good to half a percent.
#[must_use]
pub fn metres(a: Place, b: Place) -> f64 {
    const RADIUS: f64 = 6_371_008.8;
    let [a_lat, b_lat] = [a, b].map(|place| place.latitude().to_radians());
    let half_lat = (b_lat - a_lat) / 2.0;
    let half_lon = (b.longitude() - a.longitude()).to_radians() / 2.0;
    let chord = half_lat.sin().powi(2) + a_lat.cos() * b_lat.cos() * half_lon.sin().powi(2);
    2.0 * RADIUS * chord.sqrt().min(1.0).asin()
}

/// Those that `one` may be a duplicate of, the likeliest first: near in place,
/// or, where a place is missing, of the same site; and reported within
/// [`RECENT`] of it.
pub fn alike<'a>(one: &Incident, all: impl Iterator<Item = &'a Incident>) -> Vec<&'a Incident> {
    let mut found: Vec<(f64, &Incident)> = all
        .filter(|other| other.id != one.id)
        .filter(|other| !matches!(other.state, IncidentState::Duplicate | IncidentState::False))
        .filter(|other| {
            let (a, b) = (one.reported_at, other.reported_at);
            a.since(b).max(b.since(a)) <= RECENT
        })
        .filter_map(|other| Some((distance(one, other)?, other)))
        .collect();
    found.sort_by(|(a, left), (b, right)| a.total_cmp(b).then(left.id.cmp(&right.id)));
    found.into_iter().map(|(_, other)| other).collect()
}

/// `None`: too far away.
fn distance(one: &Incident, other: &Incident) -> Option<f64> {
    match (one.report.place, other.report.place) {
        (Some(a), Some(b)) => Some(metres(a, b)).filter(|metres| *metres <= NEARBY_METRES),
        (None, _) | (_, None) => (one.site == other.site).then_some(NEARBY_METRES),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_the_map() {
        let nanjiang = Place::from_degrees(106.843, 32.353);
        let north = Place::from_degrees(106.843, 32.362);
        let east = Place::from_degrees(106.853, 32.353);
        assert_eq!(metres(nanjiang, nanjiang), 0.0);
        assert!((metres(nanjiang, north) - 1_000.8).abs() < 2.0);
        assert!((metres(nanjiang, east) - 939.3).abs() < 3.0);
        let antipode = Place::from_degrees(106.843 - 180.0, -32.353);
        assert!((metres(nanjiang, antipode) - 20_015_115.0).abs() < 1_000.0);
    }
}
