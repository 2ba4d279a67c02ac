// The plugin chart: its tools are in the package tools.
package main

import _ "chart/gen/wit_exports"

// The host calls what the component exports, and not main.
func main() {}
