;; A component made for another host whose one function answers a resource, which has no form in JSON.
(component
  (type $handle' (resource (rep i32)))
  (core func $new (canon resource.new $handle'))
  (core module $m
    (import "" "new" (func $new (param i32) (result i32)))
    (func (export "make") (result i32) (call $new (i32.const 1))))
  (core instance $i (instantiate $m (with "" (instance (export "new" (func $new))))))
  (export $handle "handle" (type $handle'))
  (func (export "make") (result (own $handle)) (canon lift (core func $i "make"))))
