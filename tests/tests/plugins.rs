//! The plugins that ship in Go and in C: sold by the real host, their pictures read by other people's readers, and the
//! files they share with templates and examples.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use coinop_tests::client::Client;
use coinop_tests::era::Era;
use coinop_tests::home::Home;
use coinop_tests::paths;
use coinop_tests::pay::pay;
use coinop_tests::wait::until;
use data_encoding::{BASE64, HEXLOWER};
use serde_json::{Value, json};

/// What the reader of pictures says of `input`: a JSON value for each line.
fn read(what: &str, input: &[u8]) -> Vec<Value> {
    let mut reader = Command::new(paths::reader_python())
        .arg(paths::root().join("tests/readers/pictures.py"))
        .arg(what)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = reader.stdin.take().unwrap();
    let output = thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input).unwrap());
        reader.wait_with_output().unwrap()
    });
    assert!(output.status.success(), "the reader of pictures failed");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The text of the one code among `codes`, and its level.
fn only_code(codes: &Value) -> (String, String) {
    let found = codes.as_array().unwrap();
    assert_eq!(found.len(), 1, "{codes}");
    let word = |key: &str| found[0][key].as_str().unwrap().to_owned();
    (word("text"), word("level"))
}

fn hex(text: &str) -> String {
    HEXLOWER.encode(text.as_bytes())
}

/// A client of a host that has compiled the plugin: the first time that takes seconds, and longer beside other tests.
async fn client_of(home: &Home, tool: &str) -> Client {
    let client = home.stdio(Era::Modern).await;
    until("the tool in the list", async || {
        let tools = client.tools().await;
        tools.iter().any(|name| name == tool).then_some(())
    })
    .await;
    client
}

/// Calls, pays and confirms: what was bought.
async fn buy(client: &Client, tool: &str, arguments: Value) -> Value {
    let payment = client.call(tool, arguments).await.payment();
    pay(&payment.url).await;
    let confirm = json!({ "payment_id": payment.id });
    let delivered = client.call(&format!("confirm_{tool}"), confirm).await;
    assert!(!delivered.is_error(), "{}", delivered.0);
    let result = delivered.result().clone();
    assert!(
        result["_meta"]["coinop/receipt"]["jws"].is_string(),
        "{result}"
    );
    result
}

/// The file of the picture among the contents.
fn image(result: &Value) -> Vec<u8> {
    let contents = result["content"].as_array().unwrap();
    let image = contents
        .iter()
        .find(|content| content["type"] == "image")
        .unwrap();
    assert_eq!(image["mimeType"], "image/png");
    BASE64
        .decode(image["data"].as_str().unwrap().as_bytes())
        .unwrap()
}

#[tokio::test]
async fn a_chart_is_sold() {
    let home = Home::new().plugin("chart").mode("two_step");
    let client = client_of(&home, "draw_chart").await;
    let arguments = json!({
        "kind": "bar", "title": "Sales", "x": ["Ada", "Grace"], "width": 400, "height": 300,
        "series": [{ "name": "2025", "y": [10, 20] }, { "name": "2026", "y": [30, -5] }],
    });
    let sold = buy(&client, "draw_chart", arguments).await;
    let summary = &sold["structuredContent"];
    assert_eq!(summary["series"][1]["min"], -5);
    assert_eq!(summary["x"]["to"], "Grace");
    let chart = &read("png", &image(&sold))[0];
    assert_eq!(
        (&chart["width"], &chart["height"]),
        (&json!(400), &json!(300))
    );
    let count = |colour: &str| chart["colours"][colour].as_u64().unwrap();
    let (first, second) = (count("0072b2"), count("d55e00"));
    // Bars for 30 and for 35 of the same width.
    assert!(
        first > 1000 && second > first && second < first * 5 / 4,
        "{first} pixels and {second}"
    );
}

#[tokio::test]
async fn what_no_chart_can_show_is_told_and_given_back() {
    let home = Home::new().plugin("chart").mode("two_step");
    let client = client_of(&home, "draw_chart").await;
    let arguments = json!({ "kind": "pie", "x": ["a"], "series": [{ "y": [0] }] });
    let payment = client.call("draw_chart", arguments).await.payment();
    pay(&payment.url).await;
    let confirm = json!({ "payment_id": payment.id });
    let refused = client.call_settled("confirm_draw_chart", confirm).await;
    let text = refused.text();
    assert!(
        refused.is_error()
            && text.contains("no whole to divide")
            && text.contains("0.10 USD went back"),
        "{text}"
    );
}

/// The largest picture of the most values, with half of the memory that runs have unless the operator says otherwise.
#[tokio::test]
async fn the_largest_chart_fits_the_limits_with_room() {
    let home = Home::new()
        .plugin("chart")
        .mode("two_step")
        .config("[plugins.chart.limits]\nmemory_mib = 128\n");
    let client = client_of(&home, "draw_chart").await;
    // Pseudo-random, so that it does not compress well.
    let values = |factor: u64| {
        (1..=10_000_u64)
            .map(|at| (at * factor) % 9973)
            .collect::<Vec<u64>>()
    };
    let arguments = json!({
        "kind": "scatter", "width": 2000, "height": 2000, "x": values(7919), "series": [{ "y": values(104_729) }],
    });
    let sold = buy(&client, "draw_chart", arguments).await;
    // Width and height, in the first chunk.
    assert_eq!(image(&sold)[16..24], [0, 0, 0x07, 0xd0, 0, 0, 0x07, 0xd0]);
}

