//! Three-way merge of long texts: aligned by paragraph, then by sentence.
//!
//! A unit is a sentence with its `。！？；` and the line breaks before it. What both sides did is merged unit by unit;
//! where that would be a guess the place is a conflict, and only that place.

mod align;

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use crate::planted;
use align::{Budget, Hunk, changes};

/// One part of a merged text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    Merged(String),
    Conflict { base: String, left: String, right: String },
}

/// What a person takes where both sides changed the same place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Take {
    Left,
    Right,
    /// The left one, then the right one.
    Both,
}

/// A merged text: its pieces in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextMerge {
    pub pieces: Vec<Piece>,
}

impl TextMerge {
    /// The whole text, if no place is in conflict.
    pub fn text(&self) -> Option<String> {
        let text = |piece: &Piece| match piece {
            Piece::Merged(text) => Some(text.clone()),
            Piece::Conflict { .. } => None,
        };
        self.pieces.iter().map(text).collect()
    }

    /// How many places are in conflict.
    pub fn open_places(&self) -> usize {
        self.pieces.iter().filter(|piece| matches!(piece, Piece::Conflict { .. })).count()
    }

    /// The whole text with a decision for each open place, in order. None: not one for each.
    pub fn decided(&self, takes: &[Take]) -> Option<String> {
        if takes.len() != self.open_places() {
            return None;
        }
        let mut takes = takes.iter();
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Merged(more) => text.push_str(more),
                Piece::Conflict { left, right, .. } => text.push_str(&taken(*takes.next()?, left, right)),
            }
        }
        // Where the first paragraph is gone, so is the break after it.
        let begins_open = matches!(self.pieces.first(), Some(Piece::Conflict { .. }));
        Some(text.strip_prefix('\n').filter(|_| begins_open).map(str::to_owned).unwrap_or(text))
    }

    fn push(&mut self, piece: Piece) {
        match (self.pieces.last_mut(), piece) {
            (_, Piece::Merged(more)) if more.is_empty() => {}
            (Some(Piece::Merged(text)), Piece::Merged(more)) => text.push_str(&more),
            (_, piece) => self.pieces.push(piece),
        }
    }

    /// The line break that every text was given in front, so that its first line is like any other.
    fn without_first_break(mut self) -> Self {
        let strip = |text: &mut String| {
            if text.starts_with('\n') {
                text.remove(0);
            }
        };
        match self.pieces.first_mut() {
            Some(Piece::Merged(text)) => strip(text),
            Some(Piece::Conflict { base, left, right }) => [base, left, right].into_iter().for_each(strip),
            None => {}
        }
        self
    }
}

/// Merges what two sides made of one text, with bounded work: texts that are too unlike become one conflict.
pub fn merge_text(base: &str, left: &str, right: &str) -> TextMerge {
    if left == right || right == base {
        return TextMerge { pieces: vec![Piece::Merged(left.into())] };
    }
    if left == base {
        return TextMerge { pieces: vec![Piece::Merged(right.into())] };
    }
    let texts = [base, left, right].map(Text::new);
    let [base, left, right] = &texts;
    let repeated = repeated(&texts);
    let mut budget = Budget::default();
    let mut all = edits(base, left, &repeated, &mut budget, Side::Left);
    all.extend(edits(base, right, &repeated, &mut budget, Side::Right));
    all.sort_by_key(|edit| (edit.hunk.base.start, edit.hunk.base.end, edit.side));
    assemble(base, left, right, clusters(all)).without_first_break()
}

/// What stands at an open place once it is decided.
pub fn taken(take: Take, left: &str, right: &str) -> String {
    match take {
        Take::Left => left.to_owned(),
        Take::Right => right.to_owned(),
        Take::Both => {
            let ends = |text: &str| text.is_empty() || text.ends_with(['。', '！', '？', '；', '\n']);
            let apart = ends(left) || right.is_empty() || right.starts_with('\n');
            format!("{left}{}{right}", if apart { "" } else { "\n" })
        }
    }
}

/// A text and its units.
struct Text {
    /// With a line break in front.
    text: String,
    /// Where each unit begins, and at last where the text ends.
    bounds: Vec<usize>,
}

