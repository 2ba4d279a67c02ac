//! Cannot even list its tools.

wit_bindgen::generate!({ path: "../../../wit", world: "coinop:plugin/plugin" });

use exports::coinop::plugin::tools::{Context, Failure, Guest, Output, Tool};

struct NoList;
export!(NoList);

impl Guest for NoList {
    fn list_tools() -> Vec<Tool> {
        panic!("my table of tools is gone")
    }

    fn call_tool(_: String, _: String, _: Context) -> Result<Output, Failure> {
        Err(Failure::Unsupported("nothing to call".into()))
    }
}
