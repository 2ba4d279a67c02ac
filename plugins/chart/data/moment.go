package data

import "time"

// layouts are the ways to write a moment; all of ISO 8601.
var layouts = []string{
	"2006-01-02", "2006-01", time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04",
	"2006-01-02 15:04",
}

// moment reads a date, or a date and a time, as seconds since 1970. Without a zone it is UTC. A bare year is none: it
// may as well be a name or a number.
func moment(text string) (float64, bool) {
	for _, layout := range layouts {
		if at, err := time.Parse(layout, text); err == nil {
			return float64(at.UnixMilli()) / 1000, true
		}
	}
	return 0, false
}
