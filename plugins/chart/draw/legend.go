package draw

import (
	"chart/data"
	"chart/paint"
)

// legendRowsMax bounds the room that names take from the plot.
const legendRowsMax = 3

// legend paints the names of the series in rows, and takes their room away. One series is named by the title.
func (s *sketch) legend() {
	if len(s.Series) < 2 {
		return
	}
	size, swatch, apart := textSize*s.unit, 22*s.unit, 18*s.unit
	rows := s.legendRows(swatch, apart)
	for _, row := range rows {
		x := s.left
		for _, entry := range row {
			s.swatch(entry.series, paint.Spot{X: x + 7*s.unit, Y: s.top + size/2})
			s.regular.Write(s.canvas, entry.name, paint.Spot{X: x + swatch, Y: s.top + size*0.84}, size, 0, s.ink)
			x += swatch + s.regular.Width(entry.name, size) + apart
		}
		s.top += size * 1.5
	}
	s.top += gap * s.unit / 2
}

type legendEntry struct {
	series int
	name   string
}

// legendRows breaks the names into rows; where those are too many, the longest names are cut.
func (s *sketch) legendRows(swatch, apart float64) [][]legendEntry {
	size, width := textSize*s.unit, s.right-s.left
	for nameMax := width - swatch; ; nameMax *= 0.85 {
		var rows [][]legendEntry
		x := width + 1
		for at := range s.Series {
			entry := legendEntry{at, s.regular.Cut(s.nameOf(at), size, nameMax)}
			length := swatch + s.regular.Width(entry.name, size)
			if x+length > width {
				rows, x = append(rows, nil), 0
			}
			rows[len(rows)-1] = append(rows[len(rows)-1], entry)
			x += length + apart
		}
		if len(rows) <= legendRowsMax || nameMax < 40*s.unit {
			return rows
		}
	}
}

// swatch is how a series looks in the plot.
func (s *sketch) swatch(series int, centre paint.Spot) {
	colour, reach := s.of(series), 7*s.unit
	switch s.Kind {
	case data.Line:
		from, to := paint.Spot{X: centre.X - reach, Y: centre.Y}, paint.Spot{X: centre.X + reach, Y: centre.Y}
		s.canvas.Fill(paint.Stroke(2.5*s.unit, from, to), colour)
	case data.Scatter:
		s.canvas.Fill(marker(series, centre, 5*s.unit), colour)
	default:
		half := 5.5 * s.unit
		s.canvas.Box(centre.X-half, centre.Y-half, centre.X+half, centre.Y+half, colour)
	}
}

// nameOf is a series' name, or its number where it has none.
func (s *sketch) nameOf(series int) string {
	return data.NameOf(s.Chart, series)
}
