package trace

// Pair is the two ways in which a row of a table of rules can turn out. It is made once, since the rows never change.
type Pair struct{ kept, broken Step }

// Pairs makes the steps of a table. words gives the section and the sentence of a row, and the names of the parameters
// that it judges, whose values are put to the step when somebody looks.
func Pairs[T any](kind Kind, table []T, words func(row T) (spec, text string, params []string)) []Pair {
	pairs := make([]Pair, len(table))
	for i, row := range table {
		spec, text, params := words(row)
		pairs[i].kept = Step{Kind: kind, Spec: spec, Text: text, Outcome: OK, params: params}
		pairs[i].broken = Step{Kind: kind, Spec: spec, Text: text, Outcome: Failed, params: params}
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

// Rule is the step of a rule that was judged. params are the names of the request parameters that the rule is about;
// their values are put to the step when somebody looks.
func Rule(spec, text string, params []string, holds bool) Step {
	if holds {
		return Step{Kind: KindRule, Spec: spec, Text: text, Outcome: OK, params: params}
	}
	return Step{Kind: KindRule, Spec: spec, Text: text, Outcome: Failed, params: params}
}

// judged are the step's values: its own, and of the record's parameters those that it is about.
func (s *Step) judged(params []Value) []Value {
	values := s.Values
	for _, name := range s.params {
		for _, param := range params {
			if param.Name == name {
				values = append(values[:len(values):len(values)], param)
			}
		}
	}
	return values
}
