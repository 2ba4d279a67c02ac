//! What wit-bindgen makes of the WIT. For [`export!`](crate::export) and the modules beside it, not for authors.
#![allow(missing_docs, unused_qualifications, clippy::all)]

#[cfg(not(feature = "http"))]
wit_bindgen::generate!({
    path: "../../wit",
    world: "coinop:plugin/plugin",
    generate_all,
    pub_export_macro: true,
    export_macro_name: "export_bindings",
    default_bindings_module: "coinop_plugin::bindings",
});

#[cfg(feature = "http")]
wit_bindgen::generate!({
    path: "../../wit",
    world: "coinop:plugin/plugin-with-http",
    generate_all,
    pub_export_macro: true,
    export_macro_name: "export_bindings",
    default_bindings_module: "coinop_plugin::bindings",
});
