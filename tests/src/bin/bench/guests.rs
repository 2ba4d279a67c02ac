//! The guests that are measured, one a language: found where the builds leave them, named where there is none.

use std::path::PathBuf;

use coinop_tests::paths;

use crate::table::Table;

/// A component with a tool to call.
#[derive(Clone, Copy)]
pub(crate) struct Guest {
    /// The language, for the table.
    pub(crate) language: &'static str,
    /// The component's file, without its extension.
    pub(crate) component: &'static str,
    /// A tool of it.
    pub(crate) tool: &'static str,
    /// What it is called with.
    pub(crate) arguments: &'static str,
}

/// Every language, with the guests that serve, the preferred one first: what `coinop new` writes, or else something that
/// is built anyway.
const LANGUAGES: [(&str, &[Guest]); 5] = [
    (
        "Rust",
        &[Guest {
            language: "Rust",
            component: "echo",
            tool: "echo",
            arguments: r#"{"text":"thirty-two bytes, 00000000000000"}"#,
        }],
    ),
    (
        "C",
        &[
            greeter("C", "hello-c", "hello_c"),
            Guest {
                language: "C",
                component: "identicon",
                tool: "identicon",
                arguments: r#"{"text":"Ada"}"#,
            },
        ],
    ),
    (
        "JavaScript",
        &[greeter(
            "JavaScript",
            "hello-javascript",
            "hello_javascript",
        )],
    ),
    (
        "Python",
        &[
            greeter("Python", "hello-python", "hello_python"),
            Guest {
                language: "Python",
                component: "smart-summary",
                tool: "summarize",
                arguments: r#"{"text":"The cat sat. The dog ran after the cat."}"#,
            },
        ],
    ),
    (
        "Go",
        &[
            greeter("Go", "hello-go", "hello_go"),
            Guest {
                language: "Go",
                component: "primes",
                tool: "primes",
                arguments: r#"{"count":10}"#,
            },
        ],
    ),
];

/// What `coinop new` writes.
const fn greeter(language: &'static str, component: &'static str, tool: &'static str) -> Guest {
    Guest {
        language,
        component,
        tool,
        arguments: r#"{"name":"Ada"}"#,
    }
}

impl Guest {
    /// Its file, where it is built.
    pub(crate) fn file(&self) -> Option<PathBuf> {
        let file = format!("{}.wasm", self.component);
        let folders = ["templates", "guests", "plugins"];
        let files = folders.map(|folder| paths::target().join(folder).join(&file));
        files.into_iter().find(|file| file.is_file())
    }
}

/// A built guest of each language, with its file; the table says which languages have none.
pub(crate) fn built(table: &mut Table) -> Vec<(Guest, PathBuf)> {
    let mut built = Vec::new();
    for (language, guests) in LANGUAGES {
        match guests
            .iter()
            .find_map(|guest| Some((*guest, guest.file()?)))
        {
            Some(found) => built.push(found),
            None => {
                let names: Vec<String> = guests
                    .iter()
                    .map(|guest| format!("{}.wasm", guest.component))
                    .collect();
                table.miss(format!(
                    "{language}, since {} is not built",
                    names.join(" or ")
                ));
            }
        }
    }
    built
}
