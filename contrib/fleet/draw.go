package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"text/template"
	"time"
)

// The picture shows an outage of an hour, and the hour after it. It is drawn of fewer hosts than
// the table, so that a test can draw it again.
const (
	drawnHosts = 2000
	drawnTime  = 2 * time.Hour
	step       = time.Minute // of which the mean is drawn
	width      = 720
	height     = 200
)

// panel is one diagram; its curves stand for the same settings as those of the other.
type panel struct {
	Y      int
	Title  string
	Most   float64 // at the top
	Level  float64 // of the dashed line; 0: none
	Curves []curve
}

type curve struct {
	Name, Colour string
	values       []float64 // one per step
}

// Points are those of a polyline.
func (p panel) Points(c curve) string {
	var text strings.Builder
	for i, v := range c.values {
		fmt.Fprintf(&text, "%.1f,%.1f ", float64(i*width)/float64(len(c.values)-1), p.At(v))
	}
	return strings.TrimSpace(text.String())
}

// At is how far a value lies below the top.
func (p panel) At(value float64) float64 { return height * (1 - min(value/p.Most, 1)) }

var picture = template.Must(template.New("").Parse(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 840 580" font-family="sans-serif" font-size="13">
<rect width="840" height="580" fill="#ffffff"/>
{{range .}}<g transform="translate(70 {{.Y}})">
<text y="-10">{{.Title}}</text>
<path d="M0 0V200H720" fill="none" stroke="#444444"/>
<path d="M360 0V200{{if .Level}}M0 {{.At .Level}}H720{{end}}" fill="none" stroke="#999999" stroke-dasharray="6 4"/>
<text x="-8" y="10" text-anchor="end">{{.Most}}</text>
<text x="-8" y="200" text-anchor="end">0</text>
<text y="218">the outage begins</text>
<text x="360" y="218" text-anchor="middle">the listener is back</text>
<text x="720" y="218" text-anchor="end">an hour later</text>
{{$panel := .}}{{range .Curves}}<polyline fill="none" stroke="{{.Colour}}" stroke-width="1.5" points="{{$panel.Points .}}"/>
{{end}}</g>
{{end}}<g transform="translate(70 560)">
{{range $i, $c := (index . 0).Curves}}<path d="M{{$c.X $i}} -4h24" stroke="{{.Colour}}" stroke-width="2"/>
<text x="{{$c.X $i}}" dx="32">{{.Name}}</text>
{{end}}</g>
</svg>
`))

// X is where the legend of a curve begins.
func (c curve) X(i int) int { return i * width / 3 }

// drawInto writes the picture into a file.
func drawInto(path string) error {
	var svg bytes.Buffer
	if err := picture.Execute(&svg, panels()); err != nil {
		return err
	}
	return os.WriteFile(path, svg.Bytes(), 0o644)
}

func panels() []panel {
	s := defaultScenario()
	s.hosts, s.outage, s.until = drawnHosts, time.Hour, drawnTime
	load := panel{Y: 40, Title: fmt.Sprintf("requests a second from %d hosts; dashed: what the listener takes", s.hosts), Most: 100, Level: s.capacity()}
	backlog := panel{Y: 310, Title: "payloads in their spools", Most: 15_000}
	for i, colour := range []string{"#c0392b", "#2471a3", "#1e8449"} {
		s.longest = []time.Duration{0, 10 * time.Minute, time.Hour}[i]
		name := "--retry-timeout-max " + short(s.longest)
		if s.longest == 0 {
			name = "without --retry-timeout-max"
		}
		f := simulate(s)
		requests, spooled := curve{Name: name, Colour: colour}, curve{Name: name, Colour: colour}
		delivered, perStep := 0, int(step/time.Second)
		for at := 0; at < int(drawnTime/time.Second); at += perStep {
			sum := 0
			for _, second := range f.seconds[min(at, len(f.seconds)):min(at+perStep, len(f.seconds))] {
				sum += second.sum()
				delivered += int(second[good])
			}
			made := 0
			for i := range f.hosts {
				made += f.hosts[i].made(time.Duration(at+perStep) * time.Second)
			}
			requests.values = append(requests.values, float64(sum)/float64(perStep))
			spooled.values = append(spooled.values, float64(made-delivered))
		}
		load.Curves, backlog.Curves = append(load.Curves, requests), append(backlog.Curves, spooled)
	}
	return []panel{load, backlog}
}
