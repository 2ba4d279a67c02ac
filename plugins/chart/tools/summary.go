package tools

import (
	"fmt"
	"math"
	"strings"
	"time"

	"chart/axis"
	"chart/data"
)

// summary says in words what the picture shows: for a model that does not see it.
type summary struct {
	Kind   data.Kind       `json:"kind"`
	Width  int             `json:"width"`
	Height int             `json:"height"`
	X      span            `json:"x"`
	Series []seriesSummary `json:"series"`
	Slices []slice         `json:"slices,omitempty"`
	Notes  []string        `json:"notes"`
}

type span struct {
	Kind data.XKind `json:"kind"`
	From any        `json:"from"`
	To   any        `json:"to"`
}

// seriesSummary has no numbers where there is no value.
type seriesSummary struct {
	Name  string   `json:"name"`
	Count int      `json:"count"`
	Gaps  int      `json:"gaps"`
	Min   *float64 `json:"min,omitempty"`
	Max   *float64 `json:"max,omitempty"`
	Mean  *float64 `json:"mean,omitempty"`
	Sum   *float64 `json:"sum,omitempty"`
}

type slice struct {
	Name    string  `json:"name"`
	Value   float64 `json:"value"`
	Percent float64 `json:"percent"`
}

func summarise(chart data.Chart) summary {
	made := summary{
		Kind: chart.Kind, Width: chart.Width, Height: chart.Height, X: spanOf(chart),
		Notes: append([]string{}, chart.Notes...),
	}
	for at, series := range chart.Series {
		made.Series = append(made.Series, summariseSeries(data.NameOf(chart, at), series.Points))
	}
	if chart.Kind == data.Pie {
		whole := *made.Series[0].Sum
		for at, point := range chart.Series[0].Points {
			percent := math.Round(point.Y/whole*10000) / 100
			made.Slices = append(made.Slices, slice{chart.Categories[at], point.Y, percent})
		}
	}
	return made
}

func summariseSeries(name string, points []data.Point) seriesSummary {
	made := seriesSummary{Name: name}
	low, high, sum := math.Inf(1), math.Inf(-1), 0.0
	for _, point := range points {
		if point.Y != point.Y {
			made.Gaps++
			continue
		}
		made.Count++
		low, high, sum = min(low, point.Y), max(high, point.Y), sum+point.Y
	}
	if made.Count > 0 {
		mean := sum / float64(made.Count)
		made.Min, made.Max, made.Mean, made.Sum = &low, &high, &mean, &sum
	}
	return made
}

// spanOf is the first and the last place of the x axis that has a value.
func spanOf(chart data.Chart) span {
	low, high, _ := chart.Range(func(p data.Point) float64 { return p.X })
	made := span{Kind: chart.XKind, From: low, To: high}
	switch chart.XKind {
	case data.Category:
		made.From, made.To = chart.Categories[int(low)], chart.Categories[int(high)]
	case data.Date:
		made.From, made.To = written(low), written(high)
	}
	return made
}

func written(seconds float64) string {
	at := time.UnixMilli(int64(seconds * 1000)).UTC()
	if at.Truncate(24 * time.Hour).Equal(at) {
		return at.Format("2006-01-02")
	}
	return at.Format(time.RFC3339)
}

// text is the summary for people, a line for each series or slice.
func (s summary) text(chart data.Chart) string {
	lines := []string{fmt.Sprintf("A %s chart%s, %d by %d pixels.", s.Kind, titled(chart.Title), s.Width, s.Height)}
	for _, slice := range s.Slices {
		lines = append(lines, fmt.Sprintf("%s: %s (%g%%)", slice.Name, axis.Text(slice.Value), slice.Percent))
	}
	for _, series := range s.Series {
		if s.Slices != nil {
			break
		}
		lines = append(lines, series.Name+": "+series.text())
	}
	return strings.Join(append(lines, s.Notes...), "\n")
}

func (s seriesSummary) text() string {
	switch s.Count {
	case 0:
		return "no value"
	case 1:
		return "one value, " + axis.Text(*s.Min)
	}
	return fmt.Sprintf("%d values from %s to %s, mean %s", s.Count, axis.Text(*s.Min), axis.Text(*s.Max), axis.Text(*s.Mean))
}

func titled(title string) string {
	if title == "" {
		return ""
	}
	return fmt.Sprintf(" %q", title)
}
