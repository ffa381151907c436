//! Blocks and clusters that are resident.

use std::ops::Range;

use crate::races::Shadow;

/// A barrier of a block.
#[derive(Clone, Copy, Debug, Default)]
pub struct Barrier {
    /// Warps that have arrived.
    pub arrived: u32,
    /// How often it has opened.
    pub opened: u32,
    /// What a reducing barrier gathers: threads with the predicate, and threads.
    pub holds: u32,
    pub threads: u32,
}

#[derive(Debug)]
pub struct Block {
    pub bytes: Vec<u8>,
    /// For each byte of shared memory whether it was written.
    pub states: Vec<u8>,
    pub shadow: Shadow,
    pub barriers: [Barrier; 16],
    /// What warps that arrive at each barrier know, while it is closed.
    pub arriving: [Vec<u32>; 16],
    /// Its warps among all resident ones.
    pub warps: Range<usize>,
    pub cluster: usize,
    /// Its number in the cluster.
    pub rank: u32,
    /// Warps that have not ended.
    pub left: u32,
    /// Its number in the grid, for messages.
    pub number: u32,
}

#[derive(Debug)]
pub struct Cluster {
    /// How often its barrier has opened.
    pub opened: u32,
    /// What all warps knew that arrived before it opened.
    pub known: Vec<u32>,
    /// What warps know that have arrived since.
    pub arriving: Vec<u32>,
    pub blocks: Range<usize>,
}
