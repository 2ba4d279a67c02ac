//! What can go wrong in the sandbox, each as a caller would treat it differently.
//!
//! Messages of [`RunError`] reach callers and models: nothing in them comes from a guest's stderr.

use std::io;
use std::path::PathBuf;

use crate::unruly::tame;

/// What is told of a guest's words when it fails its trial: lines, and characters of each.
const SAID_LINES_MAX: usize = 8;
const SAID_CHARS_MAX: usize = 400;

/// The sandbox cannot be set up. The host does not start.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The engine or its pool was refused by the system.
    #[error(
        "cannot set up the WebAssembly engine: {reason} (the pool reserves 4 GiB of address space for each of {memories} memories; lift the limit on address space or lower the number)"
    )]
    Engine {
        /// The engine's words.
        reason: String,
        /// Memories asked for.
        memories: u32,
    },
    /// The cache directory cannot be used.
    #[error("cannot use the cache directory {path}: {reason}")]
    CacheDir {
        /// The directory.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Reading or writing failed.
    #[error("cannot use {path}: {source}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

/// A file that is not served, and what its owner can do. Every message begins with the file's name.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Nothing in it.
    #[error("{file}: the file is empty")]
    Empty {
        /// The file.
        file: String,
    },
    /// Larger than any component this host compiles.
    #[error("{file}: {bytes} bytes is more than the {max} a component may have")]
    TooLarge {
        /// The file.
        file: String,
        /// Its size.
        bytes: usize,
        /// The most.
        max: usize,
    },
    /// Text, perhaps the WebAssembly text format.
    #[error("{file}: this is a text file, not a WebAssembly component; {remedy}")]
    Text {
        /// The file.
        file: String,
        /// What to do.
        remedy: &'static str,
    },
    /// Some other binary.
    #[error("{file}: not a WebAssembly file (it does not begin with `\\0asm`)")]
    NotWebAssembly {
        /// The file.
        file: String,
    },
    /// A core module.
    #[error(
        "{file}: this is a core WebAssembly module, not a component; build it for wasm32-wasip2, or turn it into a component with `wasm-tools component new`"
    )]
    CoreModule {
        /// The file.
        file: String,
    },
    /// It ends too early.
    #[error(
        "{file}: the file is truncated: it ends in the middle, at byte {at}; copy or build it again"
    )]
    Truncated {
        /// The file.
        file: String,
        /// Where it ends.
        at: usize,
    },
    /// Not valid WebAssembly, or using features this host does not offer.
    #[error("{file}: not a valid component: {reason}")]
    Malformed {
        /// The file.
        file: String,
        /// The parser's or compiler's words.
        reason: String,
    },
    /// A component made for something else.
    #[error(
        "{file}: the component exports neither `coinop:plugin/tools` nor functions, so it has no tools to offer; it exports {exports}"
    )]
    OtherWorld {
        /// The file.
        file: String,
        /// What it does export.
        exports: String,
    },
    /// No component for what it is to serve.
    #[error("{file}: this is no {what}: it does not export `{wanted}`; it exports {exports}")]
    OtherService {
        /// The file.
        file: String,
        /// What it was to be.
        what: &'static str,
        /// The interface, with the versions that would do.
        wanted: String,
        /// What it does export.
        exports: String,
    },
    /// A program for another host: it has no function to call.
    #[error("{file}: this is {what}; a plugin exports `coinop:plugin/tools`, or plain functions")]
    Program {
        /// The file.
        file: String,
        /// What it is, and what runs it.
        what: &'static str,
    },
    /// It exports functions, and none of them can be a tool.
    #[error("{file}: none of the functions it exports can be a tool: {left_out}")]
    NoTools {
        /// The file.
        file: String,
        /// The functions, each with the reason.
        left_out: String,
    },
    /// A version of the contract this host does not run.
    #[error(
        "{file}: built for {package} {version}, which this host does not run; supported: {supported}"
    )]
    UnsupportedVersion {
        /// The file.
        file: String,
        /// The contract it was built for.
        package: &'static str,
        /// The version it exports.
        version: String,
        /// The versions that would work.
        supported: String,
    },
    /// It was built for a version of WASI 0.3 that came before the release.
    #[error(
        "{file}: built for a release candidate of WASI 0.3 (it imports {import}), which differs from the release; this host runs wasi 0.3.0: build it again with tools that target the release"
    )]
    ReleaseCandidate {
        /// The file.
        file: String,
        /// The first such import.
        import: String,
    },
    /// It needs something that is not there, or the shapes differ.
    #[error("{file}: cannot be linked: {reason}")]
    Link {
        /// The file.
        file: String,
        /// The linker's words.
        reason: String,
    },
    /// The one trial instance failed, or listing its tools did.
    #[error("{file}: the plugin failed when it was tried: {source}{}", said(.log))]
    Trial {
        /// The file.
        file: String,
        /// How.
        source: RunError,
        /// What it printed.
        log: String,
    },
    /// A tool that cannot be offered.
    #[error("{file}: {source}")]
    Listing {
        /// The file.
        file: String,
        /// Which tool, and why.
        source: ListingError,
    },
    /// Our side.
    #[error("{file}: the host could not load it: {reason}")]
    Host {
        /// The file.
        file: String,
        /// Why.
        reason: String,
    },
}

