package axis

import (
	"math"
	"time"
)

// Seconds of the units that have a fixed length.
const (
	minuteS = 60
	hourS   = 60 * minuteS
	dayS    = 24 * hourS
)

// stride is a distance between ticks, in one unit of the calendar.
type stride struct {
	seconds, months int
	// label is how a tick is written, under what stands beneath the first one and wherever it changes.
	label, under string
}

// strides from short to long. Years beyond the last are made by niceStep.
var strides = []stride{
	{1, 0, "15:04:05", "2 Jan 2006"}, {5, 0, "15:04:05", "2 Jan 2006"}, {15, 0, "15:04:05", "2 Jan 2006"},
	{30, 0, "15:04:05", "2 Jan 2006"}, {minuteS, 0, "15:04", "2 Jan 2006"}, {5 * minuteS, 0, "15:04", "2 Jan 2006"},
	{15 * minuteS, 0, "15:04", "2 Jan 2006"}, {30 * minuteS, 0, "15:04", "2 Jan 2006"},
	{hourS, 0, "15:04", "2 Jan 2006"}, {3 * hourS, 0, "15:04", "2 Jan 2006"}, {6 * hourS, 0, "15:04", "2 Jan 2006"},
	{12 * hourS, 0, "15:04", "2 Jan 2006"}, {dayS, 0, "2 Jan", "2006"}, {2 * dayS, 0, "2 Jan", "2006"},
	{7 * dayS, 0, "2 Jan", "2006"}, {14 * dayS, 0, "2 Jan", "2006"}, {0, 1, "Jan", "2006"}, {0, 3, "Jan", "2006"},
	{0, 6, "Jan", "2006"}, {0, 12, "2006", ""},
}

// mondayS is a Monday, from which weeks are counted, in seconds since 1970.
const mondayS = 4 * dayS

// Dates is an axis from low to high, seconds since 1970 in UTC, with at most count ticks at round places of the calendar.
func Dates(low, high float64, count int) Axis {
	if high <= low {
		low, high = low-dayS/2, high+dayS/2
	}
	chosen := strideFor((high - low) / float64(max(count, 1)))
	axis := Axis{From: low, To: high}
	under := ""
	for at := chosen.first(low); at <= high; at = chosen.next(at) {
		moment := time.Unix(int64(at), 0).UTC()
		tick := Tick{At: at, Label: moment.Format(chosen.label)}
		if now := moment.Format(chosen.under); now != under {
			under, tick.Under = now, now
		}
		axis.Ticks = append(axis.Ticks, tick)
	}
	return axis
}

// strideFor is the shortest stride of at least that many seconds.
func strideFor(seconds float64) stride {
	const monthS = 30.44 * dayS
	for _, stride := range strides {
		if float64(stride.seconds)+float64(stride.months)*monthS >= seconds {
			return stride
		}
	}
	years := max(2, niceStep(seconds/(12*monthS)))
	return stride{months: 12 * int(years), label: "2006"}
}

// first is the first tick that is not before at.
func (s stride) first(at float64) float64 {
	if s.months == 0 {
		length := float64(s.seconds)
		origin := 0.0
		if s.seconds%(7*dayS) == 0 {
			origin = mondayS
		}
		return origin + math.Ceil((at-origin)/length)*length
	}
	moment := time.Unix(int64(math.Ceil(at)), 0).UTC()
	months := moment.Year()*12 + int(moment.Month()) - 1
	begin := monthBegin(months - months%s.months)
	if begin < at {
		return s.next(begin)
	}
	return begin
}

func (s stride) next(at float64) float64 {
	if s.months == 0 {
		return at + float64(s.seconds)
	}
	moment := time.Unix(int64(at), 0).UTC()
	return monthBegin(moment.Year()*12 + int(moment.Month()) - 1 + s.months)
}

// monthBegin is the begin of a month counted from the year 0.
func monthBegin(months int) float64 {
	return float64(time.Date(months/12, time.Month(months%12+1), 1, 0, 0, 0, 0, time.UTC).Unix())
}
