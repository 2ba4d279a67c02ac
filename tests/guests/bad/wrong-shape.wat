;; The right name, the wrong shape: tools without functions.
(component
  (instance $tools)
  (export "coinop:plugin/tools@0.1.0" (instance $tools)))
