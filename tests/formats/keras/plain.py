"""HDF5 files that Keras does not write but h5py can: every storage and attribute that the reader claims, in `plain.zip`.

`rnn-formats/tests/hdf5.rs` has the same formula for the numbers.
"""
import tempfile
import zipfile
from pathlib import Path

import h5py
import numpy as np

HERE = Path(__file__).parent
MADE = Path(tempfile.mkdtemp())


def numbers(*shape):
    """Whole numbers that tell every place apart and fit a byte."""
    return (np.arange(np.prod(shape)) * 7 % 101).reshape(shape)


def attributes(group):
    group.attrs["text"] = "größer"
    group.attrs["bytes"] = np.bytes_(b"fixed")
    group.attrs["texts"] = ["one", "", "three"]
    group.attrs["fixed"] = np.array([b"ab", b"cde"])
    group.attrs["number"] = 1.5
    group.attrs["whole"] = np.int16(-7)
    group.attrs["numbers"] = np.array([[1, 2], [3, 4]], ">i4")
    group.attrs["flag"] = True
    group.attrs["empty"] = h5py.Empty("f")
    group.attrs["nothing"] = np.zeros((0,))
    group.attrs["pair"] = np.zeros((), [("a", "f4"), ("b", "i4")])
    group.attrs["half"] = np.float16(0.25)


def datasets(file):
    kinds = file.create_group("kinds")
    for kind in ["f2", "f4", "f8", ">f4", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "?"]:
        kinds[kind] = (numbers(3, 5) % 2 if kind == "?" else numbers(3, 5)).astype(kind)
    storage = file.create_group("storage")
    x = numbers(7, 10).astype("f4")
    storage["contiguous"] = x
    storage["scalar"] = np.float32(3.5)
    storage["none"] = np.zeros((0, 4), "f4")
    storage.create_dataset("chunked", data=x, chunks=(3, 4))
    storage.create_dataset("gzip", data=x, chunks=(4, 10), compression="gzip")
    storage.create_dataset("shuffled", data=x, chunks=(2, 3), compression="gzip", shuffle=True)
    storage.create_dataset("only_shuffled", data=x, chunks=(5, 5), shuffle=True)
    storage.create_dataset("deep", data=numbers(12, 9).astype("f4"), chunks=(1, 1))
    storage.create_dataset("cube", data=numbers(3, 4, 5).astype("f8"), chunks=(2, 3, 2))
    storage.create_dataset("unwritten", (4, 3), "f4", fillvalue=2.5)
    some = storage.create_dataset("partly", (6, 4), "f4", chunks=(2, 4), fillvalue=-1)
    some[2:4] = 9
    compact = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    compact.set_layout(h5py.h5d.COMPACT)
    space = h5py.h5s.create_simple((3, 2))
    made = h5py.h5d.create(storage.id, b"compact", h5py.h5t.IEEE_F32LE, space, compact)
    made.write(space, space, numbers(3, 2).astype("f4"))


def main():
    with h5py.File(MADE / "storage.h5", "w") as file:
        attributes(file)
        attributes(file.create_group("inner"))
        datasets(file)
        many = file.create_group("many")
        for i in range(100):
            many[f"member {i}"] = np.float32(i)
    with h5py.File(MADE / "latest.h5", "w", libver="latest") as file:
        file.attrs["text"] = "latest"
        file["a/b"] = numbers(2, 3).astype("f4")
        file["a/c"] = np.float64(2)
    refused = {
        "lzf": lambda f: f.create_dataset("x", data=numbers(8, 8), chunks=(4, 4), compression="lzf"),
        "fletcher": lambda f: f.create_dataset("x", data=numbers(8, 8), chunks=(4, 4), fletcher32=True),
        "complex": lambda f: f.create_dataset("x", data=numbers(3) * 1j),
        "text": lambda f: f.create_dataset("x", data=["a", "b"]),
    }
    for name, make in refused.items():
        with h5py.File(MADE / f"refused_{name}.h5", "w") as file:
            make(file)
    with h5py.File(MADE / "refused_dense.h5", "w", libver="latest") as file:
        for i in range(12):
            file[f"x{i}"] = np.float32(i)
    with zipfile.ZipFile(HERE / "plain.zip", "w") as archive:
        for path in sorted(MADE.iterdir()):
            archive.writestr(zipfile.ZipInfo(path.name), path.read_bytes(), zipfile.ZIP_DEFLATED, 9)


if __name__ == "__main__":
    main()
