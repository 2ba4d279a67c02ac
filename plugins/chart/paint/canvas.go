// Package paint puts anti-aliased shapes and text on a picture. It knows nothing of charts.
package paint

import (
	"image"
	"image/color"
	"image/draw"
	"math"

	"golang.org/x/image/vector"
)

// Spot is a place on the canvas in pixels, from the left and from the top.
type Spot struct{ X, Y float64 }

// Canvas is a picture that is drawn on.
type Canvas struct {
	Image  *image.RGBA
	raster vector.Rasterizer
}

// New is a canvas all of one colour.
func New(width, height int, background color.Color) *Canvas {
	canvas := &Canvas{Image: image.NewRGBA(image.Rect(0, 0, width, height))}
	draw.Draw(canvas.Image, canvas.Image.Bounds(), image.NewUniform(background), image.Point{}, draw.Src)
	return canvas
}

// Fill fills a path. Parts of it that overlap turn the same way round, or they cancel each other out.
func (c *Canvas) Fill(path Path, colour color.Color) {
	low, high := path.bounds()
	box := image.Rect(
		int(math.Floor(low.X)), int(math.Floor(low.Y)), int(math.Ceil(high.X))+1, int(math.Ceil(high.Y))+1,
	).Intersect(c.Image.Bounds())
	if box.Empty() {
		return
	}
	c.raster.Reset(box.Dx(), box.Dy())
	path.onto(&c.raster, Spot{float64(box.Min.X), float64(box.Min.Y)})
	c.raster.Draw(c.Image, box, image.NewUniform(colour), image.Point{})
}

// Box fills a rectangle whose sides are parallel to the picture's.
func (c *Canvas) Box(left, top, right, bottom float64, colour color.Color) {
	c.Fill(Polygon(Spot{left, top}, Spot{right, top}, Spot{right, bottom}, Spot{left, bottom}), colour)
}

// Across and Down draw lines one whole pixel wide or more, which are sharp.
func (c *Canvas) Across(left, right, y, width float64, colour color.Color) {
	width = max(1, math.Round(width))
	top := math.Round(y - width/2)
	c.Box(left, top, right, top+width, colour)
}

// Down is Across from top to bottom.
func (c *Canvas) Down(x, top, bottom, width float64, colour color.Color) {
	width = max(1, math.Round(width))
	left := math.Round(x - width/2)
	c.Box(left, top, left+width, bottom, colour)
}
