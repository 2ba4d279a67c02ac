// Package tools draws charts: it puts together what the other packages know.
package tools

import (
	"bytes"
	"image/png"

	"chart/coinop"
	"chart/data"
	"chart/draw"
)

// All is what the plugin offers, in the order it is listed.
var All = []coinop.Tool{{
	Name: "draw_chart",
	Description: "Draws a chart of your data as a PNG image: lines, bars, dots (scatter) or a pie; several series, " +
		"negative values, gaps (null), dates, logarithmic axes, with title, axes, grid and legend. " +
		"Also returns a summary of what was drawn, with each series' least, greatest, mean and sum.",
	InputSchema:  inputSchema,
	OutputSchema: outputSchema,
	Amount:       "0.10",
	Currency:     "USD",
	Pure:         true,
	Run:          coinop.Func(drawChart),
}}

func drawChart(request data.Request, _ coinop.Context) (coinop.Output, error) {
	chart, err := data.Parse(request)
	if err != nil {
		return coinop.Output{}, err
	}
	coinop.Progress(1, 3, "drawing")
	picture, notes := draw.Chart(chart)
	chart.Notes = notes
	coinop.Progress(2, 3, "writing the image")
	var file bytes.Buffer
	if err := png.Encode(&file, picture); err != nil {
		return coinop.Output{}, err
	}
	summary := summarise(chart)
	return coinop.Output{
		Text:       summary.text(chart),
		Images:     []coinop.Image{{Data: file.Bytes(), MimeType: "image/png"}},
		Structured: summary,
	}, nil
}
