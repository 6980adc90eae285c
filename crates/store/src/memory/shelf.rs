//! A map whose entries are kept until a moment, tidied a little with every write and never by a background task.
//!
//! ```text
//!   index ──► slots: [key, value, until, ◄ links ►] …        due: second ──► first slot of a chain
//!    4 B       one vector, no allocation per entry            a few hundred seconds, whatever the number of entries
//! ```
//!
//! It is made for a million entries that live for minutes: an entry costs its own size and about 20 bytes, and the work
//! of a call does not grow with their number.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hash, RandomState};

use hashbrown::HashTable;
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

/// A place in `slots`. Four bytes: four thousand million entries are enough.
type Place = u32;
/// No neighbour.
const NOWHERE: Place = Place::MAX;

struct Slot<K, V> {
    key: K,
    value: V,
    until: Timestamp,
    /// Neighbours in the chain of the same second.
    before: Place,
    after: Place,
}

pub(super) struct Shelf<K, V> {
    slots: Vec<Option<Slot<K, V>>>,
    /// Places in `slots` that hold nothing.
    free: Vec<Place>,
    index: HashTable<Place>,
    hasher: RandomState,
    /// Chains of entries by the second in which they are over.
    due: BTreeMap<i64, Place>,
}

impl<K, V> Default for Shelf<K, V> {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            index: HashTable::new(),
            hasher: RandomState::new(),
            due: BTreeMap::new(),
        }
    }
}

/// The first whole second at which something kept until `until` is over.
fn second(until: Timestamp) -> i64 {
    until.as_second() + i64::from(until.subsec_nanosecond() > 0)
}

impl<K: Hash + Eq, V> Shelf<K, V> {
    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    /// Adds an entry unless the key holds one at `now`, or `ceiling` others are held.
    pub(super) fn put(&mut self, key: K, value: V, until: Timestamp, now: Timestamp, ceiling: usize) -> Put {
        self.tidy(now, TIDY);
        if let Some(place) = self.place(&key) {
            if now < self.slot(place).until {
                return Put::Exists;
            }
            self.remove(place);
        }
        if self.len() >= ceiling {
            self.tidy(now, usize::MAX);
        }
        if self.len() >= ceiling {
            return Put::Full;
        }
        self.insert(key, value, until);
        Put::Stored
    }

    /// The entry under `key`, if it is still kept at `now`.
    pub(super) fn get(&self, key: &K, now: Timestamp) -> Option<&V> {
        let slot = self.slot(self.place(key)?);
        (now < slot.until).then_some(&slot.value)
    }

    /// As [`Shelf::get`], to change it in place.
    pub(super) fn get_mut(&mut self, key: &K, now: Timestamp) -> Option<&mut V> {
        let place = self.place(key)?;
        let slot = self.slot_mut(place);
        (now < slot.until).then_some(&mut slot.value)
    }

    /// Keeps an entry until another moment.
    pub(super) fn keep(&mut self, key: &K, until: Timestamp) {
        let Some(place) = self.place(key) else { return };
        let before = self.slot(place).until;
        if second(before) == second(until) {
            self.slot_mut(place).until = until;
        } else {
            self.unchain(place);
            self.slot_mut(place).until = until;
            self.chain(place);
        }
    }

    /// Takes the entry under `key` away, and returns it if it is still kept at `now`.
    pub(super) fn take(&mut self, key: &K, now: Timestamp) -> Option<V> {
        let slot = self.remove(self.place(key)?);
        (now < slot.until).then_some(slot.value)
    }

    fn tidy(&mut self, now: Timestamp, at_most: usize) {
        for _ in 0..at_most {
            match self.due.first_key_value() {
                Some((second, first)) if *second <= now.as_second() => drop(self.remove(*first)),
                _ => return,
            }
        }
    }

    // ---- slots ----

    fn place(&self, key: &K) -> Option<Place> {
        let is_it = |place: &Place| self.slot(*place).key == *key;
        self.index.find(self.hasher.hash_one(key), is_it).copied()
    }

    fn slot(&self, place: Place) -> &Slot<K, V> {
        self.slots[place as usize].as_ref().expect("the index and the chains name filled slots only")
    }

    fn slot_mut(&mut self, place: Place) -> &mut Slot<K, V> {
        self.slots[place as usize].as_mut().expect("the index and the chains name filled slots only")
    }

