package tools

import (
	"bytes"
	"encoding/json"
	"image/png"
	"strings"
	"testing"

	"chart/coinop"
)

func TestAChartIsAPictureAndItsSummary(t *testing.T) {
	output, err := All[0].Run([]byte(`{"kind":"line","title":"Sales","x":["2026-01","2026-02","2026-03"],
		"series":[{"name":"Shop","y":[1,null,4]}],"width":400,"height":300}`), coinop.Context{})
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(output.Images[0].Data))
	if err != nil || picture.Bounds().Dx() != 400 || picture.Bounds().Dy() != 300 {
		t.Errorf("%v, %v", picture.Bounds(), err)
	}
	structured, err := json.Marshal(output.Structured)
	want := `{"kind":"line","width":400,"height":300,"x":{"kind":"date","from":"2026-01-01","to":"2026-03-01"},` +
		`"series":[{"name":"Shop","count":2,"gaps":1,"min":1,"max":4,"mean":2.5,"sum":5}],"notes":[]}`
	if err != nil || string(structured) != want {
		t.Errorf("got %s, %v", structured, err)
	}
	if want := "A line chart \"Sales\", 400 by 300 pixels.\nShop: 2 values from 1 to 4, mean 2.5"; output.Text != want {
		t.Errorf("got %q", output.Text)
	}
}

func TestAPieTellsItsShares(t *testing.T) {
	output, err := All[0].Run([]byte(`{"kind":"pie","x":["a","b"],"series":[{"y":[1,2]}]}`), coinop.Context{})
	if err != nil || !strings.Contains(output.Text, "b: 2 (66.67%)") {
		t.Errorf("got %q, %v", output.Text, err)
	}
}

func TestWhatIsMissingIsTold(t *testing.T) {
	output, err := All[0].Run([]byte(`{"kind":"bar","x":["東京"],"series":[{"y":[1]}]}`), coinop.Context{})
	if err != nil || !strings.Contains(output.Text, "drawn as boxes: 2") {
		t.Errorf("got %q, %v", output.Text, err)
	}
}

func TestTheCallersFaultIsSaidToBeTheirs(t *testing.T) {
	_, err := All[0].Run([]byte(`{"kind":"pie","x":["a"],"series":[{"y":[0]}]}`), coinop.Context{})
	if failure, ok := err.(coinop.Failure); !ok || failure.Kind != coinop.InvalidArguments {
		t.Errorf("got %v", err)
	}
}

func TestSchemasAreJSON(t *testing.T) {
	for _, schema := range []string{All[0].InputSchema, All[0].OutputSchema} {
		if !json.Valid([]byte(schema)) {
			t.Errorf("%s", schema)
		}
	}
}
