package redistest

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Cluster is three primaries of this test that share the slots.
type Cluster struct {
	URL   string // redis+cluster://127.0.0.1:port,…
	Nodes []*Server
}

// StartCluster starts a Cluster of three primaries without replicas, and waits until each serves. Each server gets the
// options.
func StartCluster(t testing.TB, options ...string) *Cluster {
	t.Helper()
	c := &Cluster{}
	var addresses []string
	for range 3 {
		_, bus, _ := net.SplitHostPort(FreeAddress(t))
		first := []string{"--cluster-enabled", "yes", "--cluster-port", bus, "--cluster-node-timeout", "2000"}
		node := start(t, "redis+cluster", first, options...)
		c.Nodes = append(c.Nodes, node)
		addresses = append(addresses, node.Addr)
	}
	c.URL = "redis+cluster://" + strings.Join(addresses, ",")
	c.Nodes[0].Command(append([]string{"--cluster-yes", "--cluster", "create"}, addresses...)...)
	if !Eventually(c.isWhole) {
		t.Fatalf("redistest: the Cluster does not form: %s", c.Nodes[0].Command("CLUSTER", "INFO"))
	}
	return c
}

// isWhole reports whether each node knows that every slot is served.
func (c *Cluster) isWhole() bool {
	for _, node := range c.Nodes {
		info, err := node.command("CLUSTER", "INFO")
		if err != nil || !strings.Contains(info, "cluster_state:ok") || !strings.Contains(info, "cluster_known_nodes:3") {
			return false
		}
	}
	return true
}

// Name is the name of the primary in the Sentinels.
const Name = "hush"

const sentinelConfig = `sentinel monitor %[1]s %[2]s %[3]s 2
sentinel down-after-milliseconds %[1]s 500
sentinel failover-timeout %[1]s 3000
`

// Sentinel is a primary and its replica, with three Sentinels that replace the one by the other.
type Sentinel struct {
	URL              string // redis+sentinel://127.0.0.1:port,…/hush
	Primary, Replica *Server
	sentinels        []*Server
}

// StartSentinel waits until the Sentinels know each other and the replica. When the primary is stopped, the replica
// replaces it some seconds later.
func StartSentinel(t testing.TB) *Sentinel {
	t.Helper()
	s := &Sentinel{Primary: Start(t, "--repl-diskless-sync-delay", "0")}
	host, port, _ := net.SplitHostPort(s.Primary.Addr)
	s.Replica = Start(t, "--replicaof", host+" "+port)
	var addresses []string
	for range 3 {
		config := filepath.Join(t.TempDir(), "sentinel.conf") // each Sentinel writes into its file
		if err := os.WriteFile(config, fmt.Appendf(nil, sentinelConfig, Name, host, port), 0o600); err != nil {
			t.Fatal(err)
		}
		sentinel := start(t, "redis", []string{config, "--sentinel"})
		s.sentinels = append(s.sentinels, sentinel)
		addresses = append(addresses, sentinel.Addr)
	}
	s.URL = "redis+sentinel://" + strings.Join(addresses, ",") + "/" + Name
	if !Eventually(s.isReady) {
		t.Fatal("redistest: the Sentinels do not find each other and the replica")
	}
	return s
}

func (s *Sentinel) isReady() bool {
	for _, sentinel := range s.sentinels {
		info, err := sentinel.command("INFO", "sentinel")
		if err != nil || !strings.Contains(info, "status=ok") || !strings.Contains(info, "slaves=1,sentinels=3") {
			return false
		}
	}
	info, err := s.Replica.command("INFO", "replication")
	return err == nil && strings.Contains(info, "master_link_status:up")
}
