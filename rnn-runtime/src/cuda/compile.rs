//! Compiles CUDA to code of a GPU by NVRTC, and keeps what was compiled on disk.

use std::{
    ffi::CString,
    fs::{self, File, TryLockError},
    io::{self, IsTerminal as _, Write as _},
    panic::resume_unwind,
    path::PathBuf,
    sync::{Mutex, Once, PoisonError},
    thread,
};

use cudarc::nvrtc::{result, sys};

use crate::{
    error::Error,
    init::fnv1a,
    weights::{make_folder, write_atomically},
};

/// What NVRTC is told beside the architecture. Products and sums of the maths stay apart, as the cell says.
pub const OPTIONS: [&str; 3] = [
    "--std=c++17",
    "--fmad=false",
    "--device-as-default-execution-space",
];

/// Code for a GPU of this architecture, such as 90.
///
/// # Errors
/// [`Error::Device`] if NVRTC is not there, is too old for the GPU, or refuses the text.
pub(super) fn compile(source: &str, architecture: i32) -> Result<Vec<u8>, Error> {
    // SAFETY: it only tries to load the library.
    if !unsafe { sys::is_culib_present() } {
        return Err(Error::Device(
            "cuda: NVRTC, CUDA's compiler, is not there (libnvrtc.so.13 or .so.12, on Windows nvrtc64_130_0.dll): install \
             the CUDA toolkit, or `pip install nvidia-cuda-nvrtc` and name its folder in LD_LIBRARY_PATH"
                .to_owned(),
        ));
    }
    let target = Target::of(architecture)?;
    let cache = Cache::of(source, &target);
    if let Some(code) = cache.as_ref().and_then(Cache::read) {
        return Ok(code);
    }
    // Another thread or program may be at the same kernels: what it has compiled is read then. A folder where nothing can be
    // locked costs time, and nothing else.
    let _lock = cache.as_ref().and_then(|cache| cache.lock().ok());
    if let Some(code) = cache.as_ref().and_then(Cache::read) {
        return Ok(code);
    }
    let _compiling = Compiling::start(architecture);
    let code = build(source, &target)?;
    if let Some(cache) = &cache {
        // A cache that cannot be written costs time at the next start, and nothing else.
        let _ = cache.write(&code);
    }
    Ok(code)
}

/// Code of several texts, in their order. They are compiled at once, each on a thread.
pub(super) fn compile_all(
    sources: &[Option<String>],
    architecture: i32,
) -> Vec<Option<Result<Vec<u8>, Error>>> {
    thread::scope(|scope| {
        let sources = sources.iter().map(Option::as_deref);
        let threads = sources
            .map(|source| source.map(|source| scope.spawn(move || compile(source, architecture))));
        // All of them are started before one is waited for.
        let threads: Vec<_> = threads.collect();
        let codes = threads.into_iter().map(|thread| {
            let code = thread?.join();
            Some(code.unwrap_or_else(|panic| resume_unwind(panic)))
        });
        codes.collect()
    })
}

/// Texts that are being compiled, and how many of them are done.
static PROGRESS: Mutex<(usize, usize)> = Mutex::new((0, 0));

/// One text that is being compiled. As long as there is one, a line of the terminal says so: the first run of a model takes
/// seconds.
struct Compiling {
    architecture: i32,
}

impl Compiling {
    fn start(architecture: i32) -> Compiling {
        let mut progress = PROGRESS.lock().unwrap_or_else(PoisonError::into_inner);
        progress.0 += 1;
        let this = Compiling { architecture };
        this.show(*progress);
        this
    }

    /// Writes over the line; it goes when all is done.
    fn show(&self, (all, done): (usize, usize)) {
        if !io::stderr().is_terminal() {
            return;
        }
        let text = match all == done {
            true => String::new(),
            false => progress_text(self.architecture, all, done),
        };
        // Whoever closed the terminal needs no line.
        let _ = write!(io::stderr(), "\r\x1b[K{text}");
    }
}

impl Drop for Compiling {
    fn drop(&mut self) {
        let mut progress = PROGRESS.lock().unwrap_or_else(PoisonError::into_inner);
        progress.1 += 1;
        self.show(*progress);
        if progress.0 == progress.1 {
            *progress = (0, 0);
        }
    }
}

/// The line about what is being compiled: short, since one that wraps could not be written over.
fn progress_text(architecture: i32, all: usize, done: usize) -> String {
    format!("compiling kernels for this GPU (sm_{architecture}): {done} of {all}")
}

/// Whether it has been said that somebody else compiles.
static WAITING: Once = Once::new();

/// Says something on a terminal, the first time.
fn say_once(once: &Once, text: impl FnOnce() -> String) {
    if io::stderr().is_terminal() {
        // Over the line of what is being compiled, which comes again.
        once.call_once(|| drop(writeln!(io::stderr(), "\r\x1b[K{}", text())));
    }
}