    fn insert(&mut self, key: K, value: V, until: Timestamp) {
        let hash = self.hasher.hash_one(&key);
        let slot = Some(Slot { key, value, until, before: NOWHERE, after: NOWHERE });
        let place = match self.free.pop() {
            Some(place) => {
                self.slots[place as usize] = slot;
                place
            }
            None => {
                self.slots.push(slot);
                Place::try_from(self.slots.len() - 1).expect("ceilings are far below four thousand million")
            }
        };
        let (slots, hasher) = (&self.slots, &self.hasher);
        let hash_of = |place: &Place| {
            hasher.hash_one(&slots[*place as usize].as_ref().expect("the index names filled slots only").key)
        };
        self.index.insert_unique(hash, place, hash_of);
        self.chain(place);
    }

    fn remove(&mut self, place: Place) -> Slot<K, V> {
        self.unchain(place);
        let hash = self.hasher.hash_one(&self.slot(place).key);
        if let Ok(entry) = self.index.find_entry(hash, |found| *found == place) {
            entry.remove();
        }
        let slot = self.slots[place as usize].take().expect("the caller found it");
        self.free.push(place);
        if self.index.is_empty() {
            // Quiet: what a rush had needed goes back.
            self.slots = Vec::new();
            self.free = Vec::new();
            self.index = HashTable::new();
        }
        slot
    }

    // ---- chains ----

    fn chain(&mut self, place: Place) {
        let first = self.due.insert(second(self.slot(place).until), place).unwrap_or(NOWHERE);
        let slot = self.slot_mut(place);
        (slot.before, slot.after) = (NOWHERE, first);
        if first != NOWHERE {
            self.slot_mut(first).before = place;
        }
    }

    fn unchain(&mut self, place: Place) {
        let slot = self.slot(place);
        let (before, after, second) = (slot.before, slot.after, second(slot.until));
        if after != NOWHERE {
            self.slot_mut(after).before = before;
        }
        if before != NOWHERE {
            self.slot_mut(before).after = after;
        } else if after != NOWHERE {
            self.due.insert(second, after);
        } else {
            self.due.remove(&second);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn nothing_is_left(shelf: &Shelf<impl Hash + Eq, impl Sized>) -> bool {
        (shelf.len(), shelf.due.len(), shelf.slots.len(), shelf.free.len()) == (0, 0, 0, 0)
    }

    #[test]
    fn expired_entries_leave_as_others_come() {
        let mut shelf = Shelf::default();
        for key in 0..1_000 {
            assert_eq!(shelf.put(key, (), at(key + 10), at(key), usize::MAX), Put::Stored);
        }
        assert_eq!(shelf.len(), 10, "ten seconds' worth is kept");
        assert!(shelf.slots.len() < 20, "in places that are used again: {}", shelf.slots.len());
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
        assert!(nothing_is_left(&shelf));
    }

    #[test]
    fn an_entry_is_kept_to_its_last_millisecond_and_tidied_in_the_second_after() {
        let mut shelf = Shelf::default();
        let (until, last) =
            (Timestamp::from_millisecond(10_500).unwrap(), Timestamp::from_millisecond(10_499).unwrap());
        shelf.put('x', (), until, at(0), usize::MAX);
        shelf.tidy(last, usize::MAX);
        assert!(shelf.get(&'x', last).is_some());
        shelf.tidy(until, usize::MAX);
        assert!(shelf.get(&'x', until).is_none());
        shelf.tidy(at(11), usize::MAX);
        assert!(nothing_is_left(&shelf));
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
        assert!(nothing_is_left(&shelf));
    }

    #[test]
    fn of_many_that_end_together_any_may_leave_first() {
        let mut shelf = Shelf::default();
        for key in 0..10 {
            shelf.put(key, key, at(10), at(0), usize::MAX);
        }
        for key in [0, 9, 5, 4, 6] {
            assert_eq!(shelf.take(&key, at(1)), Some(key));
        }
        for key in [1, 2, 3, 7, 8] {
            assert_eq!(shelf.get(&key, at(1)), Some(&key));
        }
        shelf.tidy(at(10), usize::MAX);
        assert!(nothing_is_left(&shelf));
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
