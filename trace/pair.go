package trace

// Pair is the two ways in which a row of a table of rules can turn out. It is made once, since the rows never change.
type Pair struct{ kept, broken Step }

// Pairs makes the steps of a table. words gives the section and the sentence of a row.
func Pairs[T any](kind Kind, table []T, words func(row T) (spec, text string)) []Pair {
	pairs := make([]Pair, len(table))
	for i, row := range table {
		spec, text := words(row)
		pairs[i].kept = Step{Kind: kind, Spec: spec, Text: text, Outcome: OK}
		pairs[i].broken = Step{Kind: kind, Spec: spec, Text: text, Outcome: Failed}
	}
	return pairs
}

// Step is how the row turned out.
func (p *Pair) Step(good bool) *Step {
	if good {
		return &p.kept
	}
	return &p.broken
}
