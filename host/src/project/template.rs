//! Templates of projects: one folder a language in `host/templates`, and one entry here.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::name::ProjectName;
use super::wit;

/// A file of a new project: its path there, and its text. In both, `{{name}}` stands for the project's name and
/// `{{identifier}}` for the name without hyphens.
type File = (&'static str, &'static str);

/// A language that projects can be written in.
pub(crate) struct Language {
    /// Its word on the command line.
    pub(crate) name: &'static str,
    /// The template's files.
    files: &'static [File],
    /// What goes along, below a folder of its own.
    sdk: &'static [File],
}

/// A text of the repository.
macro_rules! text {
    ($path:literal) => {
        include_str!(concat!("../../../", $path))
    };
}

/// Every language.
pub(crate) const LANGUAGES: &[Language] = &[
    Language {
        name: "rust",
        files: &[
            ("Cargo.toml", text!("host/templates/rust/Cargo.toml")),
            ("README.md", text!("host/templates/rust/README.md")),
            ("plugin.toml", text!("host/templates/rust/plugin.toml")),
            ("src/lib.rs", text!("host/templates/rust/src/lib.rs")),
        ],
        sdk: &[
            ("sdk/rust/Cargo.toml", text!("sdk/rust/Cargo.toml")),
            ("sdk/rust/README.md", text!("sdk/rust/README.md")),
            ("sdk/rust/src/answer.rs", text!("sdk/rust/src/answer.rs")),
            (
                "sdk/rust/src/bindings.rs",
                text!("sdk/rust/src/bindings.rs"),
            ),
            ("sdk/rust/src/failure.rs", text!("sdk/rust/src/failure.rs")),
            ("sdk/rust/src/host.rs", text!("sdk/rust/src/host.rs")),
            ("sdk/rust/src/http.rs", text!("sdk/rust/src/http.rs")),
            ("sdk/rust/src/lib.rs", text!("sdk/rust/src/lib.rs")),
            ("sdk/rust/src/schema.rs", text!("sdk/rust/src/schema.rs")),
            ("sdk/rust/src/tool.rs", text!("sdk/rust/src/tool.rs")),
        ],
    },
    Language {
        name: "javascript",
        files: &[
            ("README.md", text!("host/templates/javascript/README.md")),
            ("build.mjs", text!("host/templates/javascript/build.mjs")),
            (
                "package-lock.json",
                text!("host/templates/javascript/package-lock.json"),
            ),
            (
                "package.json",
                text!("host/templates/javascript/package.json"),
            ),
            (
                "plugin.toml",
                text!("host/templates/javascript/plugin.toml"),
            ),
            (
                "src/plugin.js",
                text!("host/templates/javascript/src/plugin.js"),
            ),
            (
                "test/plugin.test.js",
                text!("host/templates/javascript/test/plugin.test.js"),
            ),
        ],
        sdk: SDK_FOR_JAVASCRIPT,
    },
    Language {
        name: "typescript",
        files: &[
            ("README.md", text!("host/templates/typescript/README.md")),
            ("build.mjs", text!("host/templates/typescript/build.mjs")),
            (
                "package-lock.json",
                text!("host/templates/typescript/package-lock.json"),
            ),
            (
                "package.json",
                text!("host/templates/typescript/package.json"),
            ),
            (
                "plugin.toml",
                text!("host/templates/typescript/plugin.toml"),
            ),
            (
                "src/plugin.ts",
                text!("host/templates/typescript/src/plugin.ts"),
            ),
            (
                "test/plugin.test.ts",
                text!("host/templates/typescript/test/plugin.test.ts"),
            ),
            (
                "tsconfig.json",
                text!("host/templates/typescript/tsconfig.json"),
            ),
        ],
        sdk: SDK_FOR_JAVASCRIPT,
    },
    Language {
        name: "go",
        files: &[
            ("README.md", text!("host/templates/go/README.md")),
            (
                "coinop/coinop.go",
                text!("host/templates/go/coinop/coinop.go"),
            ),
            (
                "coinop/host_none.go",
                text!("host/templates/go/coinop/host_none.go"),
            ),
            (
                "coinop/host_wasm.go",
                text!("host/templates/go/coinop/host_wasm.go"),
            ),
            (
                "export_coinop_plugin_tools/export.go",
                text!("host/templates/go/export_coinop_plugin_tools/export.go"),
            ),
            ("go.mod", text!("host/templates/go/go.mod")),
            ("main.go", text!("host/templates/go/main.go")),
            ("plugin.toml", text!("host/templates/go/plugin.toml")),
            ("tools/tools.go", text!("host/templates/go/tools/tools.go")),
            (
                "tools/tools_test.go",
                text!("host/templates/go/tools/tools_test.go"),
            ),
        ],
        sdk: &[
            ("sdk/go/LICENSE", text!("sdk/go/LICENSE")),
            ("sdk/go/README.md", text!("sdk/go/README.md")),
            ("sdk/go/go.mod", text!("sdk/go/go.mod")),
            (
                "sdk/go/wit/async/async.go",
                text!("sdk/go/wit/async/async.go"),
            ),
            (
                "sdk/go/wit/async/empty.s",
                text!("sdk/go/wit/async/empty.s"),
            ),
            (
                "sdk/go/wit/runtime/runtime.go",
                text!("sdk/go/wit/runtime/runtime.go"),
            ),
            (
                "sdk/go/wit/types/future.go",
                text!("sdk/go/wit/types/future.go"),
            ),
            (
                "sdk/go/wit/types/option.go",
                text!("sdk/go/wit/types/option.go"),
            ),
            (
                "sdk/go/wit/types/result.go",
                text!("sdk/go/wit/types/result.go"),
            ),
            (
                "sdk/go/wit/types/stream.go",
                text!("sdk/go/wit/types/stream.go"),
            ),
            (
                "sdk/go/wit/types/tuple.go",
                text!("sdk/go/wit/types/tuple.go"),
            ),
            (
                "sdk/go/wit/types/unit.go",
                text!("sdk/go/wit/types/unit.go"),
            ),
        ],
    },
    Language {
        name: "c",
        files: &[
            ("README.md", text!("host/templates/c/README.md")),
            ("json.h", text!("host/templates/c/json.h")),
            ("plugin.c", text!("host/templates/c/plugin.c")),
            ("plugin.toml", text!("host/templates/c/plugin.toml")),
            ("test.c", text!("host/templates/c/test.c")),
            ("tool.c", text!("host/templates/c/tool.c")),
            ("tool.h", text!("host/templates/c/tool.h")),
        ],
        sdk: &[],
    },
    Language {
        name: "python",
        files: &[
            ("README.md", text!("host/templates/python/README.md")),
            ("app.py", text!("host/templates/python/app.py")),
            ("plugin.toml", text!("host/templates/python/plugin.toml")),
            (
                "requirements.txt",
                text!("host/templates/python/requirements.txt"),
            ),
            (
                "test_tools.py",
                text!("host/templates/python/test_tools.py"),
            ),
            ("tools.py", text!("host/templates/python/tools.py")),
        ],
        sdk: &[
            ("coinop_plugin/README.md", text!("sdk/python/README.md")),
            (
                "coinop_plugin/__init__.py",
                text!("sdk/python/coinop_plugin/__init__.py"),
            ),
            (
                "coinop_plugin/bounds.py",
                text!("sdk/python/coinop_plugin/bounds.py"),
            ),
            (
                "coinop_plugin/content.py",
                text!("sdk/python/coinop_plugin/content.py"),
            ),
            (
                "coinop_plugin/export.py",
                text!("sdk/python/coinop_plugin/export.py"),
            ),
            (
                "coinop_plugin/failure.py",
                text!("sdk/python/coinop_plugin/failure.py"),
            ),
            (
                "coinop_plugin/hints.py",
                text!("sdk/python/coinop_plugin/hints.py"),
            ),
            (
                "coinop_plugin/host.py",
                text!("sdk/python/coinop_plugin/host.py"),
            ),
            (
                "coinop_plugin/http.py",
                text!("sdk/python/coinop_plugin/http.py"),
            ),
            (
                "coinop_plugin/run.py",
                text!("sdk/python/coinop_plugin/run.py"),
            ),
            (
                "coinop_plugin/shapes.py",
                text!("sdk/python/coinop_plugin/shapes.py"),
            ),
            (
                "coinop_plugin/testing.py",
                text!("sdk/python/coinop_plugin/testing.py"),
            ),
            (
                "coinop_plugin/tools.py",
                text!("sdk/python/coinop_plugin/tools.py"),
            ),
            (
                "coinop_plugin/wasi_http.py",
                text!("sdk/python/coinop_plugin/wasi_http.py"),
            ),
        ],
    },
];

