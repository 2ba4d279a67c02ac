// Package coinop is what a tool is made of: a name, a price and a function. It knows nothing of WebAssembly, so that
// tools are tested like any other Go.
package coinop

import (
	"encoding/json"
	"fmt"
)

// Tool is one tool.
type Tool struct {
	// Name is what callers use: 1 to 64 of A-Z a-z 0-9 _ - .
	Name string
	// Description is for a model that decides whether to call it.
	Description string
	// InputSchema is the JSON Schema of the arguments, an object. The host checks them by it before anybody pays.
	InputSchema string
	// OutputSchema is the JSON Schema of Output.Structured, where there always is such.
	OutputSchema string
	// Amount is what a call costs, such as "0.01". "" leaves it to the operator, "0" is free.
	Amount string
	// Currency is an ISO 4217 code.
	Currency string
	// Pure says that a run changes nothing outside the plugin: one that was cut short is started again.
	Pure bool
	// Run answers a call. An error is told to the caller and not charged; a panic is not told.
	Run func(arguments []byte, context Context) (Output, error)
}

// Context is what the host tells a run.
type Context struct {
	// CallID is the same when a run is started again: an idempotency key towards other services.
	CallID string
	// RemainingMS is the wall-clock time that is left, milliseconds.
	RemainingMS uint32
}

// Output is an answer. It is delivered and charged.
type Output struct {
	// Text is for the model and the person.
	Text string
	// Images are shown after it.
	Images []Image
	// Structured is written as JSON; an object, or nil.
	Structured any
}

// Image is a picture.
type Image struct {
	// Data is the file's bytes.
	Data []byte
	// MimeType is such as "image/png".
	MimeType string
}

// Kind says whose fault a failure is.
type Kind int

const (
	// Failed is the tool's, and what every other error means.
	Failed Kind = iota
	// InvalidArguments is the caller's.
	InvalidArguments
	// Unavailable is nobody's: trying later may help.
	Unavailable
)

// Failure is an error with a kind.
type Failure struct {
	Kind    Kind
	Message string
}

func (f Failure) Error() string { return f.Message }

// Invalid says that the arguments match the schema and are still wrong: which one, and why.
func Invalid(format string, values ...any) error {
	return Failure{InvalidArguments, fmt.Sprintf(format, values...)}
}

// Func makes a Run of a function of typed arguments.
func Func[A any](function func(A, Context) (Output, error)) func([]byte, Context) (Output, error) {
	return func(text []byte, context Context) (Output, error) {
		var arguments A
		if err := json.Unmarshal(text, &arguments); err != nil {
			return Output{}, Invalid("%v", err)
		}
		return function(arguments, context)
	}
}
