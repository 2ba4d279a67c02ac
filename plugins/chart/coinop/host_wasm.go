package coinop

import (
	"chart/gen/coinop_plugin_progress"
	"chart/gen/coinop_plugin_settings"

	wit "go.bytecodealliance.org/pkg/wit/types"
)

// Setting is what the operator has set as key for this plugin. It may be secret: never put it into an answer.
func Setting(key string) (string, bool) {
	value := coinop_plugin_settings.Get(key)
	return value.SomeOr(""), value.IsSome()
}

// Progress tells the caller how far the run is: done of total, in any unit.
func Progress(done, total float64, message string) {
	coinop_plugin_progress.Report(done, wit.Some(total), wit.Some(message))
}
