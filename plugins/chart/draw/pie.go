package draw

import (
	"image/color"
	"math"
	"strconv"

	"chart/axis"
	"chart/paint"
)

// pie paints the slices at the left, and their names at the right: names beside slices would touch each other.
func (s *sketch) pie() {
	points := s.Series[0].Points
	sum := 0.0
	for _, point := range points {
		sum += point.Y
	}
	radius := min((s.bottom-s.top)/2, (s.right-s.left)*0.29)
	centre := paint.Spot{X: s.left + radius + (s.right-s.left)*0.02, Y: (s.top + s.bottom) / 2}
	from := 0.0
	for at, point := range points {
		to := from + point.Y/sum
		s.canvas.Fill(paint.Sector(centre, radius, from, to), s.of(at))
		from = to
	}
	s.cuts(centre, radius, sum)
	from = 0
	for at, point := range points {
		s.share(at, centre, radius, from, point.Y/sum)
		from += point.Y / sum
	}
	s.sliceNames(centre.X+radius+(s.right-s.left)*0.06, sum)
}

// cuts parts the slices.
func (s *sketch) cuts(centre paint.Spot, radius, sum float64) {
	points := s.Series[0].Points
	if len(points) < 2 {
		return
	}
	turn := 0.0
	for _, point := range points {
		sin, cos := math.Sincos(turn * 2 * math.Pi)
		edge := paint.Spot{X: centre.X + (radius+s.unit)*sin, Y: centre.Y - (radius+s.unit)*cos}
		s.canvas.Fill(paint.Stroke(1.6*s.unit, centre, edge), s.paper)
		turn += point.Y / sum
	}
}

// share writes a slice's part of the whole into it, where it fits.
func (s *sketch) share(at int, centre paint.Spot, radius, from, part float64) {
	size := textSize * s.unit
	text := percent(part)
	width := s.bold.Width(text, size)
	distance := radius * 0.68
	if part < 1 && 2*distance*math.Sin(min(part, 0.5)*math.Pi) < width*1.15 {
		return
	}
	if part >= 0.999 {
		distance = 0
	}
	sin, cos := math.Sincos((from + part/2) * 2 * math.Pi)
	spot := paint.Spot{X: centre.X + distance*sin - width/2, Y: centre.Y - distance*cos + size*0.36}
	s.bold.Write(s.canvas, text, spot, size, 0, on(s.of(at)))
}

// sliceNames lists the slices with their values from x to the right.
func (s *sketch) sliceNames(x, sum float64) {
	size := textSize * s.unit
	points := s.Series[0].Points
	height := min(size*2, (s.bottom-s.top)/float64(len(points)))
	y := (s.top+s.bottom)/2 - height*float64(len(points))/2 + height/2
	rows := make([]sliceRow, len(points))
	var valueWidth, percentWidth, nameWidth float64
	for at, point := range points {
		rows[at] = sliceRow{s.Categories[at], axis.Text(point.Y), percent(point.Y / sum)}
		nameWidth = max(nameWidth, s.regular.Width(rows[at].name, size))
		valueWidth = max(valueWidth, s.regular.Width(rows[at].value, size))
		percentWidth = max(percentWidth, s.regular.Width(rows[at].percent, size))
	}
	// The columns stand behind the longest name, as near as the room allows. Where it allows too little for the names, the
	// values give way: the summary tells them.
	apart, name := 2*gap*s.unit, x+22*s.unit
	values := valueWidth + apart
	if name+nameWidth+apart+values+percentWidth > s.right && s.right-name-apart-values-percentWidth < 12*size {
		values = 0
	}
	end := min(name+nameWidth+apart+values+percentWidth, s.right)
	nameWidth = end - percentWidth - values - apart - name
	for at, row := range rows {
		s.swatch(at, paint.Spot{X: x + 7*s.unit, Y: y})
		baseline := y + size*0.36
		write := func(text string, x float64, colour color.Color) {
			s.regular.Write(s.canvas, text, paint.Spot{X: x, Y: baseline}, size, 0, colour)
		}
		write(s.regular.Cut(row.name, size, nameWidth), name, s.ink)
		if values > 0 {
			write(row.value, end-percentWidth-apart-s.regular.Width(row.value, size), s.faint)
		}
		write(row.percent, end-s.regular.Width(row.percent, size), s.faint)
		y += height
	}
}

// sliceRow is what is written of a slice.
type sliceRow struct{ name, value, percent string }

// percent writes a part of a whole with a decimal where that says more.
func percent(part float64) string {
	value := part * 100
	switch {
	case value >= 99.95 || math.Abs(value-math.Round(value)) < 0.05 && value >= 0.95:
		return strconv.FormatFloat(value, 'f', 0, 64) + "%"
	case value < 0.1:
		return "<0.1%"
	}
	return strconv.FormatFloat(value, 'f', 1, 64) + "%"
}
