//! Functions as components for other hosts export them: at the world's top level and in interfaces.

wit_bindgen::generate!({
    path: [
        "../../../wit/deps/io.wit",
        "../../../wit/deps/clocks.wit",
        "../../../wit/deps/random.wit",
        "../../../wit/deps/filesystem.wit",
        "../../../wit/deps/sockets.wit",
        "../../../wit/deps/cli.wit",
        "../../../wit/deps/http.wit",
        "wit",
    ],
    world: "local:other-host/other-host",
    generate_all,
});

use exports::local::other_host::{filesystem, shells, time};
use filesystem::{AccessError, FileInfo, FileKind};
use wasi::http::outgoing_handler;
use wasi::http::types::{Fields, OutgoingRequest, Scheme};

struct Component;
export!(Component);

impl Guest for Component {
    fn get_weather(city: String) -> Result<String, String> {
        match city.as_str() {
            "Atlantis" => Err("there is no weather in Atlantis".to_owned()),
            city => Ok(format!("It is mild in {city}.")),
        }
    }

    fn fetch(url: String) -> Result<String, String> {
        let (_, rest) = url.split_once("://").ok_or("not a URL")?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let request = OutgoingRequest::new(Fields::new());
        let scheme = match url.starts_with("https:") {
            true => Scheme::Https,
            false => Scheme::Http,
        };
        let set = [
            request.set_scheme(Some(&scheme)),
            request.set_authority(Some(authority)),
            request.set_path_with_query(Some(path)),
        ];
        if set.contains(&Err(())) {
            return Err("not a URL".to_owned());
        }
        let response = outgoing_handler::handle(request, None).map_err(|e| e.to_string())?;
        response.subscribe().block();
        let response = response.get().ok_or("no answer")?.map_err(|()| "taken")?;
        let response = response.map_err(|e| e.to_string())?;
        Ok(format!("status {}", response.status()))
    }

    /// Adds numbers: `1+2`.
    fn eval(code: String) -> Result<String, String> {
        let numbers = code.split('+').map(|part| part.trim().parse::<i64>());
        let sum: i64 = numbers.sum::<Result<_, _>>().map_err(|e| e.to_string())?;
        Ok(sum.to_string())
    }
}

impl time::Guest for Component {
    fn get_current_time() -> String {
        let now = std::time::SystemTime::now();
        let since = now.duration_since(std::time::UNIX_EPOCH);
        since.map_or(0, |since| since.as_secs()).to_string()
    }
}

impl filesystem::Guest for Component {
    fn list_directory(path: String) -> Result<Vec<String>, String> {
        let entries = std::fs::read_dir(path).map_err(|e| e.to_string())?;
        let names = entries.map(|e| Ok(e?.file_name().to_string_lossy().into_owned()));
        names
            .collect::<std::io::Result<_>>()
            .map_err(|e| e.to_string())
    }

    fn get_file_info(path: String) -> Result<FileInfo, AccessError> {
        match path.as_str() {
            "/large" => Ok(FileInfo {
                size: u64::MAX,
                modified: None,
                kind: FileKind::File,
            }),
            "/locked" => Err(AccessError::Denied("it is locked".to_owned())),
            _ => Err(AccessError::NotFound),
        }
    }

    fn delete_file(_path: String) {}
}

impl shells::Guest for Component {
    type Shell = Shell;

    fn open() -> shells::Shell {
        shells::Shell::new(Shell)
    }
}

struct Shell;

impl shells::GuestShell for Shell {
    fn new() -> Self {
        Self
    }

    fn run(&self, line: String) -> String {
        line
    }
}
