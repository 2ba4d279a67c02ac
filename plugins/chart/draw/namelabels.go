package draw

import (
	"math"

	"chart/axis"
	"chart/paint"
)

// slant is the angle of names that do not fit in a line.
const slant = math.Pi / 4

// nameLabels labels categories: side by side in up to three lines, else slanted, and where there are too many every second
// one, every third and so on.
func (s *sketch) nameLabels(left, right float64) xLabels {
	size, count := tickSize*s.unit, len(s.Categories)
	slot := (right - left) / float64(count)
	chosen := xLabels{axis: axis.Axis{From: -0.5, To: float64(count) - 0.5}, right: right}
	if lines, rows := s.level(slot - size*0.6); rows > 0 {
		chosen.height = gap*s.unit + size*1.3*float64(rows)
		chosen.write = func(p plane) { s.writeLevel(p, lines) }
		return chosen
	}
	every := int(math.Ceil(size * 1.9 / slot))
	reach := 0.0
	// Names may take a good quarter of the height: the values are what is to be seen.
	longest := (s.bottom - s.top) * 0.27 / math.Sin(slant)
	names := make([]string, count)
	for at := 0; at < count; at += every {
		x := left + (float64(at)+0.5)*slot
		room := min(longest, (x-2)/math.Cos(slant)-size)
		names[at] = s.regular.Cut(s.Categories[at], size, room)
		reach = max(reach, s.regular.Width(names[at], size))
	}
	chosen.height = gap*s.unit + reach*math.Sin(slant) + size*0.8
	chosen.write = func(p plane) { s.writeSlanted(p, names) }
	return chosen
}

// level breaks the names into lines no wider than a slot; rows is how many at most, or 0 where they do not fit.
func (s *sketch) level(width float64) (lines [][]string, rows int) {
	size := tickSize * s.unit
	for _, name := range s.Categories {
		wrapped := s.regular.Wrap(name, size, width, 3)
		for _, line := range wrapped {
			if s.regular.Width(line, size) > width {
				return nil, 0
			}
		}
		// A name that had to be cut is better slanted.
		if s.wasCut(name, wrapped) {
			return nil, 0
		}
		lines, rows = append(lines, wrapped), max(rows, len(wrapped), 1)
	}
	return lines, rows
}

func (s *sketch) wasCut(name string, lines []string) bool {
	length := 0
	for _, line := range lines {
		length += len(line) + 1
	}
	return length-1 != len(name) && name != ""
}

func (s *sketch) writeLevel(p plane, lines [][]string) {
	size := tickSize * s.unit
	for at, name := range lines {
		x := p.left + p.x.Fraction(float64(at))*(p.right-p.left)
		for row, line := range name {
			s.centred(line, x, p.bottom+gap*s.unit+size*(0.85+1.3*float64(row)))
		}
	}
}

// writeSlanted lets names rise to their places, and end there.
func (s *sketch) writeSlanted(p plane, names []string) {
	size := tickSize * s.unit
	for at, name := range names {
		if name == "" {
			continue
		}
		length := s.regular.Width(name, size)
		x := p.left + p.x.Fraction(float64(at))*(p.right-p.left)
		begin := paint.Spot{
			X: x + size*0.3 - length*math.Cos(slant),
			Y: p.bottom + gap*s.unit + size*0.6 + length*math.Sin(slant),
		}
		s.regular.Write(s.canvas, name, begin, size, -slant, s.faint)
	}
}
