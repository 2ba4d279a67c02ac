;; Exports the tools of a version that does not exist.
(component
  (instance $tools)
  (export "coinop:plugin/tools@9.0.0" (instance $tools)))
