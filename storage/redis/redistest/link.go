package redistest

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// Link is a network between a test and a server: a proxy that delays or drops packets.
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

// Connect puts a Link without delay in front of the server.
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

// Delay makes each packet take half of roundTrip.
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

// Mend ends Cut; packets that were sent meanwhile arrive now.
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
		if err != nil || !l.closeAtEnd(client, server) {
			_ = client.Close()
			continue
		}
		group.Go(func() { l.carry(server, client, group) })
		group.Go(func() { l.carry(client, server, group) })
	}
}

// closeAtEnd notes connections for the end of the test. It returns false when the test has ended.
func (l *Link) closeAtEnd(conns ...net.Conn) bool {
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

// packet is some bytes and their time of arrival.
type packet struct {
	bytes   []byte
	arrives time.Time
}

// carry copies bytes in one direction until either side ends. Many packets can be under way; they arrive in order.
func (l *Link) carry(to io.WriteCloser, from io.ReadCloser, group *sync.WaitGroup) {
	underway := make(chan packet, 1024)
	group.Go(func() {
		defer func() { _ = to.Close() }()
		for p := range underway {
			time.Sleep(time.Until(p.arrives))
			if _, cut := l.state(); cut != nil {
				<-cut
			}
			if _, err := to.Write(p.bytes); err != nil {
				_ = from.Close() // and read the rest, so that the reader does not wait for the full channel
			}
		}
	})
	defer close(underway)
	for {
		buffer := make([]byte, 32<<10)
		n, err := from.Read(buffer)
		if n > 0 {
			delay, _ := l.state()
			underway <- packet{buffer[:n], time.Now().Add(delay)}
		}
		if err != nil {
			return
		}
	}
}

// state is the delay of one direction, and a channel that is closed when packets may pass again.
func (l *Link) state() (delay time.Duration, cut chan struct{}) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.delay, l.cut
}
