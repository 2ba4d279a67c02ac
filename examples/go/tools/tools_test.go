package tools

import (
	"testing"

	"primes/coinop"
)

func TestThePrimesAreAdded(t *testing.T) {
	output, err := All[0].Run([]byte(`{"count": 10}`), coinop.Context{})
	if err != nil || output.Structured != (found{29, 129}) {
		t.Errorf("got %v, %v", output.Structured, err)
	}
}

func TestTooManyAreRefused(t *testing.T) {
	if _, err := All[0].Run([]byte(`{"count": 100001}`), coinop.Context{}); err == nil {
		t.Error("the limit was passed")
	}
}
