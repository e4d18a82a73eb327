// put calls SpoolPut as an application would: put DIR CASE. Exit status 0 when it returned no
// error.
package main

import (
	"math"
	"os"
	"strings"

	"github.com/bitville-apm/spoolfwd/contrib/producers"
)

type object map[string]any

func main() {
	loop := object{}
	loop["loop"] = loop
	cases := map[string]any{
		"small":  object{"n": 1},
		"normal": object{"n": 1, "pad": strings.Repeat("x", 70000)},
		"batch":  []object{{"n": 1}, {"n": 2}},
		"bytes":  object{"s": "a\xff\xfeb"},
		"nan":    object{"f": math.NaN()},
		"loop":   loop,
		"huge":   object{"pad": strings.Repeat("x", 48<<20)},
	}
	if producers.SpoolPut(os.Args[1], cases[os.Args[2]]) != nil {
		os.Exit(1)
	}
}
