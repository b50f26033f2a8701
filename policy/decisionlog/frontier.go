package decisionlog

import (
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"
)

// frontier is the right edge of a Merkle tree: the roots of its complete subtrees, largest first, one for each
// bit set in the size. It is all one needs of a tree in order to grow it, and never holds more than 63 hashes.
type frontier struct {
	size  int64
	roots []tlog.Hash
}

// add appends a leaf and returns the hashes to be stored for it: its own, then that of each subtree which it
// completes, upwards. They belong at tlog.StoredHashCount of the size before, and following.
func (f *frontier) add(leaf tlog.Hash) []tlog.Hash {
	stored := make([]tlog.Hash, 1, bits.TrailingZeros64(^uint64(f.size))+1)
	stored[0] = leaf
	for range cap(stored) - 1 {
		last := len(f.roots) - 1
		leaf = tlog.NodeHash(f.roots[last], leaf)
		f.roots = f.roots[:last]
		stored = append(stored, leaf)
	}
	f.roots = append(f.roots, leaf)
	f.size++
	return stored
}

// tree returns the size and root hash.
func (f *frontier) tree() tlog.Tree {
	if f.size == 0 {
		return emptyTree
	}
	last := len(f.roots) - 1
	root := f.roots[last]
	for i := last - 1; i >= 0; i-- {
		root = tlog.NodeHash(f.roots[i], root)
	}
	return tlog.Tree{N: f.size, Hash: root}
}

// clone returns a frontier that can grow without changing f.
func (f *frontier) clone() frontier {
	return frontier{size: f.size, roots: append(make([]tlog.Hash, 0, len(f.roots)+8), f.roots...)}
}

// loadFrontier reads the right edge of a tree of the given size from its stored hashes.
func loadFrontier(size int64, stored tlog.HashReader) (frontier, error) {
	var indexes []int64
	for rest, done := size, int64(0); rest > 0; {
		level := bits.Len64(uint64(rest)) - 1
		indexes = append(indexes, tlog.StoredHashIndex(level, done>>level))
		rest -= 1 << level
		done += 1 << level
	}
	roots, err := stored.ReadHashes(indexes)
	if err != nil {
		return frontier{}, err
	}
	return frontier{size: size, roots: roots}, nil
}

// emptyTree is the tree without leaves; its root is the SHA-256 of nothing (RFC 6962, section 2.1).
var emptyTree = func() tlog.Tree {
	hash, err := tlog.TreeHash(0, nil)
	if err != nil {
		panic(err)
	}
	return tlog.Tree{N: 0, Hash: hash}
}()

// extends proves from stored hashes that the tree now begins with the whole of the tree before.
func extends(before, now tlog.Tree, stored tlog.HashReader) error {
	switch {
	case now.N < before.N:
		return &RolledBack{Have: now.N, Known: before.N}
	case before.N == 0:
		return nil
	case now.N == before.N:
		if now.Hash != before.Hash {
			return &Forked{Size: before.N}
		}
		return nil
	}
	proof, err := tlog.ProveTree(now.N, before.N, stored)
	if err != nil {
		return err
	}
	if err := tlog.CheckTree(proof, now.N, now.Hash, before.N, before.Hash); err != nil {
		return &Forked{Size: before.N}
	}
	return nil
}
