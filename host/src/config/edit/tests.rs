//! What an edited file looks like: an input and an expected text each.

use super::*;

fn http(text: &str) -> Edit {
    Edit::Http(text.parse().unwrap())
}

fn dir(guest_path: &str, access: Access) -> Edit {
    Edit::Dir {
        path: "files".to_owned(),
        guest_path: guest_path.to_owned(),
        access,
    }
}

fn secret(name: &str) -> Edit {
    let source = SecretSource::Env(name.to_owned());
    Edit::Env(name.to_owned(), EnvSource::Secret(source))
}

fn granted(text: &str, edits: &[Edit]) -> String {
    grant(Path::new("coinop.toml"), text, "weather", edits).unwrap()
}

fn revoked(text: &str, edits: &[Edit]) -> String {
    revoke(Path::new("coinop.toml"), text, "weather", Some(edits)).unwrap()
}

fn all() -> Vec<Edit> {
    vec![
        http("GET https://api.example.com"),
        secret("API_KEY"),
        Edit::Env("MODE".to_owned(), EnvSource::Text("fast".to_owned())),
        dir("/data", Access::Write),
        Edit::Socket("tcp://db:5432".parse().unwrap()),
        Edit::KeyValue(64),
        Edit::Caller,
    ]
}

#[test]
fn grants_are_written_into_an_empty_file() {
    assert_eq!(
        granted("", &all()),
        "[plugins.weather.grants]\n\
         http = [\"GET https://api.example.com\"]\n\
         env = { API_KEY = { env = \"API_KEY\" }, MODE = \"fast\" }\n\
         dirs = [{ path = \"files\", as = \"/data\", write = true }]\n\
         sockets = [\"tcp://db:5432\"]\n\
         keyvalue_kib = 64\n\
         caller = true\n"
    );
}

#[test]
fn granting_twice_changes_nothing_more() {
    let once = granted("", &all());
    assert_eq!(granted(&once, &all()), once);
}

#[test]
fn everything_else_stays_as_it_was() {
    let before = "# mine\nmode = \"auto\"   # really\n\n[plugins.weather]  # sunny\nprice = \"free\"\n\n\
                  [plugins.weather.grants]\nhttp = [\n    \"https://a.example\", # the first\n]\nkeyvalue_kib = 1 # little\n\n\
                  [plugins.other]\nprefix='o_'\n";
    let after = granted(before, &[Edit::KeyValue(64), Edit::Caller]);
    assert_eq!(
        after,
        before.replace("= 1 # little\n", "= 64 # little\ncaller = true\n")
    );
    let more = granted(before, &[http("https://b.example")]);
    assert!(
        more.contains("\"https://a.example\", # the first"),
        "{more}"
    );
    assert!(
        more.contains("# the first\n    \"https://b.example\",\n]"),
        "{more}"
    );
}

#[test]
fn tables_in_a_line_and_lists_of_tables_are_edited_too() {
    let inline =
        "plugins.weather = { price = \"free\", grants = { http = [\"https://a.example\"] } }\n";
    assert_eq!(
        granted(inline, &[Edit::Caller]),
        "plugins.weather = { price = \"free\", grants = { http = [\"https://a.example\"], caller = true } }\n"
    );
    let tables = "[[plugins.weather.grants.dirs]]\npath = \"old\"\nas = \"/data\"\n";
    let replaced = granted(tables, &[dir("/data", Access::Read)]);
    assert!(
        !replaced.contains("old") && replaced.contains("files"),
        "{replaced}"
    );
}

#[test]
fn what_is_taken_away_leaves_nothing_behind() {
    let before = "mode = \"auto\"\n";
    let with_all = granted(before, &all());
    assert_eq!(revoked(&with_all, &all()), before);
    let whole = revoke(Path::new("coinop.toml"), &with_all, "weather", None);
    assert_eq!(whole.unwrap(), before);
    let one = revoked(&with_all, &[secret("API_KEY")]);
    assert!(one.contains("env = { MODE = \"fast\" }"), "{one}");
    assert_eq!(revoked(before, &all()), before);

    let inline = "plugins.weather = { price = \"free\" }\n";
    let with_both = granted(inline, &[Edit::Caller, secret("API_KEY")]);
    assert_eq!(
        with_both,
        "plugins.weather = { price = \"free\", grants = { caller = true, env = { API_KEY = { env = \"API_KEY\" } } } }\n"
    );
    assert_eq!(
        revoked(&with_both, &[Edit::Caller, secret("API_KEY")]),
        inline
    );
}

#[test]
fn a_file_with_mistakes_is_not_made_worse() {
    for text in [
        "mode = [",
        "plugins = 3\n",
        "[plugins.weather]\ngrants = 3\n",
        "colour = 1\n",
    ] {
        let file = Path::new("coinop.toml");
        assert!(grant(file, text, "weather", &all()).is_err(), "{text}");
    }
}
