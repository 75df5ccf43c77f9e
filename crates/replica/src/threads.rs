//! Work that needs no database, on two threads when there is much of it: old laptops have two cores.

use std::sync::mpsc::sync_channel;

/// Below this a thread costs more than it saves.
const WORTH_A_THREAD: usize = 64;
/// What may be ready before it is taken.
const AHEAD: usize = 64;

/// Maps every item, in order. Each thread has a `K`, which keeps what one item may use of those before it.
pub fn map<K: Default, T: Send, R: Send>(mut items: Vec<T>, make: impl Fn(&mut K, T) -> R + Sync) -> Vec<R> {
    let all = |items: Vec<T>| -> Vec<R> {
        let mut kept = K::default();
        items.into_iter().map(|item| make(&mut kept, item)).collect()
    };
    if items.len() < WORTH_A_THREAD {
        return all(items);
    }
    let right = items.split_off(items.len() / 2);
    std::thread::scope(|scope| {
        let other = scope.spawn(|| all(right));
        let mut made = all(items);
        made.extend(other.join().expect("what is made does not panic"));
        made
    })
}

/// Makes something of every item and hands it over, in order; the next is made meanwhile.
pub fn each<T: Send, R: Send, E>(
    items: Vec<T>,
    make: impl Fn(T) -> R + Sync,
    mut take: impl FnMut(R) -> Result<(), E>,
) -> Result<(), E> {
    if items.len() < WORTH_A_THREAD {
        return items.into_iter().try_for_each(|item| take(make(item)));
    }
    std::thread::scope(|scope| {
        let (send, made) = sync_channel(AHEAD);
        let make = &make;
        // Nobody takes any more after an error: then there is nothing left to make.
        scope.spawn(move || items.into_iter().try_for_each(|item| send.send(make(item))));
        made.into_iter().try_for_each(take)
    })
}

#[cfg(test)]
mod tests {
    use super::{WORTH_A_THREAD, each, map};

    #[test]
    fn few_and_many_come_in_order() {
        for count in [0, 1, WORTH_A_THREAD - 1, WORTH_A_THREAD, 1001] {
            let expected: Vec<usize> = (0..count).map(|n| n * 2).collect();
            assert_eq!(map((0..count).collect(), |(), n: usize| n * 2), expected);
            let mut taken = Vec::new();
            let done: Result<(), ()> = each(
                (0..count).collect(),
                |n: usize| n * 2,
                |n| {
                    taken.push(n);
                    Ok(())
                },
            );
            assert_eq!((done, taken), (Ok(()), expected));
        }
    }

    #[test]
    fn an_error_ends_it() {
        for count in [10, 5000] {
            let mut taken = 0;
            let done = each(
                (0..count).collect(),
                |n: usize| n,
                |n| {
                    taken += 1;
                    if n == 7 { Err("seven") } else { Ok(()) }
                },
            );
            assert_eq!((done, taken), (Err("seven"), 8));
        }
    }
}
