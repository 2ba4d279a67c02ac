package axis

import (
	"math"
	"strconv"
	"strings"
)

// minus is the sign of the same width as digits' plus; a hyphen is too short.
const minus = "−"

// Text writes a number for people: at most five significant digits, thousands apart, large ones with M, B or T.
func Text(value float64) string {
	size := math.Abs(value)
	if value == 0 {
		return "0"
	}
	if size >= 1e15 || size < 1e-5 {
		return scientific(value, 3)
	}
	unit, suffix := unitOf(size)
	scaled := value / unit
	digits := 4 - int(math.Floor(math.Log10(math.Abs(scaled))))
	return trimmed(grouped(strconv.FormatFloat(scaled, 'f', min(max(digits, 0), 8), 64))) + suffix
}

// label writes the ticks of one axis alike: as many decimals as the step needs, one unit, thousands apart or not.
func label(ticks []Tick, step float64, thousands bool) {
	largest := 0.0
	for _, tick := range ticks {
		largest = max(largest, math.Abs(tick.At))
	}
	unit, suffix := unitOf(largest)
	decimals := max(0, -int(math.Floor(math.Log10(step/unit)+1e-9)))
	for at := range ticks {
		value := ticks[at].At
		switch {
		case !thousands:
			ticks[at].Label = strconv.FormatFloat(value, 'f', 0, 64)
		case math.Abs(value) < step/2:
			ticks[at].Label = "0"
		case largest >= 1e15 || largest < 1e-5:
			ticks[at].Label = scientific(value, int(math.Log10(largest/step)+1e-9)+1)
		default:
			ticks[at].Label = grouped(strconv.FormatFloat(value/unit, 'f', decimals, 64)) + suffix
		}
	}
}

func unitOf(size float64) (unit float64, suffix string) {
	switch {
	case size >= 1e15 || size < 1e6:
		return 1, ""
	case size >= 1e12:
		return 1e12, "T"
	case size >= 1e9:
		return 1e9, "B"
	}
	return 1e6, "M"
}

func scientific(value float64, digits int) string {
	text := strconv.FormatFloat(value, 'e', min(max(digits, 1), 13), 64)
	mantissa, exponent, _ := strings.Cut(text, "e")
	power, _ := strconv.Atoi(exponent)
	return strings.ReplaceAll(trimmed(mantissa)+"e"+strconv.Itoa(power), "-", minus)
}

// grouped puts commas between thousands, and a proper minus.
func grouped(text string) string {
	sign := ""
	if rest, negative := strings.CutPrefix(text, "-"); negative {
		sign, text = minus, rest
	}
	whole, fraction, _ := strings.Cut(text, ".")
	for at := len(whole) - 3; at > 0; at -= 3 {
		whole = whole[:at] + "," + whole[at:]
	}
	if fraction != "" {
		whole += "." + fraction
	}
	return sign + whole
}

// trimmed takes the zeros at the end of a fraction away.
func trimmed(text string) string {
	if !strings.Contains(text, ".") {
		return text
	}
	return strings.TrimRight(strings.TrimRight(text, "0"), ".")
}