/// What NVRTC compiles for.
struct Target {
    option: String,
    /// Code for this GPU alone; otherwise text that the driver compiles.
    binary: bool,
    version: (i32, i32),
}

impl Target {
    /// The architecture itself, or the latest that this NVRTC knows.
    fn of(architecture: i32) -> Result<Target, Error> {
        let (mut major, mut minor, mut count) = (0, 0, 0);
        // SAFETY: three numbers are written.
        unsafe {
            checked(sys::nvrtcVersion(&raw mut major, &raw mut minor))?;
            checked(sys::nvrtcGetNumSupportedArchs(&raw mut count))?;
        }
        let mut known = vec![0; usize::try_from(count).unwrap_or(0)];
        // SAFETY: there is room for as many as NVRTC says that it knows.
        checked(unsafe { sys::nvrtcGetSupportedArchs(known.as_mut_ptr()) })?;
        let best = known.iter().copied().filter(|a| *a <= architecture).max();
        let Some(best) = best else {
            let oldest = known.iter().min().copied().unwrap_or(0);
            return Err(Error::Device(format!(
                "cuda: this GPU is sm_{architecture}, and NVRTC {major}.{minor} compiles for sm_{oldest} and later: install \
                 an earlier CUDA toolkit beside it (12 is the last that knows sm_70)"
            )));
        };
        let binary = best == architecture;
        let kind = if binary { "sm" } else { "compute" };
        Ok(Target {
            option: format!("--gpu-architecture={kind}_{best}"),
            binary,
            version: (major, minor),
        })
    }
}

fn checked(status: sys::nvrtcResult) -> Result<(), Error> {
    status
        .result()
        .map_err(|e| Error::Device(format!("cuda: NVRTC fails: {e}")))
}

/// A program of NVRTC, destroyed at the end.
struct Program(sys::nvrtcProgram);

impl Drop for Program {
    fn drop(&mut self) {
        // SAFETY: it was made by `create_program`, and nobody else has it.
        let _ = unsafe { result::destroy_program(self.0) };
    }
}

fn build(source: &str, target: &Target) -> Result<Vec<u8>, Error> {
    let text = CString::new(source)
        .map_err(|_| Error::Device("cuda: a kernel's text has a zero in it".to_owned()))?;
    let created = result::create_program(&text, Some(c"recurrent.cu"));
    let program = Program(created.map_err(|e| Error::Device(format!("cuda: NVRTC fails: {e}")))?);
    let mut options: Vec<&str> = OPTIONS.to_vec();
    options.push(&target.option);
    // SAFETY: the program was made above; `text` outlives it.
    if let Err(e) = unsafe { result::compile_program(program.0, &options) } {
        // SAFETY: as above.
        let log = unsafe { result::get_program_log(program.0) }.unwrap_or_default();
        let log: Vec<u8> = log
            .iter()
            .map(|c| *c as u8)
            .take_while(|c| *c != 0)
            .collect();
        let (major, minor) = target.version;
        let log = String::from_utf8_lossy(&log);
        return Err(Error::Device(match e.0 {
            sys::nvrtcResult::NVRTC_ERROR_COMPILATION => format!(
                "cuda: NVRTC {major}.{minor} refuses a kernel; this is a fault of `recurrent`, please report it with this \
                 text:\n{log}"
            ),
            // Files that belong to it, or memory.
            other => format!(
                "cuda: NVRTC {major}.{minor} cannot compile here ({other:?}): is its installation whole, and is there memory?\n{log}"
            ),
        }));
    }
    let mut len = 0;
    // SAFETY: the program has been compiled; NVRTC writes as many bytes as it says.
    unsafe {
        if target.binary {
            checked(sys::nvrtcGetCUBINSize(program.0, &raw mut len))?;
            let mut code = vec![0u8; len];
            checked(sys::nvrtcGetCUBIN(program.0, code.as_mut_ptr().cast()))?;
            Ok(code)
        } else {
            checked(sys::nvrtcGetPTXSize(program.0, &raw mut len))?;
            let mut code = vec![0u8; len];
            checked(sys::nvrtcGetPTX(program.0, code.as_mut_ptr().cast()))?;
            Ok(code)
        }
    }
}

/// The file that keeps what a source was compiled to.
struct Cache {
    path: PathBuf,
    key: u128,
}

/// What a file of the cache starts with.
const MAGIC: &[u8; 16] = b"recurrent-cuda-1";

impl Cache {
    /// `None` if there is no folder for it.
    fn of(source: &str, target: &Target) -> Option<Cache> {
        let folder = folder()?;
        let all = format!(
            "{:?} {} {OPTIONS:?}\n{source}",
            target.version, target.option
        );
        let key = fnv1a(all.as_bytes());
        Some(Cache {
            path: folder.join(format!("{key:032x}.cubin")),
            key,
        })
    }

