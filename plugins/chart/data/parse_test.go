package data

import (
	"encoding/json"
	"strings"
	"testing"
)

func parse(t *testing.T, text string) (Chart, error) {
	t.Helper()
	var request Request
	if err := json.Unmarshal([]byte(text), &request); err != nil {
		t.Fatal(err)
	}
	return Parse(request)
}

func TestWhatCannotBeDrawnIsToldWithItsPlace(t *testing.T) {
	for text, words := range map[string]string{
		`{"kind":"line","x":[1,2],"series":[{"y":[1]}]}`:                            "x has 2 values and series[0].y has 1",
		`{"kind":"line","series":[{"y":[1]},{"x":[1],"y":[1,2]}]}`:                  "series[1].x has 1",
		`{"kind":"line","x":[1,"a"],"series":[{"y":[1,2]}]}`:                        "mixes numbers and texts",
		`{"kind":"line","x":["2026-01-01","soon"],"series":[{"y":[1,2]}]}`:          "x[1] is \"soon\"",
		`{"kind":"line","series":[{"x":[1],"y":[1]},{"x":["2026-01-01"],"y":[1]}]}`: "one axis shows one kind",
		`{"kind":"line","series":[{"x":["a"],"y":[1]}]}`:                            "write them once",
		`{"kind":"line","series":[{"y":[null,null]}]}`:                              "nothing to draw",
		`{"kind":"line","y_scale":"log","series":[{"y":[3,0]}]}`:                    "series[0].y[1] is 0",
		`{"kind":"line","x_scale":"log","x":["2026-01-01"],"series":[{"y":[3]}]}`:   "needs numbers",
		`{"kind":"scatter","x_scale":"log","x":[-1],"series":[{"y":[3]}]}`:          "is -1",
		`{"kind":"bar","y_scale":"log","series":[{"y":[3]}]}`:                       "bars begin at zero",
		`{"kind":"bar","series":[{"y":[3]},{"y":[3,4]}]}`:                           "write null where",
		`{"kind":"line","stacked":true,"series":[{"y":[3]}]}`:                       "`stacked` is for bars",
		`{"kind":"scatter","x":["a"],"series":[{"y":[3]}]}`:                         "dots need numbers or dates",
		`{"kind":"pie","series":[{"y":[3]}]}`:                                       "named in `x`",
		`{"kind":"pie","x":["a"],"series":[{"y":[3]},{"y":[3]}]}`:                   "one series",
		`{"kind":"pie","x":["a","b"],"series":[{"y":[3,-1]}]}`:                      "none of them negative",
		`{"kind":"pie","x":["a"],"series":[{"y":[0]}]}`:                             "no whole",
		`{"kind":"pie","x":["a"],"y_scale":"log","series":[{"y":[1]}]}`:             "no axes",
		`{"kind":"line","series":[{"y":[1e200]}]}`:                                  "too large",
		`{"kind":"bar","series":[{"y":[` + strings.Repeat("1,", 200) + `1]}]}`:      "at most 200",
		`{"kind":"line","series":[{"y":[` + strings.Repeat("1,", 10_000) + `1]}]}`:  "at most 10000",
	} {
		if _, err := parse(t, text); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%.80s: %q is not in %v", text, words, err)
		}
	}
}

func TestXIsWhatAllItsValuesAre(t *testing.T) {
	for text, want := range map[string]XKind{
		`{"kind":"line","series":[{"y":[1,2]}]}`:                                           Number,
		`{"kind":"line","x":[1,2.5],"series":[{"y":[1,2]}]}`:                               Number,
		`{"kind":"line","x":["a","b"],"series":[{"y":[1,2]}]}`:                             Category,
		`{"kind":"line","x":["2026-01","2026-02"],"series":[{"y":[1,2]}]}`:                 Date,
		`{"kind":"line","x":["2026-01-02","2026-01-02T10:30:00Z"],"series":[{"y":[1,2]}]}`: Date,
		`{"kind":"scatter","x":["2026-01-02 10:30","2026-01-03"],"series":[{"y":[1,2]}]}`:  Date,
		`{"kind":"line","x":["2025","2026"],"series":[{"y":[1,2]}]}`:                       Category,
		`{"kind":"bar","x":["2026-01","2026-02"],"series":[{"y":[1,2]}]}`:                  Category,
		`{"kind":"bar","x":[2025,2026],"series":[{"y":[1,2]}]}`:                            Category,
	} {
		chart, err := parse(t, text)
		if err != nil || chart.XKind != want {
			t.Errorf("%s: %q, %v", text, chart.XKind, err)
		}
	}
}

func TestALineGoesForward(t *testing.T) {
	chart, err := parse(t, `{"kind":"line","x":["2026-03-01","2026-01-01"],"series":[{"y":[1,null]}]}`)
	if points := chart.Series[0].Points; err != nil || points[0].X >= points[1].X || points[1].Y != 1 {
		t.Errorf("%v, %v", chart.Series, err)
	}
}

func TestSmallSlicesAreOne(t *testing.T) {
	chart, err := parse(t, `{"kind":"pie","x":["a","b","c","d","e","f","g","h","i","j"],
		"series":[{"y":[1,20,30,40,0,50,60,70,80,2]}]}`)
	if err != nil {
		t.Fatal(err)
	}
	names := strings.Join(chart.Categories, "")
	points := chart.Series[0].Points
	if names != "bcdfghiOther" || len(points) != 8 || points[7].Y != 3 || points[1].Y != 30 || len(chart.Notes) != 2 {
		t.Errorf("%s %v %v", names, points, chart.Notes)
	}
}
