package data

import (
	"math"
	"sort"

	"chart/coinop"
)

// Bounds on what one chart shows: more cannot be told apart, or read.
const (
	pointsMax     = 10_000
	categoriesMax = 200
	slicesMax     = 40
	valueMax      = 1e100
)

// Parse checks a request and puts it in order. An error tells the caller what to change.
func Parse(request Request) (Chart, error) {
	chart := Chart{
		Kind:     Kind(request.Kind),
		Title:    oneLine(request.Title),
		Subtitle: oneLine(request.Subtitle),
		XTitle:   oneLine(request.XTitle),
		YTitle:   oneLine(request.YTitle),
		LogX:     request.XScale == "log",
		LogY:     request.YScale == "log",
		Stacked:  request.Stacked,
		Dark:     request.Theme == "dark",
		Width:    or(request.Width, 960),
		Height:   or(request.Height, 600),
	}
	if err := checkSizes(request); err != nil {
		return chart, err
	}
	if err := checkOptions(chart); err != nil {
		return chart, err
	}
	if err := decideX(&chart, request); err != nil {
		return chart, err
	}
	if err := fill(&chart, request); err != nil {
		return chart, err
	}
	if err := checkValues(chart); err != nil {
		return chart, err
	}
	if chart.Kind == Pie {
		return mergeSmallSlices(chart), nil
	}
	return chart, nil
}

func or(value, otherwise int) int {
	if value == 0 {
		return otherwise
	}
	return value
}

func checkSizes(request Request) error {
	count := 0
	for at, series := range request.Series {
		if len(series.Y) == 0 {
			return coinop.Invalid("%s is empty: give at least one number", seriesPath(at, "y"))
		}
		count += len(series.Y)
		x, where := request.X, "x"
		if series.X != nil {
			x, where = series.X, seriesPath(at, "x")
		}
		if x != nil && len(x) != len(series.Y) {
			return coinop.Invalid(
				"%s has %d values and %s has %d: every y needs its x; write null where a value is missing",
				where, len(x), seriesPath(at, "y"), len(series.Y),
			)
		}
	}
	if count > pointsMax {
		return coinop.Invalid("the series have %d values together, and a chart shows at most %d: send fewer, such as averages",
			count, pointsMax)
	}
	return nil
}

func checkOptions(chart Chart) error {
	switch {
	case chart.Stacked && chart.Kind != Bar:
		return coinop.Invalid("`stacked` is for bars: leave it out, or choose kind \"bar\"")
	case chart.Kind == Bar && chart.LogY:
		return coinop.Invalid("bars begin at zero, which a logarithmic axis does not have: choose kind \"line\" or \"scatter\"")
	case chart.Kind == Pie && (chart.LogX || chart.LogY):
		return coinop.Invalid("a pie has no axes: leave `x_scale` and `y_scale` out")
	}
	return nil
}

// decideX finds out what the x axis is, the same for all series.
func decideX(chart *Chart, request Request) error {
	shared := request.X
	chart.XKind = Number
	known := false
	for at, series := range request.Series {
		values, where := shared, "x"
		if series.X != nil {
			values, where = series.X, seriesPath(at, "x")
		}
		if values == nil {
			continue
		}
		kind, err := xKindOf(where, values)
		if err != nil {
			return err
		}
		if known && kind != chart.XKind {
			return coinop.Invalid("%s holds a %s on each place, and the series before it a %s: one axis shows one kind",
				where, kind, chart.XKind)
		}
		chart.XKind, known = kind, true
	}
	if chart.Kind == Bar || chart.Kind == Pie {
		chart.XKind = Category
	}
	switch {
	case chart.Kind == Scatter && chart.XKind == Category:
		return coinop.Invalid("dots need numbers or dates as x: choose kind \"line\" or \"bar\" for names")
	case chart.Kind == Pie && (len(request.Series) != 1 || shared == nil):
		return coinop.Invalid("a pie shows one series, whose slices are named in `x`")
	case chart.LogX && chart.XKind != Number:
		return coinop.Invalid("`x_scale` \"log\" needs numbers as x")
	}
	return nil
}

// fill takes the points over.
func fill(chart *Chart, request Request) error {
	if chart.XKind == Category {
		if err := fillCategories(chart, request); err != nil {
			return err
		}
	}
	for at, series := range request.Series {
		x := request.X
		if series.X != nil && chart.XKind != Category {
			x = series.X
		}
		taken := Series{Name: oneLine(series.Name), Points: make([]Point, len(series.Y))}
		for i, y := range series.Y {
			point := Point{X: float64(i), Y: math.NaN()}
			switch {
			case chart.XKind == Category:
			case x == nil:
				point.X = float64(i + 1)
			default:
				point.X = place(x[i])
			}
			if y != nil {
				point.Y = *y
			}
			if math.Abs(point.Y) > valueMax || math.Abs(point.X) > valueMax {
				return coinop.Invalid("%s[%d] is too large a number to be drawn", seriesPath(at, "y"), i)
			}
			taken.Points[i] = point
		}
		if chart.Kind == Line {
			// A line that runs back and forth is never what was meant.
			sort.SliceStable(taken.Points, func(a, b int) bool { return taken.Points[a].X < taken.Points[b].X })
		}
		chart.Series = append(chart.Series, taken)
	}
	return nil
}

// fillCategories names the places of the axis; all series share them.
func fillCategories(chart *Chart, request Request) error {
	count, most := 0, categoriesMax
	if chart.Kind == Pie {
		most = slicesMax
	}
	for at, series := range request.Series {
		if series.X != nil {
			return coinop.Invalid("%s: names on the x axis are shared, so write them once, as the chart's `x`", seriesPath(at, "x"))
		}
		if at > 0 && len(series.Y) != count {
			return coinop.Invalid("%s has %d values and the series before it %d: write null where a value is missing",
				seriesPath(at, "y"), len(series.Y), count)
		}
		count = len(series.Y)
	}
	if count > most {
		return coinop.Invalid("there are %d names on the x axis, and this kind of chart shows at most %d", count, most)
	}
	chart.Categories = names(request.X)
	if request.X == nil {
		for i := range count {
			chart.Categories = append(chart.Categories, names([]any{float64(i + 1)})...)
		}
	}
	return nil
}

// checkValues refuses what its axis cannot show.
func checkValues(chart Chart) error {
	if _, _, any := chart.Range(func(p Point) float64 { return p.Y }); !any {
		return coinop.Invalid("every value is null: there is nothing to draw")
	}
	sum := 0.0
	for at, series := range chart.Series {
		for i, point := range series.Points {
			switch {
			case chart.LogY && point.Y <= 0:
				return coinop.Invalid("%s[%d] is %g: a logarithmic axis shows numbers above zero only", seriesPath(at, "y"), i, point.Y)
			case chart.LogX && point.X <= 0:
				return coinop.Invalid("an x of %s is %g: a logarithmic axis shows numbers above zero only", seriesPath(at, "y"), point.X)
			case chart.Kind == Pie && point.Y < 0:
				return coinop.Invalid("%s[%d] is %g: a pie shows parts of a whole, none of them negative", seriesPath(at, "y"), i, point.Y)
			}
			if point.Y == point.Y {
				sum += point.Y
			}
		}
	}
	if chart.Kind == Pie && sum <= 0 {
		return coinop.Invalid("the slices are all zero: there is no whole to divide")
	}
	return nil
}
