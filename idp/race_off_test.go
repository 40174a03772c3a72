//go:build !race

package idp_test

const percentOfLimits = 100
