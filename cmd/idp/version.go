package main

import "runtime/debug"

// version is the program's version, if scripts/build.sh built it.
var version string

// versionOf is the version that the build set, or the one that the Go tool found in the repository or in the module's
// name.
func versionOf() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "(devel)" && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}
