package draw

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"chart/data"
	"chart/paint"
)

func drawn(t *testing.T, request data.Request) (*image.RGBA, data.Chart) {
	t.Helper()
	chart, err := data.Parse(request)
	if err != nil {
		t.Fatal(err)
	}
	picture, _ := Chart(chart)
	return picture, chart
}

func ys(values ...float64) []*float64 {
	list := make([]*float64, len(values))
	for at := range values {
		if values[at] == values[at] {
			list[at] = &values[at]
		}
	}
	return list
}

func xs(values ...string) []any {
	list := make([]any, len(values))
	for at, value := range values {
		list[at] = value
	}
	return list
}

// count is how many pixels of a part of the picture are exactly of a colour.
func count(picture *image.RGBA, part image.Rectangle, colour color.RGBA) int {
	number := 0
	for y := part.Min.Y; y < part.Max.Y; y++ {
		for x := part.Min.X; x < part.Max.X; x++ {
			if picture.RGBAAt(x, y) == colour {
				number++
			}
		}
	}
	return number
}

func expectRatio(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.Abs(got/want-1) > tolerance {
		t.Errorf("%s: %.4f, want %.4f", what, got, want)
	}
}

func TestBarsAreAsHighAsTheirValues(t *testing.T) {
	picture, _ := drawn(t, data.Request{Kind: "bar", X: xs("a", "b", "c"), Series: []data.RequestSeries{
		{Name: "first", Y: ys(10, 20, 30)}, {Name: "second", Y: ys(40, 30, 20)},
	}})
	third := image.Rect(0, 46, 360, 600)
	first := float64(count(picture, third, light.of(0)))
	second := float64(count(picture, third, light.of(1)))
	expectRatio(t, "10 to 40", second/first, 4, 0.03)
	whole := image.Rect(0, 46, 960, 600)
	expectRatio(t, "60 to 90", float64(count(picture, whole, light.of(1)))/float64(count(picture, whole, light.of(0))), 1.5, 0.02)
}

func TestBarsBelowZeroHang(t *testing.T) {
	picture, _ := drawn(t, data.Request{Kind: "bar", X: xs("gain", "loss"), Series: []data.RequestSeries{{Y: ys(5, -5)}}})
	left, right := image.Rect(0, 0, 500, 300), image.Rect(500, 300, 960, 600)
	up, down := count(picture, left, light.of(0)), count(picture, right, light.of(0))
	if all := count(picture, picture.Bounds(), light.of(0)); float64(up+down) < 0.97*float64(all) || up == 0 {
		t.Errorf("%d above and %d below of %d", up, down, all)
	}
	expectRatio(t, "as deep as high", float64(down)/float64(up), 1, 0.05)
}

func TestStacksAddUp(t *testing.T) {
	picture, _ := drawn(t, data.Request{Kind: "bar", Stacked: true, X: xs("a", "b"), Series: []data.RequestSeries{
		{Y: ys(10, 30)}, {Y: ys(20, 10)}, {Y: ys(-5, 0)},
	}})
	plot := image.Rect(0, 46, 960, 600)
	base := float64(count(picture, plot, light.of(0)))
	expectRatio(t, "30 to 40", float64(count(picture, plot, light.of(1)))/base, 0.75, 0.03)
	expectRatio(t, "5 to 40", float64(count(picture, plot, light.of(2)))/base, 0.125, 0.05)
}

func TestSlicesAreAsLargeAsTheirShares(t *testing.T) {
	picture, _ := drawn(t, data.Request{Kind: "pie", X: xs("a", "b", "c"), Series: []data.RequestSeries{{Y: ys(50, 30, 20)}}})
	pie := image.Rect(0, 0, 600, 600)
	sizes := [3]float64{}
	for at := range sizes {
		sizes[at] = float64(count(picture, pie, light.of(at)))
	}
	sum := sizes[0] + sizes[1] + sizes[2]
	for at, want := range []float64{0.5, 0.3, 0.2} {
		expectRatio(t, fmt.Sprint("slice ", at), sizes[at]/sum, want, 0.03)
	}
}

func TestALineBreaksAtAGapAndLiesWhereItsPointsAre(t *testing.T) {
	values := []float64{0, 10, math.NaN(), math.NaN(), 10, 0}
	picture, _ := drawn(t, data.Request{Kind: "line", Series: []data.RequestSeries{{Y: ys(values...)}}})
	top, bottom, left, right := 600, 0, 960, 0
	for y := range 600 {
		for x := range 960 {
			if picture.RGBAAt(x, y) == light.of(0) {
				top, bottom, left, right = min(top, y), max(bottom, y), min(left, x), max(right, x)
			}
		}
	}
	middle := (left + right) / 2
	if gap := count(picture, image.Rect(middle-80, 0, middle+80, 600), light.of(0)); gap != 0 {
		t.Errorf("%d pixels of the line are in its gap", gap)
	}
	// The second of six points, at a fifth of the way, is the highest.
	x := left + (right-left)/5
	if count(picture, image.Rect(x-4, top, x+4, top+6), light.of(0)) == 0 {
		t.Error("the line does not pass its second point")
	}
	expectRatio(t, "top to bottom", float64(bottom-top), float64(right-left)*490/870, 0.1)
}

