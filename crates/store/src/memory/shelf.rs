//! A map whose entries are kept until a moment, tidied a little with every write and never by a background task.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use mashang_login::Timestamp;

/// How many overdue entries one write clears away. More than one, so that the shelf cannot grow by expired ones.
const TIDY: usize = 4;

/// What came of putting something on the shelf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Put {
    Stored,
    Exists,
    Full,
}

struct Entry<V> {
    value: V,
    until: Timestamp,
    /// Tells this entry's place in `due` from that of a former entry under the same key.
    serial: u64,
}

pub(super) struct Shelf<K, V> {
    entries: HashMap<K, Entry<V>>,
    /// When to look at which key. An entry whose `until` moved is put back when its turn comes.
    due: BTreeMap<(Timestamp, u64), K>,
    next_serial: u64,
}

impl<K, V> Default for Shelf<K, V> {
    fn default() -> Self {
        Self { entries: HashMap::new(), due: BTreeMap::new(), next_serial: 0 }
    }
}

impl<K: Hash + Eq + Clone, V> Shelf<K, V> {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Adds an entry unless the key holds one at `now`, or `ceiling` others are held.
    pub(super) fn put(&mut self, key: K, value: V, until: Timestamp, now: Timestamp, ceiling: usize) -> Put {
        self.tidy(now, TIDY);
        if self.get(&key, now).is_some() {
            return Put::Exists;
        }
        if self.entries.len() >= ceiling {
            self.tidy(now, usize::MAX);
        }
        if self.entries.len() >= ceiling && !self.entries.contains_key(&key) {
            return Put::Full;
        }
        let serial = self.next_serial;
        self.next_serial += 1;
        self.due.insert((until, serial), key.clone());
        self.entries.insert(key, Entry { value, until, serial });
        Put::Stored
    }

    /// The entry under `key`, if it is still kept at `now`.
    pub(super) fn get(&self, key: &K, now: Timestamp) -> Option<&V> {
        self.entries.get(key).filter(|entry| now < entry.until).map(|entry| &entry.value)
    }

    /// As [`Shelf::get`], to change it in place.
    pub(super) fn get_mut(&mut self, key: &K, now: Timestamp) -> Option<&mut V> {
        self.entries.get_mut(key).filter(|entry| now < entry.until).map(|entry| &mut entry.value)
    }

    /// Keeps an entry until another moment.
    pub(super) fn keep(&mut self, key: &K, until: Timestamp) {
        if let Some(entry) = self.entries.get_mut(key) {
            if until < entry.until {
                // An earlier end needs an earlier look; a later one is noticed when the present look comes.
                self.due.insert((until, entry.serial), key.clone());
            }
            entry.until = until;
        }
    }

    /// Takes the entry under `key` away, and returns it if it is still kept at `now`.
    pub(super) fn take(&mut self, key: &K, now: Timestamp) -> Option<V> {
        let entry = self.entries.remove(key)?;
        // Whoever puts and takes all day must not fill this either. Where the end moved, its former place is tidied.
        self.due.remove(&(entry.until, entry.serial));
        (now < entry.until).then_some(entry.value)
    }

    fn tidy(&mut self, now: Timestamp, at_most: usize) {
        for _ in 0..at_most {
            let Some(first) = self.due.first_entry().filter(|first| first.key().0 <= now) else { return };
            let ((_, serial), key) = first.remove_entry();
            let Some(entry) = self.entries.get(&key).filter(|entry| entry.serial == serial) else { continue };
            if entry.until <= now {
                self.entries.remove(&key);
            } else {
                self.due.insert((entry.until, serial), key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn expired_entries_leave_as_others_come() {
        let mut shelf = Shelf::default();
        for key in 0..1_000 {
            assert_eq!(shelf.put(key, (), at(key + 10), at(key), usize::MAX), Put::Stored);
        }
        assert_eq!(shelf.len(), 10, "ten seconds' worth is kept");
    }

    #[test]
    fn an_expired_entry_is_invisible_and_replaceable_before_it_is_tidied() {
        let mut shelf = Shelf::default();
        for key in 0..100 {
            shelf.put(key, 'a', at(10), at(0), usize::MAX);
        }
        assert_eq!(shelf.get(&99, at(9)), Some(&'a'));
        assert_eq!(shelf.get(&99, at(10)), None);
        assert_eq!(shelf.put(99, 'b', at(20), at(10), usize::MAX), Put::Stored);
        shelf.tidy(at(10), usize::MAX);
        assert_eq!(shelf.get(&99, at(19)), Some(&'b'));
        assert_eq!((shelf.len(), shelf.due.len()), (1, 1));
    }

    #[test]
    fn a_moved_end_is_followed() {
        let mut shelf = Shelf::default();
        shelf.put('x', (), at(10), at(0), usize::MAX);
        shelf.keep(&'x', at(20));
        shelf.tidy(at(15), usize::MAX);
        assert!(shelf.get(&'x', at(19)).is_some());
        shelf.keep(&'x', at(16));
        shelf.tidy(at(17), usize::MAX);
        assert_eq!(shelf.len(), 0);
    }

    #[test]
    fn what_is_taken_leaves_nothing_behind() {
        let mut shelf = Shelf::default();
        for _ in 0..100 {
            assert_eq!(shelf.put('x', (), at(10), at(0), 1), Put::Stored);
            assert_eq!(shelf.take(&'x', at(9)), Some(()));
            assert_eq!(shelf.take(&'x', at(9)), None);
        }
        shelf.put('x', (), at(10), at(0), 1);
        assert_eq!(shelf.take(&'x', at(10)), None, "expired");
        assert_eq!((shelf.len(), shelf.due.len()), (0, 0));
    }

    #[test]
    fn a_full_shelf_makes_room_only_by_expiry() {
        let mut shelf = Shelf::default();
        for key in 0..20 {
            shelf.put(key, (), at(10), at(0), 20);
        }
        assert_eq!(shelf.put(20, (), at(10), at(9), 20), Put::Full);
        assert_eq!(shelf.put(20, (), at(20), at(10), 20), Put::Stored);
    }
}
