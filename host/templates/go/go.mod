module {{name}}

go 1.25

require go.bytecodealliance.org/pkg v0.2.2

// What the bindings import, carried along: a build needs no network.
replace go.bytecodealliance.org/pkg => ./sdk/go
