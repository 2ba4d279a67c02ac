//! How to connect the clients people use.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context as _;
use serde_json::json;

/// What to paste where, with this binary and this folder.
pub(super) fn instructions(addr: SocketAddr, plugins: &Path) -> anyhow::Result<String> {
    let binary = std::env::current_exe().context("this program's own path")?;
    let plugins = std::path::absolute(plugins)?;
    Ok(text(addr, &binary, &plugins))
}

fn text(addr: SocketAddr, binary: &Path, plugins: &Path) -> String {
    let (binary, plugins) = (binary.display().to_string(), plugins.display().to_string());
    let server = json!({"command": binary, "args": ["serve", "--plugins", plugins]});
    let servers = serde_json::to_string_pretty(&json!({"mcpServers": {"coinop": server}}))
        .unwrap_or_default();
    let vscode =
        json!({"name": "coinop", "command": binary, "args": ["serve", "--plugins", plugins]});
    format!(
        "\nThe host keeps serving at http://{addr}/mcp (ctrl-c stops it). To use it from a client of yours:\n\n\
         Claude Code\n    claude mcp add --transport http coinop http://{addr}/mcp\n\n\
         VS Code\n    code --add-mcp {}\n\n\
         Claude Desktop (Settings, Developer, Edit Config) and Cursor (~/.cursor/mcp.json)\n{}\n\n\
         Then ask: \"What weather should I expect in Lisbon in the first week of May?\"\n",
        quoted(&vscode.to_string()),
        indented(&servers)
    )
}

/// Quoted for a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

fn indented(text: &str) -> String {
    text.lines()
        .map(|line| format!("    {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pasted_is_json_with_absolute_paths() {
        let shown = text(
            ([127, 0, 0, 1], 7402).into(),
            Path::new("/opt/it's/coinop"),
            Path::new("/p"),
        );
        let start = shown.find("    {").unwrap();
        let end = shown.rfind("    }").unwrap() + 5;
        let pasted: serde_json::Value = serde_json::from_str(&shown[start..end]).unwrap();
        assert_eq!(
            pasted["mcpServers"]["coinop"]["command"],
            "/opt/it's/coinop"
        );
        assert!(shown.contains("'\\''"), "the shell's quotes hold:\n{shown}");
    }
}