/// What a guest printed, on one line: it must not pass for a line of the host's own log.
fn said(log: &str) -> String {
    let lines: Vec<String> = log
        .trim()
        .lines()
        .take(SAID_LINES_MAX)
        .map(|line| tame(line, SAID_CHARS_MAX))
        .collect();
    match lines.join(" | ").as_str() {
        "" => String::new(),
        text => format!("; it printed: {text}"),
    }
}

/// A list of tools that cannot be offered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListingError {
    /// None at all.
    #[error("the plugin lists no tools")]
    None,
    /// Too many.
    #[error("the plugin lists {count} tools; {max} is the most")]
    TooMany {
        /// How many.
        count: usize,
        /// The most.
        max: usize,
    },
    /// One of them is wrong.
    #[error("tool {tool:?}: {problem}")]
    Tool {
        /// The tool, as it names itself.
        tool: String,
        /// What is wrong.
        problem: ListingProblem,
    },
}

/// What is wrong with one tool.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListingProblem {
    /// Not a tool name.
    #[error("the name must be 1 to 64 of A-Z a-z 0-9 _ - .")]
    Name,
    /// Twice in one plugin.
    #[error("the name is listed twice")]
    Duplicate,
    /// A text that is too long.
    #[error("{field} has {bytes} bytes; {max} is the most")]
    TooLong {
        /// Which text.
        field: &'static str,
        /// Its length.
        bytes: usize,
        /// The most.
        max: usize,
    },
    /// A text that shows a reader something else than what is there.
    #[error("{field} has the character U+{character:04X}, which hides or turns text; take it out")]
    Deceiving {
        /// Which text.
        field: &'static str,
        /// The first such character.
        character: u32,
    },
    /// A schema that cannot be used.
    #[error("{field}: {reason}")]
    Schema {
        /// Which schema.
        field: &'static str,
        /// Why.
        reason: String,
    },
    /// `meta` is not a JSON object.
    #[error("meta is not a JSON object: {0}")]
    Meta(String),
    /// A price this version does not honour.
    #[error(
        "a {0} price is not supported by this version of coinop; use `free` or `per-call`, or declare no price and let the operator set one"
    )]
    PriceKind(String),
    /// An amount or currency that is not one.
    #[error("the price is not valid: {0}")]
    Price(String),
}

