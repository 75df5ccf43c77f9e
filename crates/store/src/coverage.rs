//! What the city is known to hold: its ends, and which changes a receipt covers.

use replica::{ChangeId, DeviceId, Frontier, planted};
use rusqlite::{Connection, OptionalExtension, params};

use crate::error::Fault;
use crate::log::{city_frontier, frontier, held, prev, signed};

/// Notes the city's ends, and what a receipt for them covers: each end and everything before it in its chain. Of a
/// chain whose end is not here yet, it covers at least the changes that `came` with it.
pub(crate) fn cover(
    db: &Connection,
    stream: i64,
    city: &Frontier,
    at: Option<i64>,
    came: &[ChangeId],
) -> Result<(), Fault> {
    let before = city_frontier(db, stream)?;
    if !planted!(RestoreNotNoticed) {
        db.prepare_cached("DELETE FROM city_frontier WHERE stream = ?1")?.execute([stream])?;
    }
    let sql = "INSERT OR IGNORE INTO city_frontier (stream, device, n, id) VALUES (?1, ?2, ?3, ?4)";
    for (device, ends) in &city.0 {
        for (n, id) in ends {
            db.prepare_cached(sql)?.execute(params![
                stream,
                device.as_bytes(),
                signed(*n)?,
                id.as_bytes()
            ])?;
        }
    }
    let Some(at) = at else { return Ok(()) };
    let known = frontier(db, stream)?;
    for device in known.0.keys() {
        let ends: Vec<(u64, ChangeId)> = city.ends(device).collect();
        let forked = known.ends(device).count() > 1;
        match highest_held(db, &ends)? {
            Some(n) if !forked => cover_chain(db, stream, device, n, at)?,
            Some(_) => cover_ways(db, stream, device, &ends, at)?,
            None if stands(&before, city, device, fell_back(&before, city)) => {}
            None => uncover(db, stream, device, 0)?,
        }
    }
    match holds_all(db, city)? {
        true => Ok(()),
        false => cover_came(db, stream, came, at),
    }
}

