// The plugin primes: its tools are in the package tools.
package main

import _ "primes/gen/wit_exports"

// The host calls what the component exports, and not main.
func main() {}
