// Package export_coinop_plugin_tools is what the bindings call: it answers the host's two questions from tools.All.
package export_coinop_plugin_tools

import (
	"encoding/json"
	"errors"

	"chart/coinop"
	"chart/gen/coinop_plugin_tool_types"
	"chart/tools"

	wit "go.bytecodealliance.org/pkg/wit/types"
)

// ListTools gives the tools in their order.
func ListTools() []coinop_plugin_tool_types.Tool {
	var list []coinop_plugin_tool_types.Tool
	for _, tool := range tools.All {
		list = append(list, listing(tool))
	}
	return list
}

// CallTool runs one.
func CallTool(
	name string, arguments string, context coinop_plugin_tool_types.Context,
) wit.Result[coinop_plugin_tool_types.Output, coinop_plugin_tool_types.Failure] {
	for _, tool := range tools.All {
		if tool.Name != name {
			continue
		}
		output, err := tool.Run([]byte(arguments), coinop.Context{
			CallID: context.CallId, RemainingMS: context.RemainingMs,
		})
		if err == nil {
			var answer coinop_plugin_tool_types.Output
			if answer, err = told(output); err == nil {
				return wit.Ok[coinop_plugin_tool_types.Output, coinop_plugin_tool_types.Failure](answer)
			}
		}
		return failed(err)
	}
	return failed(errors.New("this plugin has no tool of that name"))
}

func listing(tool coinop.Tool) coinop_plugin_tool_types.Tool {
	none := wit.None[bool]()
	listing := coinop_plugin_tool_types.Tool{
		Name:         tool.Name,
		Title:        wit.None[string](),
		Description:  tool.Description,
		InputSchema:  tool.InputSchema,
		OutputSchema: optional(tool.OutputSchema),
		Annotations: coinop_plugin_tool_types.Annotations{
			ReadOnly: none, Destructive: none, Idempotent: none, OpenWorld: none,
		},
		Effects: coinop_plugin_tool_types.EffectsUnspecified,
		Price:   wit.None[coinop_plugin_tool_types.Price](),
		Meta:    wit.None[string](),
	}
	if tool.Pure {
		listing.Effects = coinop_plugin_tool_types.EffectsPure
		listing.Annotations.ReadOnly = wit.Some(true)
	}
	switch tool.Amount {
	case "":
	case "0":
		listing.Price = wit.Some(coinop_plugin_tool_types.MakePriceFree())
	default:
		money := coinop_plugin_tool_types.Money{Amount: tool.Amount, Currency: tool.Currency}
		listing.Price = wit.Some(coinop_plugin_tool_types.MakePricePerCall(money))
	}
	return listing
}

func told(output coinop.Output) (coinop_plugin_tool_types.Output, error) {
	answer := coinop_plugin_tool_types.Output{Structured: wit.None[string](), Meta: wit.None[string]()}
	if output.Text != "" {
		answer.Content = append(answer.Content, coinop_plugin_tool_types.MakeContentText(output.Text))
	}
	for _, image := range output.Images {
		answer.Content = append(answer.Content, coinop_plugin_tool_types.MakeContentImage(
			coinop_plugin_tool_types.Media{Data: image.Data, MimeType: image.MimeType},
		))
	}
	if output.Structured != nil {
		text, err := json.Marshal(output.Structured)
		if err != nil {
			return answer, err
		}
		answer.Structured = wit.Some(string(text))
	}
	return answer, nil
}

func failed(err error) wit.Result[coinop_plugin_tool_types.Output, coinop_plugin_tool_types.Failure] {
	reason := coinop_plugin_tool_types.MakeFailureFailed(err.Error())
	var failure coinop.Failure
	if errors.As(err, &failure) {
		switch failure.Kind {
		case coinop.InvalidArguments:
			reason = coinop_plugin_tool_types.MakeFailureInvalidArguments(failure.Message)
		case coinop.Unavailable:
			reason = coinop_plugin_tool_types.MakeFailureUnavailable(coinop_plugin_tool_types.Unavailable{
				Message: failure.Message, RetryAfterMs: wit.None[uint32](),
			})
		}
	}
	return wit.Err[coinop_plugin_tool_types.Output, coinop_plugin_tool_types.Failure](reason)
}

func optional(text string) wit.Option[string] {
	if text == "" {
		return wit.None[string]()
	}
	return wit.Some(text)
}
