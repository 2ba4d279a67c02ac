//go:build !wasm

package coinop

// Setting finds nothing: in tests there is no host.
func Setting(string) (string, bool) { return "", false }

// Progress goes nowhere: in tests there is no host.
func Progress(done, total float64, message string) {}
