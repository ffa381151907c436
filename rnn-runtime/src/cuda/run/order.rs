//! The ids of a batch in the order of the ids: what the gradient of a table goes over.

use crate::cuda::parameters::Words;

/// Where the parts of the order lie. All of them have room for as many ids as there are places, whichever come, so that a
/// recorded graph finds the next batch's at the same addresses.
pub(super) struct SortedIds {
    /// How many ids came.
    pub count: Words,
    /// Each of them, once.
    pub ids: Words,
    /// Where the places of each id start, and where the last end.
    pub starts: Words,
    /// Places.
    pub places: Words,
}

impl SortedIds {
    /// The parts of an order of so many places that starts at `at`, as [`sort`] writes it.
    pub fn at(at: Words, places: usize) -> SortedIds {
        let ids = at.after(1);
        let starts = ids.after(places);
        SortedIds {
            count: at,
            ids,
            starts,
            places: starts.after(places + 1),
        }
    }
}

/// The places of ids in the order of the ids, and of the places where they are the same: [`SortedIds`] in one list. What has no
/// meaning is zero.
pub(in crate::cuda) fn sort(ids: &[u32]) -> Vec<u32> {
    let mut list = vec![0; 3 * ids.len() + 2];
    let (count, rest) = list.split_at_mut(1);
    let (unique, rest) = rest.split_at_mut(ids.len());
    let (starts, places) = rest.split_at_mut(ids.len() + 1);
    (0..).zip(places.iter_mut()).for_each(|(i, p)| *p = i);
    // Stable: equal ids stay in the order of their places.
    places.sort_by_key(|p| ids[*p as usize]);
    let mut last = None;
    for (i, p) in (0..).zip(places.iter()) {
        let id = ids[*p as usize];
        if last != Some(id) {
            last = Some(id);
            let at = count[0] as usize;
            (unique[at], starts[at]) = (id, i);
            count[0] += 1;
        }
    }
    starts[count[0] as usize] = ids.len() as u32;
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_ids_stay_in_the_order_of_their_places() {
        let list = sort(&[7, 2, 7, 0, 2, 7]);
        assert_eq!(list[0], 3, "three ids");
        assert_eq!(list[1..7], [0, 2, 7, 0, 0, 0]);
        assert_eq!(list[7..14], [0, 1, 3, 6, 0, 0, 0]);
        assert_eq!(list[14..], [3, 1, 4, 0, 2, 5]);
        let at = SortedIds::at(Words(100), 6);
        let places = [at.count, at.ids, at.starts, at.places];
        assert_eq!(places, [0, 1, 7, 14].map(|i| Words(100 + 4 * i)));
        assert_eq!(sort(&[]), [0, 0]);
        assert_eq!(sort(&[5, 5]), [1, 5, 0, 0, 2, 0, 0, 1]);
    }
}
