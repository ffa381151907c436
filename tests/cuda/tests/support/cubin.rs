//! What a CUBIN says about its kernels. It is an ELF file; its sections `.nv.info` list attributes.

/// A kernel of a CUBIN.
pub struct CubinKernel {
    pub name: String,
    /// Of a thread.
    pub registers: u32,
    /// Bytes of a thread; spilled registers lie there, too.
    pub stack: u32,
    /// Its instructions.
    pub code: Vec<u8>,
    /// Jumps over a table: the byte of the instruction, and all bytes where it may lead.
    pub jumps: Vec<(usize, Vec<usize>)>,
}

/// Attributes of `.nv.info`: the number of registers, the size of a frame, and where jumps over tables lead.
const REGISTERS: u8 = 0x2f;
const FRAME: u8 = 0x11;
const JUMPS: u8 = 0x34;

/// A section: its name, where its bytes are, and the section that it refers to.
struct Section<'a> {
    name: String,
    bytes: &'a [u8],
    link: usize,
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> u64 {
    let mut value = [0; 8];
    value[..N].copy_from_slice(&bytes[at..at + N]);
    u64::from_le_bytes(value)
}

fn text(bytes: &[u8], at: usize) -> String {
    let end = bytes[at..].iter().position(|b| *b == 0).unwrap_or(0);
    String::from_utf8_lossy(&bytes[at..at + end]).into_owned()
}

fn sections(elf: &[u8]) -> Vec<Section<'_>> {
    assert_eq!(&elf[..4], b"\x7fELF", "no CUBIN");
    let (table, size) = (
        number::<8>(elf, 0x28) as usize,
        number::<2>(elf, 0x3a) as usize,
    );
    let (count, names) = (
        number::<2>(elf, 0x3c) as usize,
        number::<2>(elf, 0x3e) as usize,
    );
    let range = |i: usize| {
        let header = table + i * size;
        let (at, len) = (
            number::<8>(elf, header + 0x18),
            number::<8>(elf, header + 0x20),
        );
        // A section of zeros has no bytes in the file.
        match number::<4>(elf, header + 4) {
            8 => &elf[..0],
            _ => &elf[at as usize..(at + len) as usize],
        }
    };
    let strings = range(names);
    let one = |i: usize| Section {
        name: text(strings, number::<4>(elf, table + i * size) as usize),
        bytes: range(i),
        link: number::<4>(elf, table + i * size + 0x28) as usize,
    };
    (0..count).map(one).collect()
}

/// All kernels of a CUBIN.
///
/// # Panics
/// If it is none.
pub fn kernels(elf: &[u8]) -> Vec<CubinKernel> {
    let sections = sections(elf);
    let named = |name: &str| sections.iter().find(|s| s.name == name);
    let symbols = named(".symtab").expect("symbols");
    let strings = sections[symbols.link].bytes;
    let symbol = |i: u64| {
        text(
            strings,
            number::<4>(symbols.bytes, 24 * i as usize) as usize,
        )
    };
    let info = named(".nv.info").expect("attributes").bytes;
    let mut kernels: Vec<CubinKernel> = Vec::new();
    for (attribute, value) in attributes(info) {
        if !matches!(attribute, REGISTERS | FRAME) {
            continue;
        }
        let name = symbol(number::<4>(value, 0));
        let figure = number::<4>(value, 4) as u32;
        let kernel = match kernels.iter_mut().find(|k| k.name == name) {
            Some(kernel) => kernel,
            None => {
                let section = |start: &str| {
                    named(&format!("{start}.{name}")).map_or(&elf[..0], |section| section.bytes)
                };
                kernels.push(CubinKernel {
                    registers: 0,
                    stack: 0,
                    code: section(".text").to_vec(),
                    jumps: jumps(section(".nv.info")),
                    name,
                });
                kernels.last_mut().expect("just pushed")
            }
        };
        match attribute {
            REGISTERS => kernel.registers = figure,
            _ => kernel.stack = figure,
        }
    }
    kernels
}

/// The attributes of a section that have more than two bytes.
fn attributes(info: &[u8]) -> Vec<(u8, &[u8])> {
    let (mut all, mut at) = (Vec::new(), 0);
    while at + 4 <= info.len() {
        let (format, attribute) = (info[at], info[at + 1]);
        at += 4;
        // Otherwise the value is in these four bytes.
        if format == 4 {
            let len = number::<2>(info, at - 2) as usize;
            all.push((attribute, &info[at..at + len]));
            at += len.next_multiple_of(4);
        }
    }
    all
}

fn jumps(info: &[u8]) -> Vec<(usize, Vec<usize>)> {
    let mut all = Vec::new();
    for (_, value) in attributes(info).iter().filter(|a| a.0 == JUMPS) {
        let word = |at: usize| number::<4>(value, 4 * at) as usize;
        let mut at = 0;
        while 4 * at < value.len() {
            let count = word(at + 2);
            all.push((word(at), (0..count).map(|i| word(at + 3 + i)).collect()));
            at += 3 + count;
        }
    }
    all
}
