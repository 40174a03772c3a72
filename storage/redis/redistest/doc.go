// Package redistest starts real Redis servers for tests, and lets them fail as machines and networks do.
//
//	server := redistest.Start(t)                 one server, nothing on disk; gone with the test
//	server.Pause() … server.Resume()             it hangs: connections stay, nothing answers
//	server.Stop()  … server.Restart()            it dies at once, and comes back at the same address
//	redistest.Start(t, redistest.Durable...)     what it acknowledged survives Stop
//
//	link := redistest.Connect(t, server)         a network in front of it:
//	link.Delay(200 * time.Millisecond)           slow
//	link.Cut()     … link.Mend()                 silent: packets are lost, connections stay
//
//	redistest.StartCluster(t).URL                three primaries that share the slots
//	redistest.StartSentinel(t).URL               a primary, a replica, three Sentinels that replace the one by the other
//
// Servers listen on loopback, at ports that were free, and are killed when the test ends or its process dies. A machine
// without redis-server (or valkey-server) fails the test: nothing is skipped.
//
// # Where teaching ends
//
// The servers of a test are young: no big data to load, no slow disk. Signals make it a thing for Unix.
package redistest