    /// What it keeps; `None` if it is not there or damaged.
    fn read(&self) -> Option<Vec<u8>> {
        let file = fs::read(&self.path).ok()?;
        let rest = file.strip_prefix(MAGIC)?;
        let (key, rest) = rest.split_first_chunk()?;
        let (sum, code) = rest.split_first_chunk()?;
        let right =
            u128::from_le_bytes(*key) == self.key && u128::from_le_bytes(*sum) == fnv1a(code);
        right.then(|| code.to_vec())
    }

    /// Waits until nobody else compiles this, and keeps others from it until the file is dropped.
    fn lock(&self) -> io::Result<File> {
        make_folder(&self.path)?;
        // Whoever has it open and locked keeps it as it is.
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(self.lock_path())?;
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(e)) => return Err(e),
        }
        say_once(&WAITING, || {
            "waiting for another program or thread that compiles kernels".to_owned()
        });
        file.lock()?;
        Ok(file)
    }

    /// One of 64 files, which stay: to remove a file that somebody is about to lock would let two in.
    fn lock_path(&self) -> PathBuf {
        self.path
            .with_file_name(format!("lock-{:02}", self.key % 64))
    }

    /// Keeps `code`. Nobody reads half of it.
    fn write(&self, code: &[u8]) -> io::Result<()> {
        make_folder(&self.path)?;
        let mut file = MAGIC.to_vec();
        file.extend_from_slice(&self.key.to_le_bytes());
        file.extend_from_slice(&fnv1a(code).to_le_bytes());
        file.extend_from_slice(code);
        write_atomically(&self.path, &file)
    }
}

/// Where compiled kernels are kept: `RECURRENT_CACHE`, or the platform's folder for caches. An empty
/// `RECURRENT_CACHE` keeps none.
fn folder() -> Option<PathBuf> {
    if let Some(given) = std::env::var_os("RECURRENT_CACHE") {
        return (!given.is_empty()).then(|| PathBuf::from(given));
    }
    let variable = |name| {
        std::env::var_os(name)
            .filter(|v| !v.is_empty())
            .map(PathBuf::from)
    };
    let base = if cfg!(windows) {
        variable("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        variable("HOME").map(|home| home.join("Library/Caches"))
    } else {
        variable("XDG_CACHE_HOME").or_else(|| variable("HOME").map(|home| home.join(".cache")))
    };
    base.map(|base| base.join("recurrent"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_how_much_is_done() {
        assert_eq!(
            progress_text(90, 5, 2),
            "compiling kernels for this GPU (sm_90): 2 of 5"
        );
        assert!(progress_text(120, 1000, 1000).len() < 80);
    }

    #[test]
    fn what_is_done_is_counted_to_the_end() {
        let (first, second) = (Compiling::start(90), Compiling::start(90));
        assert_eq!(*PROGRESS.lock().unwrap(), (2, 0));
        drop(first);
        assert_eq!(*PROGRESS.lock().unwrap(), (2, 1));
        drop(second);
        assert_eq!(*PROGRESS.lock().unwrap(), (0, 0));
    }

    /// That `compile` asks for it is tested with the stand-in, in `tests/cuda`.
    #[test]
    fn the_same_kernels_have_one_lock() {
        let folder = std::env::temp_dir().join(format!("recurrent-lock-{}", std::process::id()));
        let cache = |key| Cache {
            path: folder.join(format!("{key}.cubin")),
            key,
        };
        let held = cache(7).lock().unwrap();
        let other = File::create(cache(7).lock_path()).unwrap();
        assert!(other.try_lock().is_err());
        // Other kernels need not wait.
        drop(cache(8).lock().unwrap());
        drop(held);
        other.try_lock().unwrap();
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_damaged_file_of_the_cache_is_not_read() {
        let folder = std::env::temp_dir().join(format!("recurrent-cache-{}", std::process::id()));
        let cache = Cache {
            path: folder.join("one.cubin"),
            key: 7,
        };
        assert_eq!(cache.read(), None);
        cache.write(b"code").unwrap();
        assert_eq!(cache.read().as_deref(), Some(&b"code"[..]));
        let whole = fs::read(&cache.path).unwrap();
        for cut in 0..whole.len() {
            fs::write(&cache.path, &whole[..cut]).unwrap();
            assert_eq!(cache.read(), None, "{cut} bytes");
            let mut other = whole.clone();
            other[cut] ^= 1;
            fs::write(&cache.path, other).unwrap();
            assert_eq!(cache.read(), None, "byte {cut}");
        }
        let other = Cache {
            path: cache.path.clone(),
            key: 8,
        };
        fs::write(&cache.path, &whole).unwrap();
        assert_eq!(other.read(), None);
        fs::remove_dir_all(folder).unwrap();
    }
}
