// Package tools holds the tools of {{name}}.
package tools

import (
	"fmt"
	"strings"

	"{{name}}/coinop"
)

// All is what the plugin offers, in the order it is listed.
var All = []coinop.Tool{{
	Name:        "{{identifier}}",
	Description: "Greets somebody by name.",
	InputSchema: `{
		"type": "object",
		"properties": {"name": {"type": "string", "description": "Who is greeted."}},
		"required": ["name"],
		"additionalProperties": false
	}`,
	Amount:   "0.01",
	Currency: "USD",
	Pure:     true,
	Run:      coinop.Func(greet),
}}

type greeting struct {
	Name string `json:"name"`
}

func greet(arguments greeting, _ coinop.Context) (coinop.Output, error) {
	name := strings.TrimSpace(arguments.Name)
	if name == "" {
		return coinop.Output{}, coinop.Invalid("`name` is empty: say who is greeted")
	}
	word, set := coinop.Setting("greeting")
	if !set {
		word = "Hello"
	}
	return coinop.Output{Text: fmt.Sprintf("%s, %s!", word, name)}, nil
}
