// Package data makes a chart's numbers of what a caller sent: checked, of one kind per axis, and in order. It knows
// nothing of pictures.
package data

// Request is what a caller sends. The host has checked it by the tool's input schema.
type Request struct {
	Kind     string          `json:"kind"`
	Title    string          `json:"title"`
	Subtitle string          `json:"subtitle"`
	X        []any           `json:"x"`
	Series   []RequestSeries `json:"series"`
	XTitle   string          `json:"x_title"`
	YTitle   string          `json:"y_title"`
	XScale   string          `json:"x_scale"`
	YScale   string          `json:"y_scale"`
	Stacked  bool            `json:"stacked"`
	Theme    string          `json:"theme"`
	Width    int             `json:"width"`
	Height   int             `json:"height"`
}

// RequestSeries is one series of it.
type RequestSeries struct {
	Name string     `json:"name"`
	X    []any      `json:"x"`
	Y    []*float64 `json:"y"`
}
