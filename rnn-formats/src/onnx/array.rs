//! Constants, and the structure of arrays: views, parts, joins.

use std::rc::Rc;

use super::dim::Dim;

/// Numbers of a constant.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Data {
    /// Floats of any width, as f32.
    Floats(Rc<Vec<f32>>),
    /// Whole numbers and booleans; sizes may have symbols.
    Ints(Rc<Vec<Dim>>),
}

/// A constant of any shape. An axis whose size is a symbol, or that repeats one value, has one element here.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Array {
    /// The axes as ONNX sees them.
    pub shape: Vec<Dim>,
    /// The axes of the data: those of the shape, or 1.
    pub dims: Vec<usize>,
    /// As many as `dims` says.
    pub data: Data,
}

/// What a model may cost before it is refused: elements that are computed while it is read.
#[derive(Debug)]
pub(super) struct Budget {
    left: usize,
}

impl Budget {
    /// In proportion to the bytes of the files.
    pub fn new(bytes: usize) -> Self {
        Budget {
            left: bytes.saturating_mul(4).saturating_add(1 << 17),
        }
    }

    /// Takes `n` elements, or says that they are too many.
    pub fn spend(&mut self, n: usize) -> Result<(), String> {
        match self.left.checked_sub(n) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err("its constants are too large for so small a file".to_owned()),
        }
    }

    /// Takes the elements of a shape.
    pub fn shape(&mut self, dims: &[usize]) -> Result<usize, String> {
        self.spend(volume(dims).unwrap_or(usize::MAX))?;
        Ok(dims.iter().product())
    }
}

impl Data {
    /// How many numbers there are.
    pub fn len(&self) -> usize {
        match self {
            Data::Floats(f) => f.len(),
            Data::Ints(i) => i.len(),
        }
    }

    /// The numbers at these places; places that do not exist are left out.
    pub fn pick(&self, places: impl Iterator<Item = usize>) -> Data {
        match self {
            Data::Floats(f) => {
                Data::Floats(Rc::new(places.filter_map(|p| f.get(p).copied()).collect()))
            }
            Data::Ints(i) => {
                Data::Ints(Rc::new(places.filter_map(|p| i.get(p).cloned()).collect()))
            }
        }
    }

    /// Both, one after the other; `None` if they are of different kinds.
    fn join(all: &[&Data], places: &[(usize, usize, usize)]) -> Option<Data> {
        let all_floats: Option<Vec<&Rc<Vec<f32>>>> = all
            .iter()
            .map(|d| match d {
                Data::Floats(f) => Some(f),
                Data::Ints(_) => None,
            })
            .collect();
        if let Some(all) = all_floats {
            let mut joined = Vec::new();
            for (which, from, n) in places {
                joined.extend_from_slice(all.get(*which)?.get(*from..from.checked_add(*n)?)?);
            }
            return Some(Data::Floats(Rc::new(joined)));
        }
        let mut joined = Vec::new();
        for (which, from, n) in places {
            let Data::Ints(ints) = all.get(*which)? else {
                return None;
            };
            joined.extend_from_slice(ints.get(*from..from.checked_add(*n)?)?);
        }
        Some(Data::Ints(Rc::new(joined)))
    }
}

/// The elements of a shape, axes of no elements counted as one: so no product of some of its axes is too large, either.
pub(super) fn volume(dims: &[usize]) -> Option<usize> {
    dims.iter()
        .try_fold(1_usize, |n, &d| n.checked_mul(d.max(1)))
}

/// All places of a view, the last axis fastest: `offset + index · strides`.
pub(super) fn places(
    dims: &[usize],
    offset: usize,
    strides: &[isize],
) -> impl Iterator<Item = usize> + use<> {
    let (dims, strides) = (dims.to_vec(), strides.to_vec());
    let total = crate::elements(&dims).unwrap_or(0);
    let mut index = vec![0_usize; dims.len()];
    let mut at = offset;
    (0..total).map(move |_| {
        let now = at;
        for axis in (0..dims.len()).rev() {
            index[axis] += 1;
            at = at.wrapping_add_signed(strides[axis]);
            if index[axis] < dims[axis] {
                break;
            }
            // Back to the start of this axis.
            at = at.wrapping_add_signed(
                strides[axis]
                    .wrapping_neg()
                    .wrapping_mul(dims[axis] as isize),
            );
            index[axis] = 0;
        }
        now
    })
}

/// Strides of a row-major array.
pub(super) fn strides(dims: &[usize]) -> Vec<isize> {
    let mut all = vec![1_isize; dims.len()];
    for axis in (0..dims.len().saturating_sub(1)).rev() {
        all[axis] = all[axis + 1].saturating_mul(dims[axis + 1] as isize);
    }
    all
}

impl Array {
    /// An array of a known shape.
    pub fn new(dims: Vec<usize>, data: Data) -> Option<Array> {
        volume(&dims)?;
        (crate::elements(&dims)? == data.len()).then(|| Array {
            shape: dims.iter().map(|&d| Dim::N(d as i64)).collect(),
            dims,
            data,
        })
    }

    /// A vector of sizes.
    pub fn sizes(sizes: Vec<Dim>) -> Array {
        Array {
            shape: vec![Dim::N(sizes.len() as i64)],
            dims: vec![sizes.len()],
            data: Data::Ints(Rc::new(sizes)),
        }
    }

    /// One whole number.
    pub fn scalar(value: Dim) -> Array {
        Array {
            shape: vec![],
            dims: vec![],
            data: Data::Ints(Rc::new(vec![value])),
        }
    }

