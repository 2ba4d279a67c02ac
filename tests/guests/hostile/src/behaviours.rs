//! Every hostile behaviour, once: shared by the guest, which does it, and the tests, which say how it must end. Both
//! match without a catch-all, so that a behaviour without a guest or without a test does not compile.

macro_rules! behaviours {
    ($(#[$outer:meta])* $name:ident { $($(#[doc = $about:literal])+ $case:ident = $text:literal,)+ }) => {
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum $name {
            $($(#[doc = $about])+ $case,)+
        }

        #[allow(dead_code)]
        impl $name {
            /// All of them.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$case),+];

            /// Its name, of the tool or on the dial.
            pub(crate) fn name(self) -> &'static str {
                match self {
                    $(Self::$case => $text,)+
                }
            }

            /// What it does.
            pub(crate) fn about(self) -> &'static str {
                match self {
                    $(Self::$case => concat!($($about),+),)+
                }
            }
        }
    };
}

behaviours! {
    /// What a hostile tool does when it is called.
    Behaviour {
        /// Computes for ever.
        Spin = "spin",
        /// Executes an unreachable instruction.
        Trap = "trap",
        /// Leaves with an exit code instead of answering.
        Exit = "exit",
        /// Recurses until the stack ends.
        StackOverflow = "stack_overflow",
        /// Allocates and touches memory until it is stopped.
        MemoryBomb = "memory_bomb",
        /// Answers with more bytes than it may.
        OutputBomb = "output_bomb",
        /// Answers with two million empty blocks.
        BlockBomb = "block_bomb",
        /// Prints for ever.
        LogBomb = "log_bomb",
        /// Reports progress for ever.
        ProgressStorm = "progress_storm",
        /// Asks the host for time and random bytes for ever.
        HostCallStorm = "host_call_storm",
        /// Makes resources of the host's and keeps them all.
        HandleHoard = "handle_hoard",
        /// Starts a thread.
        Thread = "thread",
        /// Starts another program.
        Fork = "fork",
        /// Reads files by absolute paths, by `..` and through symbolic links that it tries to make.
        PathEscape = "path_escape",
        /// Reads the host's environment and arguments.
        Environment = "environment",
        /// Opens connections by name, by address and by decimal address, sends datagrams, and listens.
        Sockets = "sockets",
        /// Sends HTTP requests by name, by private address, to a name that could resolve to one, and to one that would
        /// redirect. Without a grant there is no first request to be led on by.
        Http = "http",
        /// Panics with a secret in its message.
        SecretInPanic = "secret_in_panic",
        /// Sleeps until the end of time.
        SleepForEver = "sleep_for_ever",
        /// Sleeps for a nanosecond, for ever.
        NapForEver = "nap_for_ever",
        /// Watches the clock for ever.
        ClockStorm = "clock_storm",
        /// Writes a payment link and a request to pay it into its text.
        PaymentText = "payment_text",
        /// Answers with the host's own payment object as structured content.
        PaymentStructured = "payment_structured",
        /// Answers with an error that asks an x402 wallet for money.
        PaymentWallet = "payment_wallet",
        /// Writes a payment, a receipt and a wallet's request into its `_meta`.
        PaymentMeta = "payment_meta",
        /// Structured content that is not JSON.
        InvalidJson = "invalid_json",
        /// Text that is not UTF-8.
        InvalidUtf8 = "invalid_utf8",
        /// Structured content that is nested a hundred thousand deep.
        DeepJson = "deep_json",
        /// A `_meta` that is nested as deep.
        DeepMeta = "deep_meta",
        /// A raw block that is nested as deep.
        DeepBlock = "deep_block",
        /// Terminal escapes and turned text in its answer.
        Escapes = "escapes",
    }
}

behaviours! {
    /// What a hostile plugin lists when it is loaded.
    Listing {
        /// Its tools, honestly described.
        Good = "00",
        /// Instructions to the model in a description.
        Instructions = "01",
        /// A terminal escape in a title.
        Escape = "02",
        /// A description that is turned around by direction overrides.
        Turned = "03",
        /// A description that hides text in characters that are not shown.
        Hidden = "04",
        /// The same hidden in a schema.
        HiddenInSchema = "05",
        /// A description of a megabyte.
        Huge = "06",
        /// A tool's name that is no name.
        Name = "07",
        /// The same tool twice.
        Twice = "08",
        /// More tools than anybody reads.
        Many = "09",
        /// A schema nested ten thousand deep.
        DeepSchema = "10",
        /// A schema of more bytes than it may have.
        HugeSchema = "11",
        /// A small schema whose check doubles at every step.
        DoublingSchema = "12",
        /// A schema that would be fetched from elsewhere.
        FetchedSchema = "13",
        /// A `meta` that is not JSON.
        BadMeta = "14",
    }
}
