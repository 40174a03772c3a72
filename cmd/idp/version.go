package main

import "runtime/debug"

// version is the program's version, set by scripts/build.sh.
var version string

// versionOf is the version that the build set, or the one that the Go tool found: of the repository, or (devel).
func versionOf() string {
	if info, ok := debug.ReadBuildInfo(); version == "" && ok {
		return info.Main.Version
	}
	return version
}