/// What JavaScript and TypeScript share.
const SDK_FOR_JAVASCRIPT: &[File] = &[
    (
        "sdk/javascript/README.md",
        text!("sdk/javascript/README.md"),
    ),
    ("sdk/javascript/build.js", text!("sdk/javascript/build.js")),
    (
        "sdk/javascript/index.d.ts",
        text!("sdk/javascript/index.d.ts"),
    ),
    ("sdk/javascript/index.js", text!("sdk/javascript/index.js")),
    (
        "sdk/javascript/package.json",
        text!("sdk/javascript/package.json"),
    ),
    (
        "sdk/javascript/small.d.ts",
        text!("sdk/javascript/small.d.ts"),
    ),
    (
        "sdk/javascript/src/answer.js",
        text!("sdk/javascript/src/answer.js"),
    ),
    (
        "sdk/javascript/src/failure.js",
        text!("sdk/javascript/src/failure.js"),
    ),
    (
        "sdk/javascript/src/host.js",
        text!("sdk/javascript/src/host.js"),
    ),
    (
        "sdk/javascript/src/host/fetch.js",
        text!("sdk/javascript/src/host/fetch.js"),
    ),
    (
        "sdk/javascript/src/host/none.js",
        text!("sdk/javascript/src/host/none.js"),
    ),
    (
        "sdk/javascript/src/host/small.js",
        text!("sdk/javascript/src/host/small.js"),
    ),
    (
        "sdk/javascript/src/plugin.js",
        text!("sdk/javascript/src/plugin.js"),
    ),
    (
        "sdk/javascript/src/price.js",
        text!("sdk/javascript/src/price.js"),
    ),
    (
        "sdk/javascript/src/tool.js",
        text!("sdk/javascript/src/tool.js"),
    ),
    (
        "sdk/javascript/src/utf8.js",
        text!("sdk/javascript/src/utf8.js"),
    ),
    (
        "sdk/javascript/testing.d.ts",
        text!("sdk/javascript/testing.d.ts"),
    ),
    (
        "sdk/javascript/testing.js",
        text!("sdk/javascript/testing.js"),
    ),
];

