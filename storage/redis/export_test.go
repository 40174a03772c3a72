package redis

// Forget lets the store forget what it put: tests move the ttls on the server, but not the time of this process.
func Forget(s *Store) { s.wrote.Purge() }
