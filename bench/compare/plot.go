package main

import (
	"bytes"
	_ "embed" // plot.svg
	"fmt"
	"html/template"
)

//go:embed plot.svg
var plotText string

var plotTemplate = template.Must(template.New("plot").Parse(plotText))

// longest is the ratio at which bars end. A longer one says its number only.
const longest = 5

// The places in the picture, in its units.
const (
	lineHeight = 26
	barBegin   = 250
	barWidth   = 470
	headHeight = 44
)

// panel is the plot of one algorithm.
type panel struct {
	Title string
	Y     int
	Bars  []bar
}

// bar is a line of a panel. Its places are from the left.
type bar struct {
	Name, Label        string
	Y                  int
	Width, Least, Most float64
	Hush, Long         bool
}

// plot draws the processor times with their ranges, as SVG.
func plot(rows []row) ([]byte, error) {
	var panels []panel
	y := 0
	for _, algorithm := range []string{es256, rs256} {
		p := panel{Title: algorithm, Y: y}
		y += headHeight
		for _, r := range rows {
			if r.of(algorithm) != nil {
				p.Bars = append(p.Bars, newBar(r, r.spread(algorithm, rows), y))
				y += lineHeight
			}
		}
		panels = append(panels, p)
	}
	var out bytes.Buffer
	picture := map[string]any{"Panels": panels, "Height": y + 10, "Bar": barBegin, "Ticks": ticks(y)}
	err := plotTemplate.Execute(&out, picture)
	return out.Bytes(), err
}

func newBar(r row, s spread, y int) bar {
	place := func(ratio float64) float64 { return min(ratio, longest) / longest * barWidth }
	name := r.name
	if r.access != "" {
		name += ", " + r.access
	}
	return bar{
		Name: name, Label: fmt.Sprintf("%.2f", s.Median), Y: y, Hush: r.hush, Long: s.Most > longest,
		Width: place(s.Median), Least: place(s.Least), Most: place(s.Most),
	}
}

type tick struct {
	Label  int
	X      float64
	Height int
}

// ticks are the lines of whole numbers.
func ticks(height int) (all []tick) {
	for n := range longest + 1 {
		all = append(all, tick{n, float64(n) / longest * barWidth, height})
	}
	return all
}