/// Why a run has no answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RunError {
    /// The tool said so itself.
    #[error("{message}")]
    Failed {
        /// What sort of failure the tool declared.
        kind: FailureKind,
        /// The tool's words, cut at 4 KiB.
        message: String,
    },
    /// The tool says the arguments are wrong though they match its schema.
    #[error("{0}")]
    InvalidArguments(String),
    /// It crashed or left.
    #[error("the tool crashed: {reason}")]
    Trap {
        /// The engine's words.
        reason: String,
    },
    /// Its processor time ran out.
    #[error("the tool was stopped: it used up its {limit_ms} ms of processor time")]
    CpuTime {
        /// The limit, milliseconds.
        limit_ms: u64,
    },
    /// Its wall-clock time ran out.
    #[error("the tool was stopped: it did not finish within {limit_ms} ms")]
    WallTime {
        /// The limit, milliseconds.
        limit_ms: u64,
    },
    /// It wanted more memory than it may have, and ended.
    #[error("the tool ran out of memory: it asked for {requested} bytes and may have {limit}")]
    Memory {
        /// Bytes it would have had in all.
        requested: usize,
        /// Bytes it may have.
        limit: usize,
    },
    /// It wanted more table elements than it may have, and ended.
    #[error(
        "the tool ran out of table space: it asked for {requested} elements and may have {limit}"
    )]
    Table {
        /// Elements it would have had in all.
        requested: usize,
        /// Elements it may have.
        limit: usize,
    },
    /// It is linked from more core instances than it may have: it never began.
    #[error("the tool needs more than the {limit} instances allowed")]
    Instances {
        /// The limit.
        limit: usize,
    },
    /// Its budget of instructions was used up.
    #[error("the tool was stopped: it used up its {limit} instructions")]
    Fuel {
        /// The limit, instructions.
        limit: u64,
    },
    /// It recursed too deeply.
    #[error("the tool ran out of stack: it recursed too deeply")]
    StackOverflow,
    /// Its answer is too large.
    #[error("the tool's answer is larger than the {limit} bytes allowed")]
    Output {
        /// The limit, bytes.
        limit: usize,
    },
    /// Its answer cannot be delivered.
    #[error("the tool's answer is not valid: {0}")]
    InvalidOutput(String),
    /// There is no such tool in this component.
    #[error("there is no tool {0:?} in this version of the plugin")]
    UnknownTool(String),
    /// It never began: the plugin's places are taken, and too many calls wait for one or this one waited too long.
    #[error(
        "the tool is busy: too many of its calls run and wait already. This one was not begun and used up nothing; try again in a few seconds"
    )]
    PluginBusy,
    /// It never began: the host's places are taken, likewise.
    #[error(
        "the host is busy: too many calls run and wait already. This one was not begun and used up nothing; try again in a few seconds"
    )]
    HostBusy,
    /// Our side: nothing was run, or it could not go on.
    #[error("the host cannot run the tool at the moment: {0}")]
    Unavailable(String),
}

impl RunError {
    /// Whether the plugin itself is to blame: it crashed, ran into a limit or gave what is no answer. What it declares
    /// is an answer, and what the host lacks is not its doing.
    pub fn is_own_fault(&self) -> bool {
        match self {
            Self::Trap { .. }
            | Self::CpuTime { .. }
            | Self::WallTime { .. }
            | Self::Memory { .. }
            | Self::Table { .. }
            | Self::Instances { .. }
            | Self::Fuel { .. }
            | Self::StackOverflow
            | Self::Output { .. }
            | Self::InvalidOutput(_) => true,
            Self::Failed { .. }
            | Self::InvalidArguments(_)
            | Self::UnknownTool(_)
            | Self::PluginBusy
            | Self::HostBusy
            | Self::Unavailable(_) => false,
        }
    }
}

/// What sort of failure a tool declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// It could not do its work.
    Failed,
    /// Something it needs is not there at the moment.
    Unavailable {
        /// When trying again makes sense, milliseconds.
        retry_after_ms: Option<u32>,
    },
    /// It may not.
    Denied,
    /// It ran out of time on its own count.
    TimedOut,
    /// It never will.
    Unsupported,
    /// A kind of a later version.
    Other(String),
}
