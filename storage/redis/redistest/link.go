package redistest

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// Link is a network between a test and a server: what is sent to it arrives there, later or not at all.
type Link struct {
	URL  string // redis://127.0.0.1:port
	Addr string

	server *Server

	mutex sync.Mutex
	delay time.Duration
	cut   chan struct{} // open while packets are lost; nil otherwise
	conns []net.Conn
	ended bool
}

// Connect lays a network in front of the server, at first a perfect one.
func Connect(t testing.TB, server *Server) *Link {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &Link{server: server, Addr: listener.Addr().String()}
	l.URL = "redis://" + l.Addr
	var group sync.WaitGroup
	group.Go(func() { l.accept(listener, &group) })
	t.Cleanup(func() {
		_ = listener.Close()
		l.Mend()
		l.end()
		group.Wait()
	})
	return l
}

// Delay lets each packet of either direction need half of roundTrip. 0 is a perfect network.
func (l *Link) Delay(roundTrip time.Duration) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.delay = roundTrip / 2
}

// Cut drops all packets in both directions silently: connections stay open, and new ones are accepted.
func (l *Link) Cut() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.cut == nil {
		l.cut = make(chan struct{})
	}
}

// Mend lets packets through again; packets that were sent meanwhile arrive now.
func (l *Link) Mend() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.cut != nil {
		close(l.cut)
		l.cut = nil
	}
}

func (l *Link) accept(listener net.Listener, group *sync.WaitGroup) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", l.server.Addr)
		if err != nil || !l.keep(client, server) {
			_ = client.Close()
			continue
		}
		group.Go(func() { l.carry(server, client, group) })
		group.Go(func() { l.carry(client, server, group) })
	}
}

// keep notes connections for the end of the test.
func (l *Link) keep(conns ...net.Conn) bool {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.conns = append(l.conns, conns...)
	return !l.ended
}

func (l *Link) end() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.ended = true
	for _, conn := range l.conns {
		_ = conn.Close()
	}
}

// packet is some bytes and when they arrive.
type packet struct {
	bytes   []byte
	arrives time.Time
}

// carry takes bytes one way until either side ends. Packets overtake none, and many can be under way.
func (l *Link) carry(to io.WriteCloser, from io.ReadCloser, group *sync.WaitGroup) {
	underway := make(chan packet, 1024)
	group.Go(func() {
		defer func() { _ = to.Close() }()
		for p := range underway {
			time.Sleep(time.Until(p.arrives))
			if cut := l.isCut(); cut != nil {
				<-cut
			}
			if _, err := to.Write(p.bytes); err != nil {
				_ = from.Close() // and read what is left, so that nothing waits for room
			}
		}
	})
	defer close(underway)
	for {
		buffer := make([]byte, 32<<10)
		n, err := from.Read(buffer)
		if n > 0 {
			underway <- packet{buffer[:n], time.Now().Add(l.oneWay())}
		}
		if err != nil {
			return
		}
	}
}

func (l *Link) oneWay() time.Duration {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.delay
}

func (l *Link) isCut() chan struct{} {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.cut
}
