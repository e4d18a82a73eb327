package metrics

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// The text format is https://prometheus.io/docs/instrumenting/exposition_formats/. The library for
// it brings Protocol Buffers and net/http along, and their start-up costs every run, also those
// without metrics. The tests read with that library what is written here.

// nameLabel begins the labels of every series. The breaker's name in quotes follows.
const nameLabel = "{name="

var escape = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func quote(labelValue string) string { return `"` + escape.Replace(labelValue) + `"` }

// line returns the line of a series up to its value.
func (m metric) line(one series, breaker string) string {
	labels := nameLabel + quote(breaker)
	if m.label != "" {
		labels += "," + m.label + "=" + quote(one.label)
	}
	return m.name + labels + "} "
}

// text returns the content of a breaker's metrics file.
func (s Samples) text(breaker string, metrics []metric) []byte {
	var out bytes.Buffer
	for _, m := range metrics {
		head := fmt.Sprintf("# HELP %s %s\n# TYPE %s %s\n", m.name, m.help, m.name, m.kind)
		for _, one := range m.series() {
			if value, known := s[one]; known {
				out.WriteString(head + m.line(one, breaker) + strconv.FormatFloat(value, 'g', -1, 64) + "\n")
				head = ""
			}
		}
	}
	return out.Bytes()
}

// parse reads what text returned: the samples, and the name of the breaker. Text with an error in
// it holds nothing at all, rather than what stands above the error.
func parse(text []byte, metrics []metric) (before Samples, breaker string) {
	values := map[string]float64{} // by line up to the value
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		whole, found := strings.CutSuffix(line, "\n")
		at := strings.LastIndexByte(whole, ' ') + 1
		value, err := strconv.ParseFloat(whole[at:], 64)
		if !found || err != nil {
			return nil, ""
		}
		values[whole[:at]] = value
		if _, labels, ours := strings.Cut(whole, nameLabel); ours {
			quoted, _ := strconv.QuotedPrefix(labels)
			breaker, _ = strconv.Unquote(quoted) // Go's escapes include those of the format
		}
	}
	before = Samples{}
	for _, m := range metrics {
		for _, one := range m.series() {
			value, found := values[m.line(one, breaker)]
			if found && value >= 0 && !math.IsInf(value, 0) { // not NaN either
				before[one] = value
			}
		}
	}
	return before, breaker
}