fn holds_all(db: &Connection, city: &Frontier) -> Result<bool, Fault> {
    for (_, id) in city.0.values().flatten() {
        if held(db, id)?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A city that holds less of a chain than it once did was set back, and may have lost attachments, too.
pub(crate) fn fell_back(before: &Frontier, after: &Frontier) -> bool {
    let highest = |frontier: &Frontier, device| frontier.ends(device).map(|(n, _)| n).max();
    before.0.keys().any(|device| highest(after, device) < highest(before, device))
}

/// The city has the end that it named last, or one further on: what it had it has. If it was set back, what is further on
/// may have begun below what it had.
fn stands(before: &Frontier, after: &Frontier, device: &DeviceId, was_set_back: bool) -> bool {
    let last = |frontier: &Frontier| frontier.ends(device).max();
    match (last(before), last(after)) {
        (Some(was), Some(is)) => (is.0 > was.0 && !was_set_back) || after.ends(device).any(|end| end == was),
        (None, _) => true,
        (Some(_), None) => false,
    }
}

/// What came from the city it holds, and all that is before it.
fn cover_came(db: &Connection, stream: i64, came: &[ChangeId], at: i64) -> Result<(), Fault> {
    let mut statement = db.prepare_cached("SELECT 1 FROM change WHERE id = ?1 AND stream = ?2")?;
    // The last first: the way down from it passes the others.
    for id in came.iter().rev() {
        if statement.exists(params![id.as_bytes(), stream])? {
            cover_down(db, *id, at)?;
        }
    }
    Ok(())
}

/// Of the city's ends the highest that is held here.
fn highest_held(db: &Connection, ends: &[(u64, ChangeId)]) -> Result<Option<u64>, Fault> {
    let mut highest = None;
    for (n, id) in ends {
        if held(db, id)?.is_some() {
            highest = highest.max(Some(*n));
        }
    }
    Ok(if planted!(ReportedTooEarly) { highest.map(|_| u64::MAX / 4) } else { highest })
}

/// Goes down from the end to the first change that is covered already, so that the cost is that of what is new.
fn cover_chain(db: &Connection, stream: i64, device: &DeviceId, n: u64, at: i64) -> Result<(), Fault> {
    let sql = "SELECT n FROM change WHERE stream = ?1 AND device = ?2 AND n <= ?3
                 AND EXISTS (SELECT 1 FROM reported WHERE change = seq AND held = 1)
               ORDER BY n DESC LIMIT 1";
    let mut statement = db.prepare_cached(sql)?;
    let covered: Option<i64> =
        statement.query_row(params![stream, device.as_bytes(), signed(n)?], |row| row.get(0)).optional()?;
    let sql = "INSERT INTO reported (change, at, held)
               SELECT seq, ?5, 1 FROM change WHERE stream = ?1 AND device = ?2 AND n > ?3 AND n <= ?4
               ON CONFLICT (change) DO UPDATE SET held = 1";
    let bounds = params![stream, device.as_bytes(), covered.unwrap_or(0), signed(n)?, at];
    db.prepare_cached(sql)?.execute(bounds)?;
    uncover(db, stream, device, n)
}

/// A chain with two ends is walked from each.
fn cover_ways(
    db: &Connection,
    stream: i64,
    device: &DeviceId,
    ends: &[(u64, ChangeId)],
    at: i64,
) -> Result<(), Fault> {
    uncover(db, stream, device, 0)?;
    ends.iter().try_for_each(|(_, end)| cover_down(db, *end, at))
}

/// Covers a change and those before it in its chain, down to the first that is covered already.
fn cover_down(db: &Connection, end: ChangeId, at: i64) -> Result<(), Fault> {
    let sql = "INSERT INTO reported (change, at, held) SELECT seq, ?2, 1 FROM change WHERE id = ?1
               ON CONFLICT (change) DO UPDATE SET held = 1 WHERE held = 0";
    let mut next = Some(end);
    while let Some(id) = next {
        let covered = db.prepare_cached(sql)?.execute(params![id.as_bytes(), at])?;
        next = if covered == 1 { prev(db, &id)? } else { None };
    }
    Ok(())
}

/// A city that was restored from a backup may hold less than it once did.
fn uncover(db: &Connection, stream: i64, device: &DeviceId, after: u64) -> Result<(), Fault> {
    let sql = "UPDATE reported SET held = 0 WHERE held = 1 AND change IN
                 (SELECT seq FROM change WHERE stream = ?1 AND device = ?2 AND n > ?3)";
    db.prepare_cached(sql)?.execute(params![stream, device.as_bytes(), signed(after)?])?;
    Ok(())
}

/// Whether the city holds a change, and since when.
pub(crate) fn receipt_of(db: &Connection, seq: i64) -> Result<(bool, Option<i64>), Fault> {
    let mut statement = db.prepare_cached("SELECT held, at FROM reported WHERE change = ?1")?;
    let found = statement.query_row([seq], |row| Ok((row.get(0)?, Some(row.get(1)?)))).optional()?;
    Ok(found.unwrap_or((false, None)))
}

#[cfg(test)]
mod tests {
    use replica::{ChangeId, DeviceId, Frontier};

    use super::{fell_back, stands};

    /// Device, number and id of each.
    type Ends = &'static [(u8, u64, u8)];

    fn frontier(ends: Ends) -> Frontier {
        let mut frontier = Frontier::default();
        for (device, n, id) in ends {
            frontier.0.entry(DeviceId([*device; 32])).or_default().insert((*n, ChangeId([*id; 32])));
        }
        frontier
    }

    #[test]
    fn an_end_that_is_not_here_speaks_for_those_before_unless_the_city_was_set_back() {
        let before = frontier(&[(1, 5, 15), (2, 3, 23)]);
        let table: [(&str, Ends, bool); 6] = [
            ("the same", &[(1, 5, 15), (2, 3, 23)], true),
            ("further on", &[(1, 7, 17), (2, 3, 23)], true),
            ("less", &[(1, 4, 14), (2, 3, 23)], false),
            ("as many, but others", &[(1, 5, 99), (2, 3, 23)], false),
            ("further on, and less of another", &[(1, 7, 97), (2, 2, 22)], false),
            ("the same, and less of another", &[(1, 5, 15), (2, 2, 22)], true),
        ];
        for (name, after, expected) in table {
            let after = frontier(after);
            let was_set_back = fell_back(&before, &after);
            assert_eq!(stands(&before, &after, &DeviceId([1; 32]), was_set_back), expected, "{name}");
        }
    }
}
