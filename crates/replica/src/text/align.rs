//! Where two lists of units differ: a longest common subsequence within a budget of work.

use std::ops::Range;

/// Units of the base that one side replaced by units of its own; either may be none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hunk {
    pub base: Range<usize>,
    pub side: Range<usize>,
}

impl Hunk {
    pub fn shifted(self, base: usize, side: usize) -> Self {
        let shift = |range: Range<usize>, by: usize| range.start + by..range.end + by;
        Self { base: shift(self.base, base), side: shift(self.side, side) }
    }
}

/// Comparisons that one merge may still make. When they are used up, what is left counts as changed as a whole.
pub(super) struct Budget(usize);

impl Default for Budget {
    fn default() -> Self {
        Self(4_000_000)
    }
}

impl Budget {
    fn take(&mut self, work: usize) -> bool {
        let enough = work <= self.0;
        if enough {
            self.0 -= work;
        }
        enough
    }
}

/// The hunks, in order, between which both lists are the same.
pub(super) fn changes<T: PartialEq>(base: &[T], side: &[T], budget: &mut Budget) -> Vec<Hunk> {
    let head = base.iter().zip(side).take_while(|(left, right)| left == right).count();
    let (base, side) = (&base[head..], &side[head..]);
    let tail = base.iter().rev().zip(side.iter().rev()).take_while(|(left, right)| left == right).count();
    let (base, side) = (&base[..base.len() - tail], &side[..side.len() - tail]);
    if base.is_empty() && side.is_empty() {
        return Vec::new();
    }
    let whole = Hunk { base: 0..base.len(), side: 0..side.len() };
    let enough = budget.take((base.len() + 1).saturating_mul(side.len() + 1));
    let hunks =
        if enough && !base.is_empty() && !side.is_empty() { between(base, side) } else { vec![whole] };
    hunks.into_iter().map(|hunk| hunk.shifted(head, head)).collect()
}

fn between<T: PartialEq>(base: &[T], side: &[T]) -> Vec<Hunk> {
    let lengths = common_lengths(base, side);
    let width = side.len() + 1;
    let (mut i, mut j) = (0, 0);
    let mut hunks: Vec<Hunk> = Vec::new();
    let mut open = Hunk { base: 0..0, side: 0..0 };
    while i < base.len() && j < side.len() {
        if base[i] == side[j] {
            close(&mut hunks, &mut open, i, j);
            (i, j) = (i + 1, j + 1);
            open = Hunk { base: i..i, side: j..j };
        } else if lengths[(i + 1) * width + j] >= lengths[i * width + j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    close(&mut hunks, &mut open, base.len(), side.len());
    hunks
}

fn close(hunks: &mut Vec<Hunk>, open: &mut Hunk, i: usize, j: usize) {
    open.base.end = i;
    open.side.end = j;
    if !open.base.is_empty() || !open.side.is_empty() {
        hunks.push(open.clone());
    }
}

/// Lengths of the longest common subsequences of all tails.
fn common_lengths<T: PartialEq>(base: &[T], side: &[T]) -> Vec<u32> {
    let width = side.len() + 1;
    let mut lengths = vec![0u32; (base.len() + 1) * width];
    for i in (0..base.len()).rev() {
        for j in (0..side.len()).rev() {
            lengths[i * width + j] = if base[i] == side[j] {
                lengths[(i + 1) * width + j + 1] + 1
            } else {
                lengths[(i + 1) * width + j].max(lengths[i * width + j + 1])
            };
        }
    }
    lengths
}
