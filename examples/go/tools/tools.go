// Package tools counts primes: input and output schema, progress, a setting, failure.
package tools

import (
	"fmt"
	"strconv"

	"primes/coinop"
)

// countMax bounds the work of one call where the operator sets no other limit.
const countMax = 100_000

// All is what the plugin offers, in the order it is listed.
var All = []coinop.Tool{{
	Name:        "primes",
	Description: "Finds the first primes and their sum.",
	InputSchema: `{
		"type": "object",
		"properties": {"count": {"type": "integer", "minimum": 1, "description": "How many primes."}},
		"required": ["count"],
		"additionalProperties": false
	}`,
	OutputSchema: `{
		"type": "object",
		"properties": {"last": {"type": "integer"}, "sum": {"type": "integer"}},
		"required": ["last", "sum"]
	}`,
	Amount:   "0.01",
	Currency: "USD",
	Pure:     true,
	Run:      coinop.Func(primes),
}}

type request struct {
	Count int `json:"count"`
}

type found struct {
	Last int `json:"last"`
	Sum  int `json:"sum"`
}

func primes(arguments request, _ coinop.Context) (coinop.Output, error) {
	limit, err := limit()
	if err != nil {
		return coinop.Output{}, err
	}
	if arguments.Count > limit {
		return coinop.Output{}, coinop.Invalid("`count` is more than %d", limit)
	}
	var answer found
	var known []int
	for number := 2; len(known) < arguments.Count; number++ {
		if !isPrime(number, known) {
			continue
		}
		known = append(known, number)
		answer.Last, answer.Sum = number, answer.Sum+number
		if len(known)%1000 == 0 {
			coinop.Progress(float64(len(known)), float64(arguments.Count), "searching")
		}
	}
	text := fmt.Sprintf("The first %d primes end with %d; their sum is %d.", arguments.Count, answer.Last, answer.Sum)
	return coinop.Output{Text: text, Structured: answer}, nil
}

// limit is the operator's, if it is set: an error of theirs is no fault of the caller's.
func limit() (int, error) {
	text, set := coinop.Setting("count_max")
	if !set {
		return countMax, nil
	}
	limit, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("the setting count_max is no number")
	}
	return limit, nil
}

// isPrime tries the primes below number, which are known.
func isPrime(number int, known []int) bool {
	for _, prime := range known {
		if prime*prime > number {
			break
		}
		if number%prime == 0 {
			return false
		}
	}
	return true
}