impl Text {
    fn new(text: &str) -> Self {
        if text.is_empty() {
            return Self { text: String::new(), bounds: vec![0] };
        }
        let text = format!("\n{text}");
        let mut bounds = vec![0];
        let (mut ended, mut begun) = (false, false);
        for (at, char) in text.char_indices() {
            let ends = matches!(char, '。' | '！' | '？' | '；');
            if begun && (char == '\n' || ended && !ends) {
                bounds.push(at);
                begun = false;
            }
            begun |= char != '\n';
            ended = ends;
        }
        bounds.push(text.len());
        Self { text, bounds }
    }

    fn len(&self) -> usize {
        self.bounds.len() - 1
    }

    fn units(&self) -> Vec<&str> {
        self.bounds.windows(2).map(|pair| &self.text[pair[0]..pair[1]]).collect()
    }

    fn slice(&self, units: Range<usize>) -> &str {
        &self.text[self.bounds[units.start]..self.bounds[units.end]]
    }

    /// Ranges of units that begin with a line break.
    fn paragraphs(&self) -> Vec<Range<usize>> {
        let mut starts: Vec<usize> =
            (0..self.len()).filter(|unit| self.slice(*unit..unit + 1).starts_with('\n')).collect();
        starts.push(self.len());
        starts.windows(2).map(|pair| pair[0]..pair[1]).collect()
    }
}

/// Units that stand more than once in some text: beside an edit they leave it open where the edit was.
fn repeated(texts: &[Text; 3]) -> HashSet<String> {
    let mut repeated = HashSet::new();
    for text in texts {
        let mut seen: HashMap<&str, usize> = HashMap::new();
        for unit in text.units() {
            *seen.entry(unit).or_default() += 1;
        }
        repeated.extend(seen.into_iter().filter(|(_, times)| *times > 1).map(|(unit, _)| unit.to_string()));
    }
    repeated
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Left,
    Right,
}

/// What one side did at one place of the base.
#[derive(Debug, Clone)]
struct Edit {
    side: Side,
    hunk: Hunk,
    /// A repeated unit stands in it or beside it.
    unsure: bool,
}

fn edits(
    base: &Text,
    side_text: &Text,
    repeated: &HashSet<String>,
    budget: &mut Budget,
    side: Side,
) -> Vec<Edit> {
    let (units, others) = (base.units(), side_text.units());
    let hunks = unit_hunks(base, side_text, budget);
    let mut edits: Vec<Edit> = Vec::new();
    for (at, hunk) in hunks.iter().enumerate() {
        let mut hunk = hunk.clone();
        // Only as far as both have the same units: between the hunks.
        let begin = at.checked_sub(1).map_or(0, |before| hunks[before].base.end);
        let end = hunks.get(at + 1).map_or(units.len(), |after| after.base.start);
        let inside = units[hunk.base.clone()].iter().chain(&others[hunk.side.clone()]);
        let mut unsure = inside.into_iter().any(|unit| repeated.contains(*unit));
        while hunk.base.start > begin && repeated.contains(units[hunk.base.start - 1]) {
            hunk.base.start -= 1;
            hunk.side.start -= 1;
            unsure = true;
        }
        while hunk.base.end < end && repeated.contains(units[hunk.base.end]) {
            hunk.base.end += 1;
            hunk.side.end += 1;
            unsure = true;
        }
        match edits.last_mut() {
            Some(last) if last.hunk.base.end >= hunk.base.start => {
                (last.hunk.base.end, last.hunk.side.end) = (hunk.base.end, hunk.side.end);
                last.unsure |= unsure;
            }
            _ => edits.push(Edit { side, hunk, unsure }),
        }
    }
    edits
}

