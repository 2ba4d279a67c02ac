;; Grows its table until it is refused, as soon as it is instantiated, and then traps.
(component
  (core module $bomb
    (table 1 funcref)
    (func $start
      (loop $again
        (br_if $again (i32.ne (table.grow (ref.null func) (i32.const 100)) (i32.const -1))))
      unreachable)
    (func (export "nothing"))
    (start $start))
  (core instance $bombed (instantiate $bomb))
  (func $nothing (canon lift (core func $bombed "nothing")))
  (instance $tools
    (export "list-tools" (func $nothing))
    (export "call-tool" (func $nothing)))
  (export "coinop:plugin/tools@0.1.0" (instance $tools)))
