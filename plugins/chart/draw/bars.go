package draw

import (
	"chart/axis"
	"chart/paint"
)

// bars paints bars side by side, or one upon the other.
func (s *sketch) bars(p plane) {
	slot := (p.right - p.left) / float64(len(s.Categories))
	group := slot * 0.76
	width := group / float64(len(s.Series))
	if s.Stacked {
		width = min(group, 90*s.unit*2)
	}
	for category := range s.Categories {
		middle := p.left + (float64(category)+0.5)*slot
		above, below := 0.0, 0.0
		for at, series := range s.Series {
			value := series.Points[category].Y
			if value != value {
				continue
			}
			from, to := 0.0, value
			left := middle - group/2 + float64(at)*width
			switch {
			case s.Stacked && value >= 0:
				from, to, left = above, above+value, middle-width/2
				above = to
			case s.Stacked:
				from, to, left = below, below+value, middle-width/2
				below = to
			}
			s.bar(p, at, left, width, from, to)
		}
	}
	if len(s.Series) == 1 {
		s.barValues(p, slot)
	}
}

// bar paints one, a pixel apart from its neighbours where there is room for that.
func (s *sketch) bar(p plane, series int, left, width, from, to float64) {
	apart := 0.0
	if width > 6*s.unit {
		apart = s.unit / 2
	}
	s.canvas.Box(left+apart, p.height(max(from, to)), left+width-apart, p.height(min(from, to)), s.of(series))
}

// barValues writes a single series' values at the ends of its bars, where all of them fit.
func (s *sketch) barValues(p plane, slot float64) {
	size := tickSize * s.unit
	points := s.Series[0].Points
	for _, point := range points {
		if s.regular.Width(axis.Text(point.Y), size)+size/2 > slot {
			return
		}
	}
	for at, point := range points {
		if point.Y != point.Y {
			continue
		}
		end := p.height(point.Y)
		baseline := end - size*0.4
		if point.Y < 0 {
			baseline = end + size*1.1
		}
		if baseline-size < p.top-size*0.6 || baseline > p.bottom {
			continue
		}
		text := axis.Text(point.Y)
		x := p.left + (float64(at)+0.5)*slot - s.regular.Width(text, size)/2
		s.regular.Write(s.canvas, text, paint.Spot{X: x, Y: baseline}, size, 0, s.ink)
	}
}

// stackRange is how far the stacks reach below and above zero.
func (s *sketch) stackRange() (low, high float64) {
	for category := range s.Categories {
		below, above := 0.0, 0.0
		for _, series := range s.Series {
			switch value := series.Points[category].Y; {
			case value > 0:
				above += value
			case value < 0:
				below += value
			}
		}
		low, high = min(low, below), max(high, above)
	}
	return low, high
}
