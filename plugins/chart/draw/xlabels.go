package draw

import (
	"math"

	"chart/axis"
	"chart/data"
	"chart/paint"
)

// xLabels is how the x axis is labelled: chosen before the plot's height is known.
type xLabels struct {
	axis axis.Axis
	// right is where the plot ends, so that the last label is not clipped.
	right float64
	// height is what the labels need below the plot.
	height float64
	write  func(plane)
}

// xLabels chooses labels for a plot from left to right that do not touch each other.
func (s *sketch) xLabels(left, right float64) xLabels {
	if s.XKind == data.Category {
		return s.nameLabels(left, right)
	}
	return s.tickLabels(left, right)
}

// xAxis is the axis of numbers or dates with about count ticks.
func (s *sketch) xAxis(count int) axis.Axis {
	low, high, _ := s.Range(func(p data.Point) float64 { return p.X })
	switch {
	case s.LogX:
		return axis.Log(low, high, count)
	case s.Kind == data.Scatter:
		// Dots on the very edge would be cut in half.
		room := (high - low) * 0.03
		low, high = low-room, high+room
	}
	if s.XKind == data.Date {
		return axis.Dates(low, high, count)
	}
	return axis.Snug(low, high, count, s.wholeX())
}

// wholeX tells whether every x is a whole number: such are counted, and not measured.
func (s *sketch) wholeX() bool {
	for _, series := range s.Series {
		for _, point := range series.Points {
			if point.X != math.Trunc(point.X) {
				return false
			}
		}
	}
	return true
}

// tickLabels tries fewer and fewer ticks until their labels fit.
func (s *sketch) tickLabels(left, right float64) xLabels {
	size := tickSize * s.unit
	for count := 12; ; count-- {
		chosen := xLabels{axis: s.xAxis(count), right: right, height: size*1.2 + gap*s.unit}
		hasUnder := false
		for _, tick := range chosen.axis.Ticks {
			hasUnder = hasUnder || tick.Under != ""
			over := left + chosen.axis.Fraction(tick.At)*(right-left) + s.regular.Width(tick.Label, size)/2 - s.right
			chosen.right = min(chosen.right, right-max(0, over))
		}
		if hasUnder {
			chosen.height += size * 1.3
		}
		p := plane{left: left, right: chosen.right, x: chosen.axis}
		if count > 1 && s.touch(p) {
			continue
		}
		chosen.write = s.writeTicks
		return chosen
	}
}

// touch tells whether labels would stand closer than a blank.
func (s *sketch) touch(p plane) bool {
	size := tickSize * s.unit
	end := math.Inf(-1)
	for _, tick := range p.x.Ticks {
		half := s.regular.Width(tick.Label, size) / 2
		x := p.left + p.x.Fraction(tick.At)*(p.right-p.left)
		if x-half < end+size {
			return true
		}
		end = x + half
	}
	return false
}

func (s *sketch) writeTicks(p plane) {
	size := tickSize * s.unit
	end := math.Inf(-1)
	for _, tick := range p.x.Ticks {
		x := p.left + p.x.Fraction(tick.At)*(p.right-p.left)
		s.canvas.Down(x, p.bottom, p.bottom+4*s.unit, s.unit, s.theme.axis)
		baseline := p.bottom + gap*s.unit + size*0.85
		s.centred(tick.Label, x, baseline)
		// What stands under is wider; where it would touch the one before, that one says enough.
		width := s.regular.Width(tick.Under, size)
		from := max(2, min(x-width/2, float64(s.Width)-width-2))
		if tick.Under != "" && from > end+size/2 {
			s.regular.Write(s.canvas, tick.Under, paint.Spot{X: from, Y: baseline + size*1.3}, size, 0, s.faint)
			end = from + width
		}
	}
}

func (s *sketch) centred(text string, x, baseline float64) {
	size := tickSize * s.unit
	s.regular.Write(s.canvas, text, paint.Spot{X: x - s.regular.Width(text, size)/2, Y: baseline}, size, 0, s.faint)
}
