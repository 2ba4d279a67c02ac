//! Tools for coinop, a host for paid tools. The README is the guide:
//!
#![doc = include_str!("../README.md")]

mod answer;
#[doc(hidden)]
pub mod bindings;
mod failure;
mod host;
#[cfg(feature = "http")]
pub mod http;
mod schema;
mod tool;

pub use answer::{Answer, Json, Output};
pub use failure::Failure;
pub use host::{Context, Metered, meter, progress, required_setting, setting};
pub use tool::{Handler, NoArguments, Tool};

#[doc(hidden)]
pub use tool::{call, list};

/// Makes the crate a plugin with the tools that a function of no arguments gives, in the order they are to be listed:
/// `coinop_plugin::export!(tools);` with `fn tools() -> Vec<Tool>`.
///
/// The function is run for every call: it only names things, and works nothing out.
#[macro_export]
macro_rules! export {
    ($tools:path) => {
        const _: () = {
            struct Plugin;

            impl $crate::bindings::exports::coinop::plugin::tools::Guest for Plugin {
                fn list_tools() -> Vec<$crate::bindings::coinop::plugin::tool_types::Tool> {
                    $crate::list($tools())
                }

                fn call_tool(
                    name: String,
                    arguments: String,
                    context: $crate::bindings::coinop::plugin::tool_types::Context,
                ) -> Result<
                    $crate::bindings::coinop::plugin::tool_types::Output,
                    $crate::bindings::coinop::plugin::tool_types::Failure,
                > {
                    $crate::call($tools(), &name, &arguments, context)
                }
            }

    $crate::bindings::export_bindings!(Plugin with_types_in $crate::bindings);
        };
    };
}
