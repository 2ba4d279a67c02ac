package paint

import (
	"math"

	"golang.org/x/image/vector"
)

// Path is one or more closed outlines.
type Path struct{ steps []step }

// step is one piece of an outline: a move when it has one spot and begins, a line, or a curve by way of control.
type step struct {
	to, control      Spot
	begins, isCurved bool
}

// Polygon is an outline of straight lines.
func Polygon(spots ...Spot) Path {
	path := Path{steps: make([]step, 0, len(spots))}
	for at, spot := range spots {
		path.steps = append(path.steps, step{to: spot, begins: at == 0})
	}
	return path
}

// Add puts the outlines of another path to these.
func (p *Path) Add(other Path) { p.steps = append(p.steps, other.steps...) }

func (p *Path) bounds() (low, high Spot) {
	low, high = Spot{math.Inf(1), math.Inf(1)}, Spot{math.Inf(-1), math.Inf(-1)}
	for _, step := range p.steps {
		corners := []Spot{step.to, step.control}
		if !step.isCurved {
			corners = corners[:1]
		}
		for _, spot := range corners {
			low = Spot{min(low.X, spot.X), min(low.Y, spot.Y)}
			high = Spot{max(high.X, spot.X), max(high.Y, spot.Y)}
		}
	}
	return low, high
}

func (p *Path) onto(raster *vector.Rasterizer, origin Spot) {
	at := func(spot Spot) (float32, float32) { return float32(spot.X - origin.X), float32(spot.Y - origin.Y) }
	for number, step := range p.steps {
		x, y := at(step.to)
		switch {
		case step.begins:
			if number > 0 {
				raster.ClosePath()
			}
			raster.MoveTo(x, y)
		case step.isCurved:
			controlX, controlY := at(step.control)
			raster.QuadTo(controlX, controlY, x, y)
		default:
			raster.LineTo(x, y)
		}
	}
	raster.ClosePath()
}

// Disc is a circle with its inside.
func Disc(centre Spot, radius float64) Path { return Sector(centre, radius, 0, 1) }

// Sector is a slice of a circle. from and to are parts of the whole turn, clockwise from the top.
func Sector(centre Spot, radius, from, to float64) Path {
	// So many corners that none is a third of a pixel off the circle.
	corners := max(3, int(math.Ceil((to-from)*max(10, math.Sqrt(radius)*8))))
	var spots []Spot
	if to-from < 1 {
		spots = append(spots, centre)
	}
	for at := range corners + 1 {
		turn := (from + (to-from)*float64(at)/float64(corners)) * 2 * math.Pi
		spots = append(spots, Spot{centre.X + radius*math.Sin(turn), centre.Y - radius*math.Cos(turn)})
	}
	return Polygon(spots...)
}

// Stroke is a line of that width through the spots, with round corners and ends.
func Stroke(width float64, spots ...Spot) Path {
	var path Path
	half := width / 2
	for at, spot := range spots {
		path.Add(Disc(spot, half))
		if at == 0 {
			continue
		}
		from := spots[at-1]
		length := math.Hypot(spot.X-from.X, spot.Y-from.Y)
		if length == 0 {
			continue
		}
		// All of them turn as Disc does, clockwise.
		side := Spot{(spot.Y - from.Y) / length * half, -(spot.X - from.X) / length * half}
		path.Add(Polygon(
			Spot{from.X + side.X, from.Y + side.Y}, Spot{spot.X + side.X, spot.Y + side.Y},
			Spot{spot.X - side.X, spot.Y - side.Y}, Spot{from.X - side.X, from.Y - side.Y},
		))
	}
	return path
}
