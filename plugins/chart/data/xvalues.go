package data

import (
	"fmt"
	"strconv"
	"strings"

	"chart/coinop"
)

// xKindOf tells what a list of x values is: of numbers, of dates, or of names.
func xKindOf(where string, values []any) (XKind, error) {
	strings, dates := 0, 0
	for _, value := range values {
		text, isText := value.(string)
		if !isText {
			continue
		}
		strings++
		if _, isDate := moment(text); isDate {
			dates++
		}
	}
	switch {
	case strings == 0:
		return Number, nil
	case strings < len(values):
		return "", coinop.Invalid("%s mixes numbers and texts: write all of them one way", where)
	case dates == len(values):
		return Date, nil
	case dates > 0:
		for at, value := range values {
			if _, isDate := moment(value.(string)); !isDate {
				return "", coinop.Invalid(
					"%s mixes dates and other texts: %s[%d] is %q, which is no date such as 2026-01-31 or 2026-01-31T12:00",
					where, where, at, value,
				)
			}
		}
	}
	return Category, nil
}

// place gives where on an axis of numbers or dates a value stands.
func place(value any) float64 {
	if text, isText := value.(string); isText {
		at, _ := moment(text)
		return at
	}
	return value.(float64)
}

// names gives the values as the names of categories.
func names(values []any) []string {
	list := make([]string, len(values))
	for at, value := range values {
		switch value := value.(type) {
		case string:
			list[at] = oneLine(value)
		case float64:
			list[at] = strconv.FormatFloat(value, 'f', -1, 64)
		}
	}
	return list
}

// oneLine makes any white space a single space: a picture's texts have no line breaks of their own.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// seriesPath is how an error names a part of a series.
func seriesPath(at int, part string) string { return fmt.Sprintf("series[%d].%s", at, part) }
