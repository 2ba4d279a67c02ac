//! The two eras of the protocol, as a client's messages show them.

use serde_json::{Value, json};

/// Which protocol revision a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Era {
    /// 2025-11-25: `initialize`, sessions.
    Legacy,
    /// 2026-07-28: every request carries its version, no sessions.
    Modern,
}

impl Era {
    /// As the clients' drivers are told.
    pub fn name(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::Modern => "modern",
        }
    }

    /// The revision's name.
    pub fn version(self) -> &'static str {
        match self {
            Self::Legacy => "2025-11-25",
            Self::Modern => "2026-07-28",
        }
    }

    /// One request; `id` is chosen by the caller and unique within the connection.
    pub fn request(self, id: u64, method: &str, mut params: Value) -> Value {
        if self == Self::Modern {
            let meta = &mut params["_meta"];
            meta["io.modelcontextprotocol/protocolVersion"] = json!(self.version());
            let capabilities = &mut meta["io.modelcontextprotocol/clientCapabilities"];
            if capabilities.is_null() {
                *capabilities = json!({});
            }
            meta["io.modelcontextprotocol/clientInfo"] = client_info();
        }
        json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
    }

    /// The first request of a connection.
    pub fn hello(self, id: u64) -> Value {
        match self {
            Self::Legacy => self.request(
                id,
                "initialize",
                json!({
                    "protocolVersion": self.version(),
                    "capabilities": {},
                    "clientInfo": client_info(),
                }),
            ),
            Self::Modern => self.request(id, "server/discover", json!({})),
        }
    }
}

fn client_info() -> Value {
    json!({ "name": "coinop-tests", "version": "0" })
}
