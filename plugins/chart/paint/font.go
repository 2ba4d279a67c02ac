package paint

import (
	"image/color"
	"math"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// ellipsis stands for what is cut off.
const ellipsis = "…"

// Font is a typeface: Latin, Greek and Cyrillic.
type Font struct {
	face   *sfnt.Font
	buffer sfnt.Buffer
	units  fixed.Int26_6
	glyphs map[rune]glyph
}

// glyph is the shape of one character and how far the next one is, in parts of the font's size.
type glyph struct {
	outline Path
	advance float64
	missing bool
}

// Regular and Bold are the Go fonts, read anew for each picture: a run has an instance of its own.
func Regular() *Font { return newFont(goregular.TTF) }

// Bold is for titles.
func Bold() *Font { return newFont(gobold.TTF) }

func newFont(file []byte) *Font {
	face, err := sfnt.Parse(file)
	if err != nil {
		panic("the font that is carried along is broken: " + err.Error())
	}
	return &Font{face: face, units: fixed.I(int(face.UnitsPerEm())), glyphs: map[rune]glyph{}}
}

func (f *Font) glyph(character rune) glyph {
	known, ok := f.glyphs[character]
	if !ok {
		known = f.load(character)
		f.glyphs[character] = known
	}
	return known
}

func (f *Font) load(character rune) glyph {
	index, err := f.face.GlyphIndex(&f.buffer, character)
	loaded := glyph{missing: err != nil || index == 0}
	scale := 1 / float64(f.units)
	if advance, err := f.face.GlyphAdvance(&f.buffer, index, f.units, font.HintingNone); err == nil {
		loaded.advance = float64(advance) * scale
	}
	segments, err := f.face.LoadGlyph(&f.buffer, index, f.units, nil)
	if err != nil {
		return loaded
	}
	spot := func(point fixed.Point26_6) Spot { return Spot{float64(point.X) * scale, float64(point.Y) * scale} }
	for _, segment := range segments {
		switch segment.Op {
		case sfnt.SegmentOpMoveTo:
			loaded.outline.steps = append(loaded.outline.steps, step{to: spot(segment.Args[0]), begins: true})
		case sfnt.SegmentOpQuadTo:
			loaded.outline.steps = append(loaded.outline.steps, step{
				control: spot(segment.Args[0]), to: spot(segment.Args[1]), isCurved: true,
			})
		default:
			loaded.outline.steps = append(loaded.outline.steps, step{to: spot(segment.Args[0])})
		}
	}
	return loaded
}

// Width is how long a text is at that size, pixels.
func (f *Font) Width(text string, size float64) float64 {
	width := 0.0
	for _, character := range text {
		width += f.glyph(character).advance * size
	}
	return width
}

// Lacks counts the characters of a text that the font has no shape for; they are drawn as boxes.
func (f *Font) Lacks(text string) int {
	count := 0
	for _, character := range text {
		if f.glyph(character).missing {
			count++
		}
	}
	return count
}

// Cut shortens a text to a width, with an ellipsis for what is lost.
func (f *Font) Cut(text string, size, width float64) string {
	if f.Width(text, size) <= width {
		return text
	}
	characters := []rune(text)
	for length := len(characters) - 1; length > 0; length-- {
		cut := strings.TrimRight(string(characters[:length]), " ,;:.-") + ellipsis
		if f.Width(cut, size) <= width {
			return cut
		}
	}
	return ellipsis
}

// Wrap breaks a text between words into at most so many lines of a width; the last one is cut if need be.
func (f *Font) Wrap(text string, size, width float64, lines int) []string {
	words := strings.Fields(text)
	var wrapped []string
	for len(words) > 0 && len(wrapped) < lines {
		count := 1
		for count < len(words) && f.Width(strings.Join(words[:count+1], " "), size) <= width {
			count++
		}
		if len(wrapped) == lines-1 {
			count = len(words)
		}
		wrapped = append(wrapped, f.Cut(strings.Join(words[:count], " "), size, width))
		words = words[count:]
	}
	return wrapped
}

// Write draws a text whose baseline begins at a spot. turn is clockwise, in radians.
func (f *Font) Write(canvas *Canvas, text string, at Spot, size, turn float64, colour color.Color) {
	sin, cos := math.Sincos(turn)
	if turn == 0 {
		// On whole pixels, letters that are alike look alike.
		at.Y = math.Round(at.Y)
	}
	for _, character := range text {
		glyph := f.glyph(character)
		place := func(spot Spot) Spot {
			return Spot{at.X + size*(spot.X*cos-spot.Y*sin), at.Y + size*(spot.X*sin+spot.Y*cos)}
		}
		placed := Path{steps: make([]step, len(glyph.outline.steps))}
		for number, step := range glyph.outline.steps {
			step.to, step.control = place(step.to), place(step.control)
			placed.steps[number] = step
		}
		canvas.Fill(placed, colour)
		at.X, at.Y = at.X+glyph.advance*size*cos, at.Y+glyph.advance*size*sin
	}
}
