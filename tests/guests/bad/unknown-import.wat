;; Asks for an interface no host of this version offers.
(component
  (import "example:bank/account@1.0.0" (instance (export "empty" (func))))
  (instance $tools)
  (export "coinop:plugin/tools@0.1.0" (instance $tools)))
