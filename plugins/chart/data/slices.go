package data

import (
	"fmt"
	"sort"
)

// slicesShown is how many slices of a pie can be told apart by colour.
const slicesShown = 8

// mergeSmallSlices leaves a pie's largest slices in their order and makes one of the rest. Gaps and zeros are no slices.
func mergeSmallSlices(chart Chart) Chart {
	points := chart.Series[0].Points
	var there []int
	for at, point := range points {
		if point.Y > 0 {
			there = append(there, at)
		}
	}
	if left := len(points) - len(there); left > 0 {
		chart.Notes = append(chart.Notes, fmt.Sprintf("Slices of nothing are not drawn: %d.", left))
	}
	var small []int
	if len(there) > slicesShown {
		sort.SliceStable(there, func(a, b int) bool { return points[there[a]].Y > points[there[b]].Y })
		there, small = there[:slicesShown-1], there[slicesShown-1:]
		sort.Ints(there)
	}
	var names []string
	var kept []Point
	for at, from := range there {
		names = append(names, chart.Categories[from])
		kept = append(kept, Point{float64(at), points[from].Y})
	}
	if small != nil {
		rest := Point{X: float64(len(kept))}
		for _, at := range small {
			rest.Y += points[at].Y
		}
		names, kept = append(names, "Other"), append(kept, rest)
		chart.Notes = append(chart.Notes, fmt.Sprintf("The %d smallest slices are drawn as one, called Other.", len(small)))
	}
	chart.Categories, chart.Series[0].Points = names, kept
	return chart
}
