;; A valid component of another world: it exports a type, and neither functions nor tools.
(component
  (type $t u32)
  (export "answer" (type $t)))
