// Package agenda keeps things until they are due.
package agenda

import (
	"container/heap"
	"time"
)

// Queue holds items until they are due. Items due at the same time come out in the order they went in.
type Queue[T any] struct {
	items items[T]
	count uint64
}

// Push adds an item.
func (q *Queue[T]) Push(due time.Time, value T) {
	q.count++
	heap.Push(&q.items, item[T]{due: due, order: q.count, value: value})
}

// Pop takes the next item that is due by now.
func (q *Queue[T]) Pop(now time.Time) (value T, ok bool) {
	if len(q.items) == 0 || q.items[0].due.After(now) {
		return value, false
	}
	return heap.Pop(&q.items).(item[T]).value, true
}

// Next tells when the next item is due.
func (q *Queue[T]) Next() (due time.Time, ok bool) {
	if len(q.items) == 0 {
		return due, false
	}
	return q.items[0].due, true
}

// Len is the number of items held.
func (q *Queue[T]) Len() int { return len(q.items) }

type item[T any] struct {
	due   time.Time
	order uint64
	value T
}

type items[T any] []item[T]

func (s items[T]) Len() int      { return len(s) }
func (s items[T]) Swap(i, j int) { s[i], s[j] = s[j], s[i] }
func (s items[T]) Less(i, j int) bool {
	if !s[i].due.Equal(s[j].due) {
		return s[i].due.Before(s[j].due)
	}
	return s[i].order < s[j].order
}
func (s *items[T]) Push(x any) { *s = append(*s, x.(item[T])) }
func (s *items[T]) Pop() any {
	last := (*s)[len(*s)-1]
	(*s)[len(*s)-1] = item[T]{}
	*s = (*s)[:len(*s)-1]
	return last
}
