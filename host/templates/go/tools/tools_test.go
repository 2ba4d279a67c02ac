package tools

import (
	"testing"

	"{{name}}/coinop"
)

func TestSomebodyIsGreeted(t *testing.T) {
	output, err := All[0].Run([]byte(`{"name": " Ada "}`), coinop.Context{})
	if err != nil || output.Text != "Hello, Ada!" {
		t.Errorf("got %q, %v", output.Text, err)
	}
}

func TestNobodyIsToldSoAndNotCharged(t *testing.T) {
	if _, err := All[0].Run([]byte(`{"name": ""}`), coinop.Context{}); err == nil {
		t.Error("an empty name was greeted")
	}
}
