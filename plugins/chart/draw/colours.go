package draw

import "image/color"

// theme is what a chart is painted with.
type theme struct {
	paper, ink, faint, grid, axis color.RGBA
	series                        []color.RGBA
}

func rgb(hex uint32) color.RGBA {
	return color.RGBA{uint8(hex >> 16), uint8(hex >> 8), uint8(hex), 255}
}

// The colours of Okabe and Ito, which people with any common colour blindness tell apart (jfly.uni-koeln.de/color), in an
// order that puts strong contrasts first; yellow is darker on paper, where theirs can hardly be seen.
var (
	light = theme{
		paper: rgb(0xffffff), ink: rgb(0x1f2933), faint: rgb(0x52606d), grid: rgb(0xe4e7eb), axis: rgb(0x7b8794),
		series: []color.RGBA{
			rgb(0x0072b2), rgb(0xd55e00), rgb(0x009e73), rgb(0xcc79a7), rgb(0xe69f00), rgb(0x56b4e9), rgb(0x3d3d3d),
			rgb(0xb8a800),
		},
	}
	dark = theme{
		paper: rgb(0x16191d), ink: rgb(0xf0f2f5), faint: rgb(0xa9b4c0), grid: rgb(0x2c333b), axis: rgb(0x7b8794),
		series: []color.RGBA{
			rgb(0x56b4e9), rgb(0xe69f00), rgb(0x2cc295), rgb(0xe39bc4), rgb(0xf0e442), rgb(0xf07c33), rgb(0xd0d5db),
			rgb(0x4f8fd6),
		},
	}
)

// of is the colour of a series, or of a slice.
func (t theme) of(series int) color.RGBA { return t.series[series%len(t.series)] }

// on is the ink that is read best on a colour.
func on(colour color.RGBA) color.RGBA {
	if 299*int(colour.R)+587*int(colour.G)+114*int(colour.B) > 140_000 {
		return rgb(0x1f2933)
	}
	return rgb(0xffffff)
}

// through is a colour that lets what is behind it show.
func through(colour color.RGBA, alpha float64) color.NRGBA {
	return color.NRGBA{colour.R, colour.G, colour.B, uint8(alpha * 255)}
}
