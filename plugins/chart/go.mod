module chart

go 1.25.0

require go.bytecodealliance.org/pkg v0.2.2

require (
	golang.org/x/image v0.42.0
	golang.org/x/text v0.38.0 // indirect
)

// What the bindings import, carried along.
replace go.bytecodealliance.org/pkg => ../../sdk/go
