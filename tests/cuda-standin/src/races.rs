//! Who touched a piece of memory last, and whether that happened before.
//!
//! Each warp has a vector clock over the warps that are resident with it. Barriers, releases and acquires join clocks. An
//! access that is neither ordered after a conflicting one nor atomic like it is a race.

/// One access of the past.
#[derive(Clone, Copy, Default, Debug)]
pub struct Access {
    pub clock: u32,
    pub warp: u16,
    pub lane: u8,
    pub kind: AccessKind,
}

#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub enum AccessKind {
    /// There was none.
    #[default]
    None,
    Plain,
    Atomic,
}

/// What is known of some bytes: the last write, and two readers since.
#[derive(Clone, Copy, Default, Debug)]
struct Cell {
    write: Access,
    reads: [Access; 2],
}

impl Cell {
    /// The access that races with `now`; one of them does.
    #[cold]
    fn conflict(&self, now: Access, knowledge: &Knowledge<'_>) -> Conflict {
        let past_is_write = knowledge.is_unordered(&self.write, &now);
        let past = match past_is_write {
            true => self.write,
            false if knowledge.is_unordered(&self.reads[0], &now) => self.reads[0],
            false => self.reads[1],
        };
        Conflict {
            past,
            past_is_write,
        }
    }
}

/// What is known of an allocation, or of a block's shared memory.
#[derive(Debug, Default)]
pub struct Shadow {
    cells: Vec<Cell>,
    /// A cell stands for `1 << shift` bytes; smaller accesses make cells smaller.
    shift: u32,
}

/// What a warp knows of others: its clocks, then the clock up to which it knows everything of earlier blocks.
#[derive(Debug)]
pub struct Knowledge<'a> {
    pub clocks: &'a [u32],
    /// The clock at which the resident blocks started.
    pub start: u32,
}

impl Knowledge<'_> {
    #[inline(always)]
    fn is_unordered(&self, past: &Access, now: &Access) -> bool {
        if past.kind == AccessKind::None
            || past.kind == AccessKind::Atomic && now.kind == AccessKind::Atomic
        {
            return false;
        }
        if past.clock < self.start {
            // A block that ran earlier: of this launch, or of one before.
            return self.clocks.last().is_some_and(|known| past.clock > *known);
        }
        if past.warp == now.warp {
            return past.lane != now.lane && past.clock >= now.clock;
        }
        match self.clocks.get(usize::from(past.warp)) {
            Some(known) => *known < past.clock,
            None => false,
        }
    }
}

/// Two accesses that race.
#[derive(Debug)]
pub struct Conflict {
    pub past: Access,
    pub past_is_write: bool,
}

impl Shadow {
    pub fn new(bytes: usize) -> Shadow {
        Shadow {
            cells: vec![Cell::default(); bytes.div_ceil(4)],
            shift: 2,
        }
    }

    /// Forgets all accesses.
    pub fn clear(&mut self) {
        self.cells.fill(Cell::default());
    }

    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// Records an access of bytes and returns the first conflict.
    #[inline]
    pub fn record(
        &mut self,
        start: usize,
        bytes: usize,
        now: Access,
        is_write: bool,
        knowledge: &Knowledge<'_>,
    ) -> Option<Conflict> {
        while bytes < 1 << self.shift {
            self.refine();
        }
        let (first, end) = (start >> self.shift, (start + bytes) >> self.shift);
        let mut conflict = None;
        for cell in self.cells.get_mut(first..end)? {
            let races = knowledge.is_unordered(&cell.write, &now)
                || is_write
                    && cell
                        .reads
                        .iter()
                        .any(|read| knowledge.is_unordered(read, &now));
            if races && conflict.is_none() {
                conflict = Some(cell.conflict(now, knowledge));
            }
            if is_write {
                cell.write = now;
                cell.reads = [Access::default(); 2];
            } else {
                let [first, second] = &mut cell.reads;
                let place = match first.kind == AccessKind::None || first.warp == now.warp {
                    true => first,
                    false => second,
                };
                *place = now;
            }
        }
        conflict
    }

    /// Halves the bytes of a cell.
    #[cold]
    fn refine(&mut self) {
        self.shift -= 1;
        self.cells = self.cells.iter().flat_map(|cell| [*cell; 2]).collect();
    }
}

/// Takes the later of each pair of clocks.
pub fn join(clocks: &mut Vec<u32>, other: &[u32]) {
    if clocks.len() < other.len() {
        clocks.resize(other.len(), 0);
    }
    for (clock, other) in clocks.iter_mut().zip(other) {
        *clock = (*clock).max(*other);
    }
}
