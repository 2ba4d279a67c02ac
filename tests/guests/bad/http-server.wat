;; What `wasmtime serve` runs, as far as its name goes.
(component
  (instance $exported)
  (export "wasi:http/incoming-handler@0.2.6" (instance $exported)))
