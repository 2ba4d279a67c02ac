// Package axis decides where an axis begins and ends, and which places on it are marked. Pure arithmetic: it knows
// nothing of pixels.
package axis

import "math"

// Axis is one axis.
type Axis struct {
	From, To float64
	Log      bool
	Ticks    []Tick
}

// Tick is a marked place.
type Tick struct {
	At    float64
	Label string
	// Under stands in a second line: the larger unit that begins here, such as the year.
	Under string
}

// Fraction gives where a value stands: 0 at the axis' begin, 1 at its end.
func (a Axis) Fraction(value float64) float64 {
	if a.Log {
		return (math.Log10(value) - math.Log10(a.From)) / (math.Log10(a.To) - math.Log10(a.From))
	}
	return (value - a.From) / (a.To - a.From)
}

// Linear is an axis for values from low to high with about count ticks, that ends at ticks.
func Linear(low, high float64, count int) Axis {
	low, high, step := apart(low, high, count)
	axis := Axis{From: math.Floor(low/step) * step, To: math.Ceil(high/step) * step}
	axis.mark(step, true)
	return axis
}

// Snug is Linear that ends where the values do, for an x axis. Whole numbers are counted: no tick stands between them,
// and those that can be years are written as such.
func Snug(low, high float64, count int, whole bool) Axis {
	if whole && low == high {
		low, high = low-1, high+1
	}
	low, high, step := apart(low, high, count)
	if whole {
		step = max(step, 1)
	}
	axis := Axis{From: low, To: high}
	axis.mark(step, !(whole && low >= yearMin && high <= yearMax))
	return axis
}

// What can be years.
const yearMin, yearMax = 1000, 2999

// apart makes room where there is but one value, and gives the distance of ticks.
func apart(low, high float64, count int) (from, to, step float64) {
	if scale := max(math.Abs(low), math.Abs(high)); high-low <= scale*1e-11 {
		// One value, or as good as one: it stands in the middle.
		spread := scale / 10
		if spread == 0 {
			spread = 1
		}
		low, high = low-spread, high+spread
	}
	return low, high, niceStep((high - low) / float64(max(count, 1)))
}

// mark puts the ticks on an axis. A place that misses the end by a rounding error is on it.
func (a *Axis) mark(step float64, thousands bool) {
	first, last := math.Ceil(a.From/step-1e-9), math.Floor(a.To/step+1e-9)
	for at := first; at <= last; at++ {
		a.Ticks = append(a.Ticks, Tick{At: at * step})
	}
	label(a.Ticks, step, thousands)
}

// niceStep is the least of 1, 2 and 5 times a power of ten that is not below step.
func niceStep(step float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(step)))
	for _, nice := range []float64{1, 2, 5} {
		if step <= nice*power*(1+1e-9) {
			return nice * power
		}
	}
	return 10 * power
}

// Log is a logarithmic axis for values above zero with about count ticks: powers of ten, and between them 2 and 5 where
// there is room.
func Log(low, high float64, count int) Axis {
	first, last := math.Floor(math.Log10(low)), math.Ceil(math.Log10(high))
	if first == last {
		last++
	}
	var places []float64
	for power := first; power <= last; power++ {
		for _, digit := range []float64{1, 2, 5} {
			places = append(places, digit*math.Pow(10, power))
		}
	}
	axis := Axis{Log: true, From: places[0], To: places[len(places)-3]}
	// Ends at the marked places nearest to the values.
	for _, place := range places {
		if place <= low*(1+1e-9) {
			axis.From = place
		}
	}
	for at := len(places) - 1; at >= 0; at-- {
		if places[at] >= high*(1-1e-9) && places[at] > axis.From {
			axis.To = places[at]
		}
	}
	decades := math.Log10(axis.To / axis.From)
	every := max(1, math.Ceil(decades/float64(max(count, 1))))
	for at, place := range places {
		power := first + float64(at/3)
		isPower := at%3 == 0
		wanted := isPower && math.Mod(power-first, every) == 0 || !isPower && decades*3 <= float64(count)+1
		if wanted && place >= axis.From*(1-1e-9) && place <= axis.To*(1+1e-9) {
			axis.Ticks = append(axis.Ticks, Tick{At: place, Label: Text(place)})
		}
	}
	return axis
}
