package main

import (
	"fmt"

	"github.com/goccy/go-yaml/token"
)

// checkNesting refuses a text whose lists and keys are nested too deeply, before the YAML library makes a tree of it:
// the library needs memory in the square of the depth, 5 GB for 60,000 brackets. To make tokens needs memory in the
// length of the text.
func (src *source) checkNesting(tokens token.Tokens) error {
	brackets, dashes := 0, 0 // dashes: since the last bracket or comma, inside brackets
	var columns []int        // of the keys and dashes that the token stands below, outside brackets
	for _, t := range tokens {
		switch {
		case t.Type == token.SequenceStartType, t.Type == token.MappingStartType:
			brackets++
		case t.Type == token.SequenceEndType, t.Type == token.MappingEndType:
			brackets, dashes = max(0, brackets-1), 0
		case t.Type == token.CollectEntryType:
			dashes = 0
		case brackets == 0 && beginsBlock(t):
			columns = append(above(columns, t.Position.Column), t.Position.Column)
		case t.Type == token.SequenceEntryType, t.Type == token.MappingKeyType: // the library takes them inside brackets
			dashes++
		}
		if len(columns)+brackets+dashes > maxDepth {
			return fmt.Errorf("%slists and keys are nested more than %d deep here: a configuration needs far fewer levels; "+
				"look for brackets or dashes without end", src.at(t), maxDepth)
		}
	}
	return nil
}

// beginsBlock tells whether the token begins an entry of a list or of a mapping that has no brackets: it is a dash, a
// question mark or a key.
func beginsBlock(t *token.Token) bool {
	isKey := t.Next != nil && t.Next.Type == token.MappingValueType
	return isKey || t.Type == token.SequenceEntryType || t.Type == token.MappingKeyType
}

// above returns the columns on the left of column: an entry there or further right ends the entries at its own column.
func above(columns []int, column int) []int {
	for len(columns) > 0 && columns[len(columns)-1] >= column {
		columns = columns[:len(columns)-1]
	}
	return columns
}
