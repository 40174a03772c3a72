// Command sessions measures what live sessions cost on an engine: memory, disk, and the time until a provider is ready.
//
//	go run -C bench ./sessions --store memory
//	go run -C bench ./sessions --store file:/tmp/hush.db --idp ../bin/idp
//	go run -C bench ./sessions --store redis://127.0.0.1:6379 --idp ../bin/idp
//
// The walk of one run:
//
//	fill     a million sessions and the lists of their users, as the provider writes them      fill.go
//	weigh    this process, the file, the server                   weigh.go
//	start    a real provider on them, until /readyz says yes      start.go
//	report   one line each, by the session                        main.go
//
// The records are real ones, of users that do not exist. They stay in the file or the server: use new ones.
//
// Where teaching ends: the server is on the same machine, and so is the disk. A network adds its round trip to each write.
package main
