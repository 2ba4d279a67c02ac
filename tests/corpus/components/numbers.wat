;; Functions at the world's top level, with doc comments.
(component
  (core module $m
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "half") (param f64) (result f64) (f64.div (local.get 0) (f64.const 2))))
  (core instance $i (instantiate $m))
  (func (export "add") (param "left" u32) (param "right" u32) (result u32)
    (canon lift (core func $i "add")))
  (func (export "half") (param "of-it" f64) (result f64) (canon lift (core func $i "half")))
  (@custom "package-docs" "\01{\"worlds\":{\"w\":{\"func_exports\":{\"add\":{\"docs\":\"Adds two numbers.\"}}}}}"))
