package main

import (
	"fmt"
	"strings"
	"testing"
)

// Most of these allocations are those of the YAML library.
func TestAFileWithManyUsersIsReadWithFewAllocationsForEach(t *testing.T) {
	const users, most = 2_000, 150
	lines := make([]string, users)
	for i := range lines {
		lines[i] = fmt.Sprintf("  - {username: u%d, password: x}\n", i)
	}
	name := file(t, "users:\n"+strings.Join(lines, ""))
	allocations := testing.AllocsPerRun(1, func() {
		if s := mustSettings(t, "--config", name); len(s.Users) != users {
			t.Fatalf("%d users were read; want %d", len(s.Users), users)
		}
	})
	if allocations > users*most {
		t.Errorf("%.0f allocations for each user; want at most %d", allocations/users, most)
	}
}