func TestLogarithmicStepsAreEven(t *testing.T) {
	picture, _ := drawn(t, data.Request{Kind: "scatter", YScale: "log", Series: []data.RequestSeries{{Y: ys(1, 10, 100)}}})
	var places []float64
	for y := range 600 {
		row := count(picture, image.Rect(60, y, 960, y+1), blend(light.of(0), light.paper, 0.85))
		// A dot is ten pixels high.
		if row > 2 && (places == nil || float64(y) > places[len(places)-1]+20) {
			places = append(places, float64(y))
		}
	}
	if len(places) != 3 {
		t.Fatalf("dots begin at %v", places)
	}
	expectRatio(t, "steps", (places[2]-places[1])/(places[1]-places[0]), 1, 0.02)
}

// blend is a colour through which another shows, as the canvas mixes them.
func blend(over, under color.RGBA, alpha float64) color.RGBA {
	canvas := image.NewRGBA(image.Rect(0, 0, 1, 1))
	canvas.SetRGBA(0, 0, under)
	s := sketch{canvas: &paint.Canvas{Image: canvas}}
	s.canvas.Box(0, 0, 1, 1, through(over, alpha))
	return canvas.RGBAAt(0, 0)
}

// Nothing touches the picture's edge, so nothing is clipped: whatever the sizes, names and values are.
func TestNothingIsClippedWhateverIsDrawn(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for round := range 200 {
		request := randomRequest(random)
		chart, err := data.Parse(request)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		picture, _ := Chart(chart)
		paper := light.paper
		if chart.Dark {
			paper = dark.paper
		}
		bounds := picture.Bounds()
		for _, edge := range []image.Rectangle{
			image.Rect(0, 0, bounds.Dx(), 1), image.Rect(0, bounds.Dy()-1, bounds.Dx(), bounds.Dy()),
			image.Rect(0, 0, 1, bounds.Dy()), image.Rect(bounds.Dx()-1, 0, bounds.Dx(), bounds.Dy()),
		} {
			if blank := count(picture, edge, paper); blank != edge.Dx()*edge.Dy() {
				t.Fatalf("round %d touches the edge %v: %+v", round, edge, request)
			}
		}
		inside := image.Rect(bounds.Dx()/4, bounds.Dy()/8, bounds.Dx()*3/4, bounds.Dy()*3/4)
		if blank := count(picture, inside, paper); blank == inside.Dx()*inside.Dy() {
			t.Fatalf("round %d is empty: %+v", round, request)
		}
	}
}

func randomRequest(random *rand.Rand) data.Request {
	words := func(most int) string {
		return strings.TrimSpace(strings.Repeat("Wordy ", random.IntN(most+1)))
	}
	request := data.Request{
		Kind: []string{"line", "bar", "scatter", "pie"}[random.IntN(4)], Title: words(30), Subtitle: words(40),
		XTitle: words(15), YTitle: words(15), Theme: []string{"light", "dark"}[random.IntN(2)],
		Width: 320 + random.IntN(900), Height: 240 + random.IntN(700),
	}
	points, series := 1+random.IntN(30), 1+random.IntN(8)
	if request.Kind == "pie" {
		series = 1
	}
	request.Stacked = request.Kind == "bar" && random.IntN(2) == 0
	if request.Kind == "pie" || request.Kind != "scatter" && random.IntN(2) == 0 {
		for at := range points {
			request.X = append(request.X, fmt.Sprintf("%d %s", at, words(8)))
		}
	} else if random.IntN(2) == 0 {
		for at := range points {
			request.X = append(request.X, fmt.Sprintf("2026-%02d-%02d", 1+at%12, 1+random.IntN(28)))
		}
	}
	scale := math.Pow(10, float64(random.IntN(30)-12))
	for range series {
		var values []float64
		for range points {
			value := random.NormFloat64() * scale
			if request.Kind == "pie" {
				value = math.Abs(value)
			}
			values = append(values, value)
		}
		request.Series = append(request.Series, data.RequestSeries{Name: words(12), Y: ys(values...)})
	}
	return request
}

func TestColoursStandOutFromThePaper(t *testing.T) {
	for name, theme := range map[string]theme{"light": light, "dark": dark} {
		for at, colour := range theme.series {
			if ratio := contrast(colour, theme.paper); ratio < 2 {
				t.Errorf("%s: colour %d has a contrast of %.2f", name, at, ratio)
			}
			for other := range at {
				if distance(colour, theme.series[other]) < 40 {
					t.Errorf("%s: colours %d and %d are alike", name, at, other)
				}
			}
		}
	}
}

func distance(a, b color.RGBA) float64 {
	return math.Hypot(math.Hypot(float64(a.R)-float64(b.R), float64(a.G)-float64(b.G)), float64(a.B)-float64(b.B))
}

// contrast is that of WCAG 2.
func contrast(a, b color.RGBA) float64 {
	luminance := func(colour color.RGBA) float64 {
		linear := func(part uint8) float64 {
			value := float64(part) / 255
			if value <= 0.04045 {
				return value / 12.92
			}
			return math.Pow((value+0.055)/1.055, 2.4)
		}
		return 0.2126*linear(colour.R) + 0.7152*linear(colour.G) + 0.0722*linear(colour.B)
	}
	bright, dim := max(luminance(a), luminance(b)), min(luminance(a), luminance(b))
	return (bright + 0.05) / (dim + 0.05)
}
