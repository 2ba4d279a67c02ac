package data

import "fmt"

// Kind is how a chart is drawn.
type Kind string

// The kinds there are.
const (
	Line    Kind = "line"
	Bar     Kind = "bar"
	Scatter Kind = "scatter"
	Pie     Kind = "pie"
)

// XKind is what stands on the x axis.
type XKind string

// The kinds there are.
const (
	Category XKind = "category"
	Number   XKind = "number"
	Date     XKind = "date"
)

// Chart is a request that can be drawn.
type Chart struct {
	Kind                            Kind
	Title, Subtitle, XTitle, YTitle string
	XKind                           XKind
	// Categories are the names on the x axis, or of a pie's slices; empty for the other kinds of x.
	Categories []string
	Series     []Series
	LogX, LogY bool
	Stacked    bool
	Dark       bool
	// Width and Height are in pixels.
	Width, Height int
	// Notes tell the caller what was done to the data.
	Notes []string
}

// Series is one line, one colour of bars or dots, or the slices of a pie.
type Series struct {
	Name   string
	Points []Point
}

// Point is one value. X is an index into the categories, a number, or seconds since 1970. Y is NaN where there is a gap.
type Point struct{ X, Y float64 }

// Range gives the least and the greatest of what each point yields; ok is false when there is none. Gaps are left out.
func (c Chart) Range(of func(Point) float64) (low, high float64, ok bool) {
	for _, series := range c.Series {
		for _, point := range series.Points {
			if point.Y != point.Y {
				continue
			}
			value := of(point)
			if !ok {
				low, high, ok = value, value, true
			}
			low, high = min(low, value), max(high, value)
		}
	}
	return low, high, ok
}

// NameOf is a series' name, or its number where it has none.
func NameOf(chart Chart, series int) string {
	if name := chart.Series[series].Name; name != "" {
		return name
	}
	return fmt.Sprintf("Series %d", series+1)
}