/// What every project has.
const COMMON: &[File] = &[
    (".gitignore", text!("host/templates/gitignore")),
    ("{{name}}.toml", text!("host/templates/sidecar.toml")),
];

/// Why no project was made.
#[derive(Debug, Error)]
pub(crate) enum CreateError {
    /// Something is there already.
    #[error(
        "{0} is there already, and not empty: choose another name, or another folder with --dir"
    )]
    Occupied(PathBuf),
    /// A file cannot be written.
    #[error("{path}: {source}", path = .path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Language {
    /// The language of that word.
    pub(crate) fn find(name: &str) -> Option<&'static Self> {
        LANGUAGES.iter().find(|language| language.name == name)
    }
}

/// Writes a project into `folder`, which is not there yet or empty.
///
/// # Errors
/// Something is there already, or cannot be written.
pub(crate) fn create(
    name: &ProjectName,
    language: &Language,
    folder: &Path,
) -> Result<(), CreateError> {
    if is_occupied(folder) {
        return Err(CreateError::Occupied(folder.to_owned()));
    }
    let wit = wit::FILES
        .iter()
        .map(|(path, text)| (format!("wit/{path}"), (*text).to_owned()));
    let files = [COMMON, language.files, language.sdk].concat();
    let files = files
        .into_iter()
        .map(|(path, text)| (filled(path, name), filled(text, name)));
    for (path, text) in files.chain(wit) {
        let path = folder.join(path);
        write(&path, &text).map_err(|source| CreateError::Write { path, source })?;
    }
    Ok(())
}

fn is_occupied(folder: &Path) -> bool {
    match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text)
}

fn filled(text: &str, name: &ProjectName) -> String {
    text.replace("{{name}}", name.as_str())
        .replace("{{identifier}}", &name.identifier())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::Manifest;

    #[test]
    fn every_language_makes_a_whole_project() {
        for language in LANGUAGES {
            let home = tempfile::tempdir().unwrap();
            let folder = home.path().join("my-tool");
            let name = "my-tool".parse().unwrap();
            create(&name, language, &folder).unwrap();
            assert_eq!(Manifest::read(&folder).unwrap().name, "my-tool");
            for file in ["README.md", "my-tool.toml", "wit/plugin.wit", ".gitignore"] {
                assert!(folder.join(file).is_file(), "{}: {file}", language.name);
            }
            let readme = fs::read_to_string(folder.join("README.md")).unwrap();
            assert!(readme.contains("coinop build") && !readme.contains("{{"));
            let again = create(&name, language, &folder).unwrap_err();
            assert!(again.to_string().contains("--dir"), "{again}");
        }
    }

    #[test]
    fn every_module_of_the_sdk_for_python_is_carried() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk/python/coinop_plugin");
        let language = Language::find("python").unwrap();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|ending| ending == "py") {
                let text = fs::read_to_string(&path).unwrap();
                let carried = language.sdk.iter().any(|(_, carried)| *carried == text);
                assert!(carried, "{} is not in the table", path.display());
            }
        }
    }

    /// A file that is added to a template's folder and forgotten in the table would be missing from every project.
    #[test]
    fn every_file_of_the_templates_is_carried() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
        for language in LANGUAGES {
            let folder = root.join(language.name);
            let mut folders = vec![folder.clone()];
            while let Some(next) = folders.pop() {
                for entry in fs::read_dir(next).unwrap() {
                    let path = entry.unwrap().path();
                    if path.is_dir() {
                        folders.push(path);
                        continue;
                    }
                    let text = fs::read_to_string(&path).unwrap();
                    let carried = language.files.iter().any(|(_, carried)| *carried == text);
                    assert!(carried, "{} is not in the table", path.display());
                }
            }
        }
    }

    #[test]
    fn the_whole_sdk_for_javascript_is_carried() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut folders = vec![root.join("sdk/javascript")];
        while let Some(next) = folders.pop() {
            for entry in fs::read_dir(next).unwrap() {
                let path = entry.unwrap().path();
                let inside = path.strip_prefix(&root).unwrap().to_str().unwrap();
                // Its own tests stay here.
                if path.is_dir() {
                    folders.extend((!inside.ends_with("/test")).then_some(path.clone()));
                    continue;
                }
                let carried = SDK_FOR_JAVASCRIPT.iter().any(|(path, _)| *path == inside);
                assert!(carried, "{inside} is not in the table");
            }
        }
    }
}
