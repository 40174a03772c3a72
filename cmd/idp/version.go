package main

import "runtime/debug"

// version is the program's version. scripts/build.sh sets it; it is empty after go build.
var version string

// versionOf is the version that the build set, else the one that the Go tool recorded, else "unknown".
func versionOf() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "(devel)" && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}
