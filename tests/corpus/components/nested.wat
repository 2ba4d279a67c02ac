;; A component within a component, linked to another one within it.
(component
  (component $inner
    (core module $m (func (export "two") (result i32) (i32.const 2)))
    (core instance $i (instantiate $m))
    (func (export "two") (result u8) (canon lift (core func $i "two"))))
  (component $outer
    (import "two" (func $two (result u8)))
    (core func $lowered (canon lower (func $two)))
    (core module $m
      (import "" "two" (func $two (result i32)))
      (func (export "four") (result i32) (i32.mul (call $two) (call $two))))
    (core instance $i (instantiate $m (with "" (instance (export "two" (func $lowered))))))
    (func (export "four") (result u8) (canon lift (core func $i "four"))))
  (instance $a (instantiate $inner))
  (instance $b (instantiate $outer (with "two" (func $a "two"))))
  (export "four" (func $b "four")))
