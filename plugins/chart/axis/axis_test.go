package axis

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

func labels(axis Axis) string {
	var list []string
	for _, tick := range axis.Ticks {
		text := tick.Label
		if tick.Under != "" {
			text += "/" + tick.Under
		}
		list = append(list, text)
	}
	return strings.Join(list, " ")
}

func seconds(text string) float64 {
	at, err := time.Parse(time.DateTime, text)
	if err != nil {
		panic(err)
	}
	return float64(at.Unix())
}

func TestTicksAreRoundAndWrittenAlike(t *testing.T) {
	for _, test := range []struct {
		name, want string
		axis       Axis
	}{
		{"small", "0 2 4 6 8 10", Linear(0, 9.7, 6)},
		{"below zero", "−4 −2 0 2 4", Linear(-3.2, 3.9, 5)},
		{"decimals", "0.5 0.6 0.7 0.8 0.9 1.0", Linear(0.52, 0.97, 5)},
		{"thousands", "0 5,000 10,000", Linear(0, 9000, 3)},
		{"millions", "0 0.5M 1.0M 1.5M 2.0M", Linear(0, 1.9e6, 5)},
		{"huge", "0 1e20 2e20", Linear(0, 1.9e20, 2)},
		{"tiny", "0 5e−9 1e−8", Linear(0, 1e-8, 2)},
		{"one value", "37 38 39 40 41 42 43 44 45 46 47", Linear(42, 42, 10)},
		{"nothing", "−1.0 −0.5 0 0.5 1.0", Linear(0, 0, 4)},
		{"years", "1975 1980 1985", Snug(1971, 1986, 3, true)},
		{"no years", "5,000 10,000", Snug(2000, 10000, 2, true)},
		{"counted", "1 2 3", Snug(1, 3, 12, true)},
		{"measured", "1.0 1.5 2.0", Snug(1, 2, 2, false)},
		{"decades", "1 10 100 1,000", Log(1, 900, 4)},
		{"one decade", "1 2 5 10", Log(1.1, 9, 6)},
		{"many decades", "1e−10 0.01 1M 100T", Log(1e-10, 1e20, 4)},
		{"hours", "00:00/1 Mar 2026 12:00 00:00/2 Mar 2026 12:00", Dates(seconds("2026-03-01 00:00:00"), seconds("2026-03-02 20:00:00"), 4)},
		{"weeks begin on Mondays", "29 Dec/2025 5 Jan/2026 12 Jan", Dates(seconds("2025-12-27 00:00:00"), seconds("2026-01-15 00:00:00"), 4)},
		{"months", "Feb/2025 Mar Apr May", Dates(seconds("2025-01-15 00:00:00"), seconds("2025-05-15 00:00:00"), 4)},
		{"decades of years", "1900 1950 2000", Dates(seconds("1890-01-01 00:00:00"), seconds("2020-01-01 00:00:00"), 3)},
	} {
		if got := labels(test.axis); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

func TestEveryAxisHoldsItsValuesAndFewTicks(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		low := random.NormFloat64() * pow10(random)
		high := low + random.Float64()*pow10(random)
		count := 1 + random.IntN(12)
		for name, axis := range map[string]Axis{
			"linear": Linear(low, high, count),
			"log":    Log(1e-300+abs(low), 1e-300+abs(low)*(1+random.Float64()*1e6), count),
			"dates":  Dates(low/1e10, high/1e10, count),
		} {
			if len(axis.Ticks) > 3*count+4 || !(axis.From < axis.To) {
				t.Fatalf("%s axis from %g to %g, %d wanted: %d ticks from %g to %g",
					name, low, high, count, len(axis.Ticks), axis.From, axis.To)
			}
			for at, tick := range axis.Ticks {
				place := axis.Fraction(tick.At)
				if place < -1e-6 || place > 1+1e-6 || at > 0 && tick.At <= axis.Ticks[at-1].At {
					t.Fatalf("%s axis from %g to %g: tick %d is at %g", name, low, high, at, tick.At)
				}
				if at > 0 && tick.Label == axis.Ticks[at-1].Label && tick.Under == "" && name != "dates" {
					t.Fatalf("%s axis from %g to %g: two ticks are called %q", name, low, high, tick.Label)
				}
			}
			if name == "linear" && (axis.From > low || axis.To < high) {
				t.Fatalf("%g to %g is not within %g to %g", low, high, axis.From, axis.To)
			}
		}
	}
}

func pow10(random *rand.Rand) float64 {
	size := 1.0
	for range random.IntN(18) {
		size *= 10
	}
	return size
}

func abs(value float64) float64 { return max(value, -value) }

func TestNumbersAreWrittenForPeople(t *testing.T) {
	for value, want := range map[float64]string{
		0: "0", 42: "42", -1234.5: "−1,234.5", 0.1 + 0.2: "0.3", 3.878e6: "3.878M", 1e12: "1T", 1.5e16: "1.5e16", 1e-7: "1e−7",
		123456.789: "123,457",
	} {
		if got := Text(value); got != want {
			t.Errorf("%g: got %q, want %q", value, got, want)
		}
	}
}
