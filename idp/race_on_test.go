//go:build race

package idp_test

// percentOfLimits is how much of the limits of a test the race detector needs.
const percentOfLimits = 125
