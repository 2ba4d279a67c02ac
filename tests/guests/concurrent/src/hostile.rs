//! Every way to misuse waiting, once: shared by the guest, which does it, and the tests, which say how it must end. Both
//! match without a catch-all, so that one without a guest or without a test does not compile.

/// What a hostile tool does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hostile {
    /// Panics after it waited.
    Trap,
    /// Leaves with an exit code after it waited.
    Exit,
    /// Computes for ever, beside a task that waits.
    Spin,
    /// Waits for ever for the clock.
    SleepForEver,
    /// Waits for what nobody will ever give.
    Deadlock,
    /// Allocates and touches memory in a task beside its answer's.
    MemoryBomb,
    /// Starts waits without end and keeps them all.
    WaitHoard,
    /// Makes streams and keeps them all.
    StreamHoard,
    /// Lists a directory without end, keeps every listing and reads none.
    DirectoryHoard,
    /// Prints without end, by WASI 0.3.
    LogBomb,
    /// Answers with more bytes than it may.
    OutputBomb,
}

impl Hostile {
    /// All of them.
    pub(crate) const ALL: &'static [Self] = &[
        Self::Trap,
        Self::Exit,
        Self::Spin,
        Self::SleepForEver,
        Self::Deadlock,
        Self::MemoryBomb,
        Self::WaitHoard,
        Self::StreamHoard,
        Self::DirectoryHoard,
        Self::LogBomb,
        Self::OutputBomb,
    ];

    /// Its tool's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Trap => "trap",
            Self::Exit => "exit",
            Self::Spin => "spin",
            Self::SleepForEver => "sleep_for_ever",
            Self::Deadlock => "deadlock",
            Self::MemoryBomb => "memory_bomb",
            Self::WaitHoard => "wait_hoard",
            Self::StreamHoard => "stream_hoard",
            Self::DirectoryHoard => "directory_hoard",
            Self::LogBomb => "log_bomb",
            Self::OutputBomb => "output_bomb",
        }
    }
}
