package bolt

import "go.etcd.io/bbolt"

// Database is what stands behind the Store.
func (s *Store) Database() *bbolt.DB { return s.db }
