;; A core module, as `cargo build --target wasm32-unknown-unknown` leaves it.
(module (func (export "list-tools")))
