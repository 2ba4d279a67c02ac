package tools

// inputSchema is what the host checks before anybody pays. What it cannot say is checked by data.Parse.
const inputSchema = `{
	"type": "object",
	"properties": {
		"kind": {"type": "string", "enum": ["line", "bar", "scatter", "pie"]},
		"title": {"type": "string", "maxLength": 200},
		"subtitle": {"type": "string", "maxLength": 300, "description": "Such as the unit, the period or the source."},
		"x": {
			"type": "array", "minItems": 1, "maxItems": 10000,
			"items": {"type": ["number", "string"], "maxLength": 200},
			"description": "What stands on the x axis, for all series: names, numbers, or dates such as 2026-01-31, 2026-01 or 2026-01-31T12:00. For a pie, the names of the slices. Left out: 1, 2, 3 and so on."
		},
		"series": {
			"type": "array", "minItems": 1, "maxItems": 8,
			"items": {
				"type": "object",
				"properties": {
					"name": {"type": "string", "maxLength": 100, "description": "Shown in the legend."},
					"y": {
						"type": "array", "minItems": 1, "maxItems": 10000, "items": {"type": ["number", "null"]},
						"description": "One value for each x, in the same order; null where there is none."
					},
					"x": {
						"type": "array", "minItems": 1, "maxItems": 10000,
						"items": {"type": ["number", "string"], "maxLength": 200},
						"description": "This series' own numbers or dates, where series differ in them (line, scatter)."
					}
				},
				"required": ["y"],
				"additionalProperties": false
			}
		},
		"x_title": {"type": "string", "maxLength": 120},
		"y_title": {"type": "string", "maxLength": 120, "description": "Such as the unit."},
		"x_scale": {"type": "string", "enum": ["linear", "log"], "default": "linear"},
		"y_scale": {"type": "string", "enum": ["linear", "log"], "default": "linear"},
		"stacked": {"type": "boolean", "default": false, "description": "Bars of the series one upon the other."},
		"theme": {"type": "string", "enum": ["light", "dark"], "default": "light"},
		"width": {"type": "integer", "minimum": 320, "maximum": 2000, "default": 960, "description": "Pixels; text grows with the picture."},
		"height": {"type": "integer", "minimum": 240, "maximum": 2000, "default": 600, "description": "Pixels."}
	},
	"required": ["kind", "series"],
	"additionalProperties": false
}`

// outputSchema is of summary.
const outputSchema = `{
	"type": "object",
	"properties": {
		"kind": {"type": "string"},
		"width": {"type": "integer"},
		"height": {"type": "integer"},
		"x": {
			"type": "object",
			"properties": {
				"kind": {"type": "string", "enum": ["category", "number", "date"]},
				"from": {"type": ["string", "number"]},
				"to": {"type": ["string", "number"]}
			},
			"required": ["kind", "from", "to"]
		},
		"series": {
			"type": "array",
			"items": {
				"type": "object",
				"properties": {
					"name": {"type": "string"},
					"count": {"type": "integer", "description": "Values that are drawn."},
					"gaps": {"type": "integer"},
					"min": {"type": "number"}, "max": {"type": "number"},
					"mean": {"type": "number"}, "sum": {"type": "number"}
				},
				"required": ["name", "count", "gaps"]
			}
		},
		"slices": {
			"type": "array",
			"items": {
				"type": "object",
				"properties": {
					"name": {"type": "string"}, "value": {"type": "number"}, "percent": {"type": "number"}
				},
				"required": ["name", "value", "percent"]
			}
		},
		"notes": {"type": "array", "items": {"type": "string"}, "description": "What the picture leaves out or changes."}
	},
	"required": ["kind", "width", "height", "x", "series", "notes"]
}`