    /// All numbers as floats; `None` where a size is not known.
    pub fn floats(&self) -> Option<Rc<Vec<f32>>> {
        match &self.data {
            Data::Floats(f) => Some(f.clone()),
            Data::Ints(i) => {
                let all: Option<Vec<f32>> = i.iter().map(|d| d.known().map(|n| n as f32)).collect();
                all.map(Rc::new)
            }
        }
    }

    /// All whole numbers.
    pub fn ints(&self) -> Option<&[Dim]> {
        match &self.data {
            Data::Ints(i) => Some(i),
            Data::Floats(_) => None,
        }
    }

    /// All whole numbers, if they are known.
    pub fn numbers(&self) -> Option<Vec<i64>> {
        self.ints()?.iter().map(Dim::known).collect()
    }

    /// The only float.
    pub fn one_float(&self) -> Option<f32> {
        match (&self.floats()?[..], self.data.len()) {
            ([one], 1) => Some(*one),
            (all, _) => {
                let (first, rest) = all.split_first()?;
                rest.iter().all(|v| v == first).then_some(*first)
            }
        }
    }

    /// The array with an element for each of its shape.
    pub fn whole(&self, budget: &mut Budget) -> Result<Array, String> {
        let dims: Option<Vec<usize>> = self.shape.iter().map(Dim::size).collect();
        let dims = dims.ok_or("a constant of unknown size has to be known")?;
        self.stretched(&dims, budget)
    }

    /// The data with these axes, each the own one or in place of 1.
    pub fn stretched(&self, dims: &[usize], budget: &mut Budget) -> Result<Array, String> {
        if dims == self.dims {
            return Ok(self.clone());
        }
        let n = budget.shape(dims)?;
        let own = strides(&self.dims);
        let strides: Vec<isize> = (0..dims.len())
            .map(|a| match self.dims.get(a) {
                Some(1) | None => 0,
                Some(_) => own[a],
            })
            .collect();
        let data = self.data.pick(places(dims, 0, &strides));
        match data.len() == n {
            true => Ok(Array {
                shape: self.shape.clone(),
                dims: dims.to_vec(),
                data,
            }),
            false => Err("a constant does not have the axes that it needs".to_owned()),
        }
    }

    /// The axes in another order.
    pub fn transposed(&self, order: &[usize], budget: &mut Budget) -> Result<Array, String> {
        budget.spend(self.data.len())?;
        let own = strides(&self.dims);
        let dims: Vec<usize> = order.iter().map(|&a| self.dims[a]).collect();
        let by: Vec<isize> = order.iter().map(|&a| own[a]).collect();
        Ok(Array {
            shape: order.iter().map(|&a| self.shape[a].clone()).collect(),
            data: self.data.pick(places(&dims, 0, &by)),
            dims,
        })
    }

    /// Along one axis the elements at these indices.
    pub fn taken(
        &self,
        axis: usize,
        indices: &[usize],
        budget: &mut Budget,
    ) -> Result<Array, String> {
        let mut out = self.clone();
        out.shape[axis] = Dim::N(indices.len() as i64);
        if self.dims[axis] == 1 && self.shape[axis] != Dim::N(1) {
            // Repeated along this axis: as before.
            return Ok(out);
        }
        if indices.iter().any(|&i| i >= self.dims[axis]) {
            return Err(format!("an index is not below {}", self.dims[axis]));
        }
        out.dims[axis] = indices.len();
        budget.shape(&out.dims)?;
        let inner: usize = self.dims[axis + 1..].iter().product();
        let outer: usize = self.dims[..axis].iter().product();
        let len = self.dims[axis];
        out.data = self.data.pick((0..outer).flat_map(|o| {
            indices
                .iter()
                .flat_map(move |i| (0..inner).map(move |k| (o * len + i) * inner + k))
        }));
        Ok(out)
    }

    /// Several side by side along one axis.
    pub fn joined(all: &[Array], axis: usize, budget: &mut Budget) -> Result<Array, String> {
        let bad = || "its constants do not fit side by side".to_owned();
        let first = all.first().ok_or_else(bad)?;
        let rank = first.dims.len();
        if axis >= rank || all.iter().any(|a| a.dims.len() != rank) {
            return Err(bad());
        }
        // The common axes, and each along the axis as long as it says.
        let mut common = vec![1; rank];
        let mut shape = first.shape.clone();
        let mut along = Dim::N(0);
        for a in all {
            for k in (0..rank).filter(|&k| k != axis) {
                if a.shape[k] != first.shape[k] {
                    return Err(bad());
                }
                common[k] = a.dims[k].max(common[k]);
            }
            along = along.plus(&a.shape[axis]).ok_or_else(bad)?;
        }
        shape[axis] = along;
        let mut parts = Vec::new();
        for a in all {
            let mut dims = common.clone();
            dims[axis] = a.shape[axis]
                .size()
                .ok_or("the size of a part is not known")?;
            parts.push(a.stretched(&dims, budget)?);
        }
        let mut dims = common;
        dims[axis] = parts.iter().map(|p| p.dims[axis]).sum();
        budget.shape(&dims)?;
        let outer: usize = dims[..axis].iter().product();
        let inner: usize = dims[axis + 1..].iter().product();
        let mut pieces = Vec::new();
        for o in 0..outer {
            for (which, part) in parts.iter().enumerate() {
                let n = part.dims[axis] * inner;
                pieces.push((which, o * n, n));
            }
        }
        let data: Vec<&Data> = parts.iter().map(|p| &p.data).collect();
        Ok(Array {
            shape,
            dims,
            data: Data::join(&data, &pieces).ok_or_else(bad)?,
        })
    }
}
