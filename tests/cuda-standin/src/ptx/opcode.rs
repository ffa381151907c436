//! An opcode with its modifiers: `ld.global.nc.v4.f32`.

use crate::program::{AtomicOperation, Comparison, Order, Rounding, Space, Type, Vote};

pub struct Opcode<'a> {
    pub stem: &'a str,
    pub modifiers: Vec<&'a str>,
    pub types: Vec<Type>,
}

impl<'a> Opcode<'a> {
    pub fn parse(text: &'a str) -> Opcode<'a> {
        let mut parts = text.split('.');
        let stem = parts.next().unwrap_or("");
        let modifiers: Vec<&str> = parts.collect();
        let types = modifiers.iter().filter_map(|part| Type::parse(part));
        Opcode {
            stem,
            types: types.collect(),
            modifiers,
        }
    }

    pub fn has(&self, modifier: &str) -> bool {
        self.modifiers.contains(&modifier)
    }

    fn has_any(&self, modifiers: &[&str]) -> bool {
        modifiers.iter().any(|modifier| self.has(modifier))
    }

    /// The first type, which is the result's.
    pub fn ty(&self) -> Type {
        *self.types.first().unwrap_or(&Type::U32)
    }

    pub fn space(&self) -> Space {
        // Constants lie in global memory here.
        if self.has_any(&["global", "const"]) {
            Space::Global
        } else if self.has("shared::cluster") {
            Space::Cluster
        } else if self.has_any(&["shared", "shared::cta"]) {
            Space::Shared
        } else if self.has("local") {
            Space::Local
        } else if self.has_any(&["param", "param::entry", "param::func"]) {
            Space::Parameter
        } else {
            Space::Generic
        }
    }

    pub fn order(&self) -> Order {
        if self.has("acquire") {
            Order::Acquire
        } else if self.has("release") {
            Order::Release
        } else if self.has("acq_rel") {
            Order::AcquireRelease
        } else if self.has_any(&["relaxed", "volatile"]) {
            Order::Relaxed
        } else {
            Order::Weak
        }
    }

    pub fn rounding(&self) -> Rounding {
        if self.has_any(&["rm", "rmi"]) {
            Rounding::Down
        } else if self.has_any(&["rz", "rzi"]) {
            Rounding::Zero
        } else if self.has_any(&["rp", "rpi"]) {
            Rounding::Up
        } else if self.has("rna") {
            Rounding::NearestAway
        } else {
            Rounding::Nearest
        }
    }

    pub fn comparison(&self) -> Option<Comparison> {
        let known = |name: &&str| {
            Some(match *name {
                "eq" => Comparison::Equal,
                "ne" => Comparison::NotEqual,
                "lt" | "lo" => Comparison::Less,
                "le" | "ls" => Comparison::LessEqual,
                "gt" | "hi" => Comparison::Greater,
                "ge" | "hs" => Comparison::GreaterEqual,
                "equ" => Comparison::EqualUnordered,
                "neu" => Comparison::NotEqualUnordered,
                "ltu" => Comparison::LessUnordered,
                "leu" => Comparison::LessEqualUnordered,
                "gtu" => Comparison::GreaterUnordered,
                "geu" => Comparison::GreaterEqualUnordered,
                "num" => Comparison::Ordered,
                "nan" => Comparison::Unordered,
                _ => return None,
            })
        };
        self.modifiers.iter().find_map(known)
    }

    pub fn atomic(&self) -> Option<AtomicOperation> {
        let known = |name: &&str| {
            Some(match *name {
                "add" => AtomicOperation::Add,
                "min" => AtomicOperation::Minimum,
                "max" => AtomicOperation::Maximum,
                "and" => AtomicOperation::And,
                "or" => AtomicOperation::Or,
                "xor" => AtomicOperation::Xor,
                "exch" => AtomicOperation::Exchange,
                "cas" => AtomicOperation::CompareAndSwap,
                "inc" => AtomicOperation::Increment,
                "dec" => AtomicOperation::Decrement,
                _ => return None,
            })
        };
        self.modifiers.iter().find_map(known)
    }

    pub fn vote(&self) -> Option<Vote> {
        let known = |name: &&str| {
            Some(match *name {
                "all" | "and" => Vote::All,
                "any" | "or" => Vote::Any,
                "uni" => Vote::Uniform,
                "ballot" => Vote::Ballot,
                _ => return None,
            })
        };
        self.modifiers.iter().find_map(known)
    }
}