#[tokio::test]
async fn a_qr_code_is_sold_and_read() {
    let home = Home::new().plugin("qr").mode("two_step");
    let client = client_of(&home, "make_qr_code").await;
    let text = "https://example.com/menu?table=12 – Grüße";
    let sold = buy(&client, "make_qr_code", json!({ "text": text })).await;
    let picture = &read("png", &image(&sold))[0];
    let (found, level) = only_code(&picture["codes"]);
    assert_eq!(found, hex(text));
    let side = picture["width"].as_u64().unwrap() / 8 - 8;
    let said = sold["content"][0]["text"].as_str().unwrap();
    assert!(
        said.contains(&format!(
            "({side} by {side} modules), error correction {level},"
        )),
        "{said}"
    );

    let svg = json!({ "text": text, "format": "svg", "scale": 3 });
    let svg = buy(&client, "make_qr_code", svg).await;
    let svg = svg["content"][0]["text"].as_str().unwrap();
    let whole = (side + 8) * 3;
    assert!(
        svg.starts_with("<svg ") && svg.contains(&format!("width=\"{whole}\"")),
        "{svg}"
    );
    let modules = squares(svg, side as usize + 8);
    assert_eq!(
        only_code(&read("modules", modules.as_bytes())[0]).0,
        hex(text)
    );
}

/// The modules that the path of an SVG covers, as 0 and 1: `M4 4h7v1h-7z` is seven dark ones in a row.
fn squares(svg: &str, side: usize) -> String {
    let mut modules = vec![b'0'; side * side];
    let path = svg.split("d=\"").nth(1).unwrap().split('"').next().unwrap();
    for run in path.split('M').skip(1) {
        let (x, rest) = run.split_once(' ').unwrap();
        let (y, rest) = rest.split_once('h').unwrap();
        let (length, _) = rest.split_once('v').unwrap();
        let [x, y, length] = [x, y, length].map(|number| number.parse::<usize>().unwrap());
        modules[y * side + x..][..length].fill(b'1');
    }
    String::from_utf8(modules).unwrap()
}

/// Each version at each level, filled to the last bit, in each mode and in mixtures, by a reader of other people's making.
#[test]
fn every_qr_code_is_read() {
    let codes = codes();
    // Version, level, mask, text and modules of each.
    let lines: Vec<Vec<&str>> = codes
        .lines()
        .map(|line| line.split(' ').collect())
        .collect();
    let modules: Vec<&str> = lines.iter().map(|line| line[4]).collect();
    let read = read("modules", modules.join("\n").as_bytes());
    assert_eq!(read.len(), lines.len());
    let mut seen = BTreeSet::new();
    for (line, read) in lines.iter().zip(&read) {
        let (version, level) = (line[0], line[1]);
        let side = version.parse::<usize>().unwrap() * 4 + 17;
        assert_eq!(line[4].len(), side * side);
        assert!(
            only_code(read) == (line[3].to_owned(), level.to_owned()),
            "version {version}, level {level}, mask {}: {read}",
            line[2]
        );
        seen.insert((version, level));
    }
    assert_eq!(seen.len(), 160, "versions and levels");
}

/// What the plugin's own code makes of many texts, compiled for this machine.
fn codes() -> String {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("codes");
    let mut zig = zig();
    zig.current_dir(paths::root().join("plugins/qr"))
        .args(["cc", "-O2", "-o"])
        .arg(&program)
        .args(["test.c", "tool.c", "bits.c", "codewords.c", "matrix.c"])
        .args(["qr.c", "png.c", "vector.c"]);
    assert!(zig.status().unwrap().success());
    let output = Command::new(program).arg("codes").output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn zig() -> Command {
    let on_path = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .any(|folder| folder.join("zig").is_file());
    let mut zig = if on_path {
        Command::new("zig")
    } else {
        let mut python = Command::new(paths::compilers()[0].join("python"));
        python.args(["-m", "ziglang"]);
        python
    };
    zig.env("ZIG_GLOBAL_CACHE_DIR", paths::target().join("zig-cache"));
    zig
}

/// The file of every project in that language: its template filled in, its example, its plugin.
fn copies(file: &str, template: &str, others: &[&str]) -> Vec<(PathBuf, String)> {
    let root = paths::root();
    let folders = std::iter::once(template).chain(others.iter().copied());
    folders
        .map(|folder| {
            let path = root.join(folder).join(file);
            let text =
                fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
            (path, as_template(text, &root.join(folder)))
        })
        .collect()
}

/// With the name of a Go module as templates write it.
fn as_template(text: String, project: &Path) -> String {
    let module = fs::read_to_string(project.join("go.mod")).unwrap_or_default();
    match module
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("module "))
    {
        Some(module) => text.replace(&format!("\"{module}/"), "\"{{name}}/"),
        None => text,
    }
}

/// What stands between a tool and the host is the same everywhere: a correction of one is a correction of all.
#[test]
fn projects_share_their_frames() {
    let c = ["json.h", "plugin.c", "tool.h"];
    let go = [
        "coinop/coinop.go",
        "coinop/host_none.go",
        "coinop/host_wasm.go",
        "export_coinop_plugin_tools/export.go",
    ];
    let c = c.map(|file| copies(file, "host/templates/c", &["examples/c", "plugins/qr"]));
    let go = go.map(|file| copies(file, "host/templates/go", &["examples/go", "plugins/chart"]));
    for copies in c.iter().chain(&go) {
        let (template, text) = &copies[0];
        for (path, other) in &copies[1..] {
            assert!(
                text == other,
                "{} and {} differ: make them equal",
                template.display(),
                path.display()
            );
        }
    }
}
