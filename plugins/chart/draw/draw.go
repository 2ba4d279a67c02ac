// Package draw lays a chart out and paints it.
package draw

import (
	"fmt"
	"image"
	"math"

	"chart/data"
	"chart/paint"
)

// Sizes of text at 960 by 600 pixels; everything grows with the picture.
const (
	titleSize    = 20
	subtitleSize = 14
	textSize     = 13
	tickSize     = 12
	margin       = 20
	gap          = 8
)

// sketch is a picture in the making.
type sketch struct {
	data.Chart
	theme
	canvas        *paint.Canvas
	regular, bold *paint.Font
	// unit is how many pixels one of the sizes above is.
	unit float64
	// Where there is still room.
	left, top, right, bottom float64
}

// Chart paints a chart and adds to its notes what the picture could not show.
func Chart(chart data.Chart) (*image.RGBA, []string) {
	colours := light
	if chart.Dark {
		colours = dark
	}
	width, height := float64(chart.Width), float64(chart.Height)
	unit := min(3, max(0.8, math.Sqrt(width*height/(960*600))))
	s := &sketch{
		Chart: chart, theme: colours, canvas: paint.New(chart.Width, chart.Height, colours.paper),
		regular: paint.Regular(), bold: paint.Bold(), unit: unit,
		left: margin * unit, top: margin * unit, right: width - margin*unit, bottom: height - margin*unit,
	}
	s.heading()
	if chart.Kind == data.Pie {
		s.pie()
	} else {
		s.legend()
		s.plot()
	}
	return s.canvas.Image, append(chart.Notes, s.lacking()...)
}

// heading paints title and subtitle, and takes their room away.
func (s *sketch) heading() {
	width := s.right - s.left
	for _, line := range s.bold.Wrap(s.Title, titleSize*s.unit, width, 2) {
		s.bold.Write(s.canvas, line, paint.Spot{X: s.left, Y: s.top + titleSize*s.unit*0.8}, titleSize*s.unit, 0, s.ink)
		s.top += titleSize * s.unit * 1.25
	}
	for _, line := range s.regular.Wrap(s.Subtitle, subtitleSize*s.unit, width, 2) {
		s.regular.Write(s.canvas, line, paint.Spot{X: s.left, Y: s.top + subtitleSize*s.unit*0.8}, subtitleSize*s.unit, 0, s.faint)
		s.top += subtitleSize * s.unit * 1.3
	}
	if s.Title+s.Subtitle != "" {
		s.top += gap * s.unit
	}
}

// lacking tells of characters that are drawn as boxes.
func (s *sketch) lacking() []string {
	texts := append([]string{s.Title, s.Subtitle, s.XTitle, s.YTitle}, s.Categories...)
	for _, series := range s.Series {
		texts = append(texts, series.Name)
	}
	count := 0
	for _, text := range texts {
		count += s.regular.Lacks(text)
	}
	if count == 0 {
		return nil
	}
	return []string{fmt.Sprintf(
		"Characters drawn as boxes: %d. The font has Latin, Greek and Cyrillic letters only.", count,
	)}
}