/// Differing paragraphs, and within them differing units.
fn unit_hunks(base: &Text, side: &Text, budget: &mut Budget) -> Vec<Hunk> {
    let (mine, theirs) = (base.paragraphs(), side.paragraphs());
    let texts = |text: &Text, ranges: &[Range<usize>]| -> Vec<String> {
        ranges.iter().map(|range| text.slice(range.clone()).to_string()).collect()
    };
    let (base_units, side_units) = (base.units(), side.units());
    let start = |ranges: &[Range<usize>], index: usize, len: usize| {
        ranges.get(index).map_or(len, |range| range.start)
    };
    let mut hunks = Vec::new();
    for outer in changes(&texts(base, &mine), &texts(side, &theirs), budget) {
        let from = start(&mine, outer.base.start, base.len())..start(&mine, outer.base.end, base.len());
        let to = start(&theirs, outer.side.start, side.len())..start(&theirs, outer.side.end, side.len());
        for inner in changes(&base_units[from.clone()], &side_units[to.clone()], budget) {
            hunks.push(inner.shifted(from.start, to.start));
        }
    }
    hunks
}

/// Edits that must be looked at together.
struct Cluster {
    edits: Vec<Edit>,
}

impl Cluster {
    fn range(&self) -> Range<usize> {
        let start = self.edits.iter().map(|edit| edit.hunk.base.start).min();
        let end = self.edits.iter().map(|edit| edit.hunk.base.end).max();
        start.expect("a cluster has an edit")..end.expect("a cluster has an edit")
    }

    fn takes(&self, edit: &Edit) -> bool {
        let torn = self.edits.iter().any(|own| own.side != self.edits[0].side);
        torn && self.range().end > edit.hunk.base.start
            || self.edits.iter().any(|own| own.side != edit.side && collide(own, edit))
    }

    /// What one side has in the place of the cluster's range. None: it did nothing there.
    fn side_range(&self, side: Side) -> Option<Range<usize>> {
        let range = self.range();
        let mut own = self.edits.iter().filter(|edit| edit.side == side).map(|edit| &edit.hunk);
        let first = own.next()?;
        let last = own.next_back().unwrap_or(first);
        let before = first.base.start - range.start;
        let after = range.end - last.base.end;
        Some(first.side.start - before..last.side.end + after)
    }
}

fn clusters(edits: Vec<Edit>) -> Vec<Cluster> {
    let mut clusters: Vec<Cluster> = Vec::new();
    for edit in edits {
        match clusters.last_mut() {
            Some(cluster) if cluster.takes(&edit) => cluster.edits.push(edit),
            Some(_) | None => clusters.push(Cluster { edits: vec![edit] }),
        }
    }
    clusters
}

/// Says whether two sides' edits are about the same place: a unit that both changed, or both putting something
/// into one gap.
fn collide(left: &Edit, right: &Edit) -> bool {
    let (a, b) = (&left.hunk, &right.hunk);
    let apart = a.base.end.min(b.base.end) < a.base.start.max(b.base.start);
    if apart {
        return false;
    }
    if left.unsure || right.unsure || a.base.end.min(b.base.end) > a.base.start.max(b.base.start) {
        return true;
    }
    let inside = |point: &Hunk, range: &Hunk| {
        point.base.is_empty() && range.base.start < point.base.start && point.base.end < range.base.end
    };
    if inside(a, b) || inside(b, a) {
        return true;
    }
    // They meet in one gap without a common unit: a guess only if both put something there.
    let adds = |hunk: &Hunk| hunk.side.len() > hunk.base.len();
    !a.side.is_empty() && !b.side.is_empty() && (adds(a) || adds(b))
}

fn assemble(base: &Text, left: &Text, right: &Text, clusters: Vec<Cluster>) -> TextMerge {
    let mut merge = TextMerge::default();
    let mut done = 0;
    for cluster in clusters {
        let range = cluster.range();
        merge.push(Piece::Merged(base.slice(done..range.start).into()));
        done = range.end;
        let left = cluster.side_range(Side::Left).map(|range| left.slice(range));
        let right = cluster.side_range(Side::Right).map(|range| right.slice(range));
        merge.push(match (left, right) {
            (Some(one), None) | (None, Some(one)) => Piece::Merged(one.into()),
            (Some(left), Some(right)) if left == right || planted!(MergeLosesText) => {
                Piece::Merged(left.into())
            }
            (left, right) => Piece::Conflict {
                base: base.slice(range).into(),
                left: left.unwrap_or_default().into(),
                right: right.unwrap_or_default().into(),
            },
        });
    }
    merge.push(Piece::Merged(base.slice(done..base.len()).into()));
    merge
}

#[cfg(test)]
mod tests;
