package draw

import (
	"math"

	"chart/data"
	"chart/paint"
)

// markedMax is up to how many points of a line are marked: more would be a string of beads.
const markedMax = 40

// lines paints a line for each series, broken where there is a gap.
func (s *sketch) lines(p plane) {
	// The first series is the most important: it is painted last.
	for at := len(s.Series) - 1; at >= 0; at-- {
		points := s.Series[at].Points
		for from := 0; from < len(points); from++ {
			to := from
			for to < len(points) && points[to].Y == points[to].Y {
				to++
			}
			s.run(p, at, points[from:to], len(points) <= markedMax)
			from = to
		}
	}
}

// run paints one unbroken part of a line. A lone point is marked, or it would not be seen.
func (s *sketch) run(p plane, series int, points []data.Point, marked bool) {
	spots := make([]paint.Spot, len(points))
	for at, point := range points {
		spots[at] = p.at(point)
	}
	if len(spots) == 0 {
		return
	}
	// In parts: a shape as large as the plot with thousands of corners is slower than many small ones.
	const part = 64
	for from := 0; from < len(spots); from += part {
		s.canvas.Fill(paint.Stroke(2.4*s.unit, spots[from:min(from+part+1, len(spots))]...), s.of(series))
	}
	if !marked && len(spots) > 1 {
		return
	}
	for _, spot := range spots {
		s.canvas.Fill(paint.Disc(spot, 5*s.unit), s.paper)
		s.canvas.Fill(paint.Disc(spot, 3.6*s.unit), s.of(series))
	}
}

// dots paints a mark for each point; where many lie upon each other it gets darker.
func (s *sketch) dots(p plane) {
	count := 0
	for _, series := range s.Series {
		count += len(series.Points)
	}
	radius, alpha := 5*s.unit, 0.85
	if count > 300 {
		shrunk := max(0.45, math.Sqrt(300/float64(count)))
		radius, alpha = radius*shrunk, 0.6
	}
	for at, series := range s.Series {
		for _, point := range series.Points {
			if point.Y == point.Y {
				s.canvas.Fill(marker(at, p.at(point), radius), through(s.of(at), alpha))
			}
		}
	}
}

// marker is the shape of a series' dots: shapes differ as colours do, for those who tell these apart badly.
func marker(series int, centre paint.Spot, radius float64) paint.Path {
	corners := func(count int, size, turn float64) paint.Path {
		var spots []paint.Spot
		for at := range count {
			sin, cos := math.Sincos((float64(at)/float64(count) + turn) * 2 * math.Pi)
			spots = append(spots, paint.Spot{X: centre.X + size*sin, Y: centre.Y - size*cos})
		}
		return paint.Polygon(spots...)
	}
	switch series % 4 {
	case 1:
		return corners(4, radius*1.25, 0.125)
	case 2:
		return corners(3, radius*1.35, 0)
	case 3:
		return corners(4, radius*1.3, 0)
	}
	return paint.Disc(centre, radius)
}
