// The plugin {{name}}: its tools are in the package tools.
package main

import _ "{{name}}/gen/wit_exports"

// The host calls what the component exports, and not main.
func main() {}
