;; An asynchronous function is a tool; those that take futures and streams are none.
(component
  (core module $m
    (func (export "now") (result i32) (i32.const 1))
    (func (export "take") (param i32) (result i32) (local.get 0))
    (func (export "drink") (param i32 i32) (result i32) (local.get 1)))
  (core instance $i (instantiate $m))
  (func (export "now") (result u32) (canon lift (core func $i "now")))
  (func (export "later") async (result u32) (canon lift (core func $i "now")))
  (func (export "wait") (param "for" (future u32)) (result u32) (canon lift (core func $i "take")))
  (func (export "drink") (param "from" (option (stream u8))) (result u32)
    (canon lift (core func $i "drink"))))
