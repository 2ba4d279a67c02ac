package draw

import (
	"math"

	"chart/axis"
	"chart/data"
	"chart/paint"
)

// plane is the part of the picture between the axes.
type plane struct {
	left, top, right, bottom float64
	x, y                     axis.Axis
}

// at is where a point stands.
func (p plane) at(point data.Point) paint.Spot {
	return paint.Spot{
		X: p.left + p.x.Fraction(point.X)*(p.right-p.left),
		Y: p.height(point.Y),
	}
}

// height is where a value of the y axis stands.
func (p plane) height(value float64) float64 {
	return p.bottom - p.y.Fraction(value)*(p.bottom-p.top)
}

// plot paints the axes and what stands between them.
func (s *sketch) plot() {
	size := tickSize * s.unit
	if s.XTitle != "" {
		s.bottom -= textSize*s.unit + gap*s.unit
	}
	if s.YTitle != "" {
		s.left += textSize*s.unit + gap*s.unit
	}
	// The topmost label of the y axis stands half above it.
	s.top += size * 0.6
	// How high the plot is depends on the x labels, those on its width, and that on the y labels: first a guess.
	y := s.yAxis(s.bottom - s.top - 2*size)
	left := s.left + s.widest(y) + gap*s.unit
	labels := s.xLabels(left, s.right)
	bottom := s.bottom - labels.height
	p := plane{left: math.Round(left), top: math.Round(s.top), right: math.Round(labels.right), bottom: math.Round(bottom)}
	p.x, p.y = labels.axis, y
	s.grid(p)
	switch s.Kind {
	case data.Bar:
		s.bars(p)
		s.base(p)
	case data.Line:
		s.base(p)
		s.lines(p)
	default:
		s.base(p)
		s.dots(p)
	}
	labels.write(p)
	s.axisTitles(p)
}

// axisTitles paints the titles at the very left and the very bottom, in the middle of their axes.
func (s *sketch) axisTitles(p plane) {
	size := textSize * s.unit
	if s.YTitle != "" {
		title := s.regular.Cut(s.YTitle, size, float64(s.Height)-4)
		middle, half := (p.top+p.bottom)/2, s.regular.Width(title, size)/2
		from := min(max(middle+half, 2*half+2), float64(s.Height)-2)
		s.regular.Write(s.canvas, title, paint.Spot{X: (margin + textSize*0.8) * s.unit, Y: from}, size, -math.Pi/2, s.faint)
	}
	if s.XTitle != "" {
		title := s.regular.Cut(s.XTitle, size, float64(s.Width)-4)
		middle, half := (p.left+p.right)/2, s.regular.Width(title, size)/2
		from := max(2, min(middle-half, float64(s.Width)-2*half-2))
		y := float64(s.Height) - (margin+textSize*0.1)*s.unit
		s.regular.Write(s.canvas, title, paint.Spot{X: from, Y: y}, size, 0, s.faint)
	}
}

// yAxis is the axis of the values for a plot of that height.
func (s *sketch) yAxis(height float64) axis.Axis {
	count := int(max(2, min(10, height/(46*s.unit))))
	low, high, _ := s.Range(func(p data.Point) float64 { return p.Y })
	if s.Stacked {
		low, high = s.stackRange()
	}
	if s.LogY {
		return axis.Log(low, high, count)
	}
	// Bars begin at zero; other values too, where that costs them little of their height.
	if s.Kind == data.Bar || (low > 0 && low < high/3) {
		low = min(low, 0)
	}
	if s.Kind == data.Bar || (high < 0 && high > low/3) {
		high = max(high, 0)
	}
	if s.Kind == data.Bar && len(s.Series) == 1 {
		// Room for the values at the ends of the bars.
		low, high = low*1.04, high*1.04
	}
	return axis.Linear(low, high, count)
}

func (s *sketch) widest(y axis.Axis) float64 {
	widest := 0.0
	for _, tick := range y.Ticks {
		widest = max(widest, s.regular.Width(tick.Label, tickSize*s.unit))
	}
	return widest
}

// grid paints the lines at the ticks, and the y axis' labels.
func (s *sketch) grid(p plane) {
	size := tickSize * s.unit
	for _, tick := range p.y.Ticks {
		y := p.height(tick.At)
		s.canvas.Across(p.left, p.right, y, s.unit, s.theme.grid)
		at := paint.Spot{X: p.left - gap*s.unit - s.regular.Width(tick.Label, size), Y: y + size*0.36}
		s.regular.Write(s.canvas, tick.Label, at, size, 0, s.faint)
	}
	if s.XKind == data.Category {
		return
	}
	for _, tick := range p.x.Ticks {
		s.canvas.Down(p.at(data.Point{X: tick.At, Y: p.y.From}).X, p.top, p.bottom, s.unit, s.theme.grid)
	}
}

// base paints the line that values are measured from: zero, or the plot's lower end.
func (s *sketch) base(p plane) {
	y := p.bottom
	if !p.y.Log && p.y.From < 0 && p.y.To >= 0 {
		y = p.height(0)
	}
	s.canvas.Across(p.left, p.right, y, 1.4*s.unit, s.axis)
}
